// One libseccomp filter under construction, for one architecture. Owns its context. Every failure of the library is an
// Error.
#pragma once

#include <seccomp.h>

#include <memory>
#include <span>
#include <string_view>

#include "plan/plan.h"

namespace sbox {

// (argument & mask) == value, in the low 32 bits: what the kernel reads of an int. The high ones are never looked at,
// so they cannot be used to slip past.
struct ArgumentTest {
  unsigned argument;  // 0..5
  uint32_t mask, value;
};

class SeccompContext {
 public:
  // architecture: "x86_64", "i386" or "aarch64". Other architectures are killed.
  SeccompContext(std::string_view architecture, uint32_t default_action);

  // Whether the architecture has the call (one that is newer than libseccomp: only where the host is that architecture,
  // because the library takes plain numbers for no other).
  bool has(std::string_view call) const;

  // Precondition: has(call). The first rule without tests for a call is the last word on it. Where the architecture
  // also has a multiplexer for the call, the library adds a rule for that too.
  void add(uint32_t action, std::string_view call, std::span<const ArgumentTest> tests = {});

  // Calls with rules are found by bisection instead of one after the other.
  void bisect();
  // Tested before the calls that were not named first.
  void test_first(std::string_view call);

  // Takes over the rules of `other`, for another architecture.
  void merge(SeccompContext&& other);

  // The kernel's form.
  Filter export_as(std::string name) const;

 private:
  struct Release {
    void operator()(void* context) const { seccomp_release(context); }
  };
  static int native_number(std::string_view call);

  uint32_t architecture_;
  std::unique_ptr<void, Release> context_;
};

}  // namespace sbox
