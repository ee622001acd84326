// Asks the kernel, just before the program is executed, whether everything that was set up is so. Trusts no return
// value of an earlier call.
#pragma once

#include <array>
#include <vector>

#include "launcher/root.h"
#include "plan/plan.h"

namespace sbox {

// Inode numbers of the namespaces that a process is in.
struct Namespaces {
  std::array<uint64_t, 7> inodes{};
};

// Of the calling process, through /proc; reported by `step`.
Namespaces current_namespaces(const Step& step);

// Where sandboxed processes are not to have any descriptor but 0, 1, 2 and `also`.
struct Expected {
  Namespaces host;          // of the supervisor, before the clone
  bool is_granted = false;  // the user namespace is the supervisor's
  uint64_t root_mount_id = 0;
  int probe = -1;  // from build_tree: must not be possible to open
  int also = -1;   // the socket, close-on-exec
  pid_t session = 1;
};

// Ends the process through `step` on any difference.
void check_confinement(const Step& step, const Plan& plan, const Expected& expected);
// The same for a program that joins, as far as it concerns a process: the mounts and Landlock's rules are those that
// process 1 has, and nobody inside can change them.
void check_guest(const Step& step, const Plan& plan, const Expected& expected);

}  // namespace sbox
