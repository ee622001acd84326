// Processes that wait outside of a sandbox, apart from the caller.
#pragma once

#include <sys/types.h>

#include "base/unique_fd.h"

namespace sbox {

// pidfd_open(2). Invalid where there is no such process.
UniqueFd open_pidfd(pid_t process);
// Waits so long (-1: for ever) for the end of a process. One that is not there has ended.
bool has_ended(const UniqueFd& process, int milliseconds);

// A session of its own, no stream of the caller's and no directory of theirs.
void go_into_background();

}  // namespace sbox
