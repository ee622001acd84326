// Processes beside the program. Each has a socket: it writes to it when it serves, and ends when the other end is
// closed.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "log/note.h"
#include "plan/plan.h"

namespace sbox {

enum class HelperNews { nothing, serves, failed, told, gone };

struct RunningHelper {
  std::string name;
  pid_t pid = -1;
  UniqueFd ready;  // readable when there is news
  bool serves = false;
  bool tells = false;  // what it says once it serves is a note for the log; of others only the end is news then

  // Reads what there is, without waiting. `why`: of a failure; `note`: what it told.
  HelperNews news(std::string& why, Note& note);
  void reap();  // where it has ended
  // Tells it that the sandbox is over: it has its last word, where it has one.
  void finish();
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
