// The caller's side of a program that joined a running sandbox: sends the request, relays the streams and signals, and
// returns the program's exit status.
#pragma once

#include "instance/door.h"
#include "plan/join_request.h"

namespace sbox {

// Preconditions: single-threaded; 0, 1, 2 are open. Error when the sandbox does not take the request or does not answer
// within ten seconds.
int run_in_session(Door door, const JoinRequest& request);

}  // namespace sbox
