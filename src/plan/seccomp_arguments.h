// What allowed calls may not be given: the rules of the second filter. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "plan/seccomp.h"

namespace sbox {

// Whether (argument & mask) is one of `values`, or none of them. Only the low 32 bits are looked at: what the kernel
// reads of an int, so the high ones cannot be used to slip past.
struct ArgumentTest {
  unsigned argument;  // 0..5
  uint32_t mask;
  std::vector<uint32_t> values;
  bool one_of = true;
};

// The call fails with `error` (an errno) when all tests hold.
struct ArgumentRule {
  std::string_view call;
  int error;
  std::vector<ArgumentTest> tests;
  std::string_view what = "";    // what it keeps away, for people
  std::string_view remedy = "";  // the line of a profile that lifts it; "" where none does
};

// For one architecture of the policy: "x86_64", "i386", "aarch64". Calls that it does not have may be in the list.
std::vector<ArgumentRule> argument_rules(const SeccompPolicy& policy, std::string_view architecture);

// Whether all tests of the rule hold.
bool applies(const ArgumentRule& rule, std::span<const uint64_t, 6> arguments);

}  // namespace sbox
