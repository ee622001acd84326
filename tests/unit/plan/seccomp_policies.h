// What the tests of the filters share: policies, and the numbers of calls.
#pragma once

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bpf_evaluator.h"
#include "plan/seccomp.h"

namespace sbox::test {

struct NamedPolicy {
  std::string name;
  SeccompPolicy policy;
};

inline SeccompPolicy default_policy(std::string architecture = "x86_64") {
  SeccompPolicy policy;
  policy.architecture = std::move(architecture);
  return policy;
}

inline std::vector<NamedPolicy> every_kind_of_policy() {
  auto with = [](std::string name, auto change, std::string architecture = "x86_64") {
    SeccompPolicy policy = default_policy(std::move(architecture));
    change(policy);
    return NamedPolicy{std::move(name), policy};
  };
  auto nothing = [](SeccompPolicy&) {};
  auto nested = [](SeccompPolicy& policy) { policy.nested_sandbox = true; };
  auto debug = [](SeccompPolicy& policy) { policy.debug = true; };
  auto exclusive = [](SeccompPolicy& policy) { policy.write_xor_execute = true; };
  auto compat = [](SeccompPolicy& policy) { policy.compat_32_bit = true; };
  auto kill = [](SeccompPolicy& policy) { policy.kill = true; };
  auto network = [](SeccompPolicy& policy) { policy.nested_sandbox = policy.netfilter = true; };
  auto everything = [](SeccompPolicy& policy) {
    policy.nested_sandbox = policy.debug = policy.write_xor_execute = policy.compat_32_bit = policy.kill = true;
  };
  auto by_port = [](SeccompPolicy& policy) { policy.tcp_by_port = policy.compat_32_bit = true; };
  auto lists = [](SeccompPolicy& policy) {
    policy.allow = {"@io-uring", "bpf", "socketcall", "statmount"};
    policy.deny = {"@network", "bpf"};
    policy.compat_32_bit = true;
  };
  return {with("default", nothing),
          with("nested", nested),
          with("debug", debug),
          with("write-xor-execute", exclusive),
          with("32-bit", compat),
          with("kill", kill),
          with("network", network),
          with("everything", everything),
          with("lists", lists),
          with("tcp-by-port", by_port),
          with("aarch64", nothing, "aarch64"),
          with("aarch64 nested", nested, "aarch64"),
          with("aarch64 write-xor-execute", exclusive, "aarch64")};
}

inline uint32_t audit_architecture(const std::string& architecture) {
  if (architecture == "x86_64") return AUDIT_ARCH_X86_64;
  return architecture == "i386" ? AUDIT_ARCH_I386 : AUDIT_ARCH_AARCH64;
}

inline uint32_t library_architecture(const std::string& architecture) {
  if (architecture == "x86_64") return SCMP_ARCH_X86_64;
  return architecture == "i386" ? SCMP_ARCH_X86 : SCMP_ARCH_AARCH64;
}

// As it would be made by a program: number and arguments.
inline seccomp_data call_of(const std::string& architecture, int number, std::vector<uint64_t> arguments = {}) {
  seccomp_data call{};
  call.nr = number;
  call.arch = audit_architecture(architecture);
  for (size_t i = 0; i < arguments.size(); ++i) call.args[i] = arguments[i];
  return call;
}

constexpr uint32_t fails_with(int error) { return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error); }

}  // namespace sbox::test
