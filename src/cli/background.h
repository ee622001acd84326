// What of the front end goes on beside a sandbox, apart from the caller.
#pragma once

#include <sys/types.h>

#include <functional>

#include "base/error.h"
#include "base/unique_fd.h"

namespace sbox {

// pidfd_open(2). Invalid where there is no such process.
UniqueFd open_pidfd(pid_t process);
// Waits so long (-1: for ever) for the end of a process. One that is not there has ended.
bool has_ended(const UniqueFd& process, int milliseconds);

// Of fork(2): names the limit where it is one.
Error fork_error(int errnum);
// fork(2), believed only where the new process is another one. Throws Error.
pid_t new_process();

// A session of its own, no stream of the caller's and no directory of theirs.
void go_into_background();

// Does `work` in a background process that is no child of this one: the launcher, which this process becomes, is to
// have none that it does not know. Throws Error when there is no such process; what `work` throws ends it.
void run_in_background(const std::function<void()>& work);

// Returns the umask before. Throws Error when `mask` is not in force then.
mode_t change_umask(mode_t mask);

}  // namespace sbox
