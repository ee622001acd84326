// Processes beside the program. Each has a pipe: it writes to it when it serves, and ends when the other end is closed.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "plan/plan.h"

namespace sbox {

struct RunningHelper {
  std::string name;
  pid_t pid = -1;
  UniqueFd ready;  // readable when it serves; at its end the helper is gone
  bool serves = false;
};

// `directory` is the descriptor behind "{directory}". The helper gets a fixed environment, nothing of the caller's, and
// dies with the calling process. pid -1 with errno set on failure.
RunningHelper start_helper(const Helper& helper, int directory);

}  // namespace sbox
