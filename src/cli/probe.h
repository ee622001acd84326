// What the kernel lets this user do, tried for real in a child process that ends at once. The host is left as it was.
#pragma once

#include <string>

#include "network/bandwidth.h"

namespace sbox {

// The steps of a sandbox's set-up, in this order.
enum class ProbeStage {
  user_namespace,  // unshare(CLONE_NEWUSER)
  id_map,          // the caller's own ids, and with them the capabilities
  namespaces,      // mount, pid, ipc, uts, cgroup and net
  mount_api,       // a detached copy of a host directory, made read-only
  tmpfs,
  proc,  // of the new pid namespace
  done,
};

struct ProbeResult {
  ProbeStage reached = ProbeStage::done;  // the step that failed, or done
  int error = 0;                          // its errno
};

// Forks. Precondition: single-threaded. Error when no process can be made.
ProbeResult probe_namespaces();

// Whether a copy-on-write view of `home` can be made by an ordinary user: 0, or the errno. What it needs in `home` is
// removed again.
int probe_overlay(const std::string& home);

// What the kernel has for private networks.
struct NetworkProbe {
  bool tried = true;         // a network namespace could be made to try in
  int firewall = 0;          // errno of loading rules of nftables
  bool tells = true;         // it tells what they refuse
  network::Fault bandwidth;  // what a limit of bandwidth fails with
};

// Forks. Precondition as above. Error when no process can be made.
NetworkProbe probe_network();

// Whether the kernel takes filters with the actions that sbox uses.
bool probe_seccomp();

struct KernelVersion {
  int major = 0, minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};
// Of the running kernel; zeros when it cannot be told.
KernelVersion kernel_version();

// What sbox-userns at `path` says to somebody who has no plan; "" when it is the launcher that answers, so that it
// works.
std::string ask_granter(const std::string& path);

// The first line that the program prints, without its newline; "" when it cannot be run or fails. `argument` is its
// only one.
std::string first_line_of(const std::string& program, const std::string& argument);

}  // namespace sbox
