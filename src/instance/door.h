// The way into a running sandbox: a connection to its process 1, through the descriptor that its supervisor holds. Only
// the user's own processes outside of every sandbox can open that.
#pragma once

#include "instance/registry.h"

namespace sbox {

struct Door {
  UniqueFd connection;  // SOCK_SEQPACKET
  pid_t init = -1;      // process 1 of the sandbox, by the kernel's word; a child of the supervisor
};

// Empty connection where the sandbox has no door yet, or has ended, or does not take connections.
Door open_door(const RunningInstance& running);

}  // namespace sbox
