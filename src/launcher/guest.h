// Programs that join a running sandbox. Process 1 listens on a socket that lies outside of every file tree: whoever may
// open the supervisor's descriptors in the host's /proc connects through them. It answers by forking, so a guest is
// under what process 1 itself is under, and nothing of the policy is asked for or made a second time.
//
// The client sends a `stream` message for each pipe and a `request`, and then the commands that a supervisor sends; it
// is told what a supervisor is told.
#pragma once

#include "launcher/self_check.h"
#include "launcher/stdio.h"
#include "plan/plan.h"

namespace sbox {

// Follow the values of CommandKind.
enum class GuestMessage : uint8_t {
  stream = 16,  // value: 0, 1 or 2; descriptor: the end of the pipe that the program gets
  request,      // text: a StreamLayout; descriptor: a memory file with a JoinRequest
};

// What a request says of the caller's 0, 1 and 2 (see Stdio), byte by byte.
struct StreamLayout {
  std::array<StreamKind, 3> kinds;
  std::array<int, 3> shares;
  termios modes;
  winsize size;
};

// Makes the listening socket on the new root, sends the way to it to the supervisor (`door`), and takes its name away.
// Precondition: the root is writable. Does not block on accept(2).
UniqueFd open_door(const Step& step, const Root& root);

// What a guest needs of the plan: its environment, its directory, and what the self-check compares.
Plan keep_for_guests(Plan& plan);

// In a process forked off process 1 for one client, whose socket is `step`'s and the only descriptor besides 0, 1 and
// 2: takes the request, makes the session and the terminal. Ends the process when the request is none.
struct Guest {
  std::vector<std::string> argv, environment;
  Stdio stdio;
  UniqueFd slave;
};
Guest receive_guest(const Step& step, Plan& plan);

// A connection, accepted; empty when nobody asks who may: the caller's user, from outside the sandbox's pid namespace.
// Closes the door for good when accept(2) does not work here.
UniqueFd answer_door(UniqueFd& door, uint32_t uid);

}  // namespace sbox
