// Processes beside the program. Each has a socket: it writes to it when it serves, and ends when the other end is
// closed.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "plan/plan.h"

namespace sbox {

enum class HelperNews { nothing, serves, failed, gone };

struct RunningHelper {
  std::string name;
  pid_t pid = -1;
  UniqueFd ready;  // readable when there is news
  bool serves = false;

  // Reads what there is, without waiting. `why`: of a failure. Nothing that it says once it serves is read: then only
  // its end is news.
  HelperNews news(std::string& why);
  void reap();  // where it has ended
  void kill();
  // Kills it and waits until it is gone.
  void end();
};

struct Ids {
  uint32_t uid = 0, gid = 0;
  bool is_granted = false;  // the user namespace is the caller's, with the ids mapped
};

// `served` is the descriptor behind helper.node: a directory or a listening socket. The helper gets namespaces and a
// file tree of its own and nothing of the caller's, and dies with the calling process. pid -1 with errno set on
// failure.
RunningHelper start_helper(const Helper& helper, const Ids& ids, int served);

}  // namespace sbox
