// The seccomp policy of a profile, and its compiled form. Pure: no system call is made here but for reading a filter
// that was compiled at build time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "profile/profile.h"

namespace sbox {

// What a filter enforces, in a form that can be compared and hashed.
struct SeccompPolicy {
  std::string architecture;        // "x86_64" or "aarch64": of the host
  bool compat_32_bit = false;      // i386 too (x86_64 only)
  bool kill = false;               // denied calls end the program, else EPERM
  bool nested_sandbox = false;     // namespace, mount, chroot and pivot calls for an inner sandbox
  bool debug = false;              // ptrace and process_vm_*
  bool netfilter = false;          // sockets for nftables: of a helper, never a profile's
  bool write_xor_execute = false;  // no W+X memory
  bool tcp_by_port = false;        // Landlock limits ports of TCP: what it does not see is kept away
  std::vector<std::string> allow;  // names or @groups added, sorted
  std::vector<std::string> deny;   // names or @groups taken away, sorted

  bool operator==(const SeccompPolicy&) const = default;
};

// From [seccomp] and [process]. Error (with origin and suggestion) for an unknown call or group. Precondition: not
// mode = none.
SeccompPolicy seccomp_policy(const Profile& profile);

// That of a plan on a host of this architecture; nothing for mode = none.
std::optional<SeccompPolicy> planned_policy(const Profile& profile, const std::string& architecture);

// Error for what only a filter holds, where there is none.
void check_filter(const Profile& profile);

// That of sbox-network and of pasta.
SeccompPolicy network_helper_policy();

// The programs to load, in this order. The numbers of calls are libseccomp's.
std::vector<Filter> compile_filters(const SeccompPolicy& policy);

// The same, but read from `directory` when it holds them ready (see write_filters). A file there that does not say it
// is for exactly this policy, or that others could write, is not used: the filters are compiled instead.
std::vector<Filter> load_filters(const SeccompPolicy& policy, const std::string& directory);

// Compiles and stores into `directory`, under a name that depends on the policy alone. Build time.
void write_filters(const SeccompPolicy& policy, const std::string& directory);

// The groups, for the manual, explain and tests: name, meaning, calls.
struct SyscallGroup {
  std::string_view name, meaning;
  bool by_default;
  std::vector<std::string_view> calls;
};
const std::vector<SyscallGroup>& syscall_groups();

}  // namespace sbox
