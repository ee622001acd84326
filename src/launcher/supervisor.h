// The process that stays outside, in the caller's place: starts process 1 of the sandbox and the helpers, relays the
// streams and signals, and returns the program's exit status.
#pragma once

#include "base/unique_fd.h"
#include "launcher/terminal.h"
#include "plan/plan.h"

namespace sbox {

// The plan is forgotten when the program runs. `errors`: a socket that takes what is said of a failure as standard
// error does, or none; `log`: where denied calls are written to, where the plan says so. Preconditions:
// single-threaded; 0, 1, 2 are open; no other descriptor is but these and that of `terminal`. Returns an exit status;
// says on standard error why when that is sbox's own failure.
int supervise(Plan& plan, Terminal& terminal, UniqueFd errors, UniqueFd log);

}  // namespace sbox
