// What allowed calls may not be given: the rules of the second filter. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "plan/seccomp.h"
#include "plan/seccomp_context.h"

namespace sbox {

// The call fails with `error` (an errno) when all tests hold.
struct ArgumentRule {
  std::string_view call;
  int error;
  std::vector<ArgumentTest> tests;
};

// For one architecture of the policy: "x86_64", "i386", "aarch64". Calls that it does not have may be in the list.
std::vector<ArgumentRule> argument_rules(const SeccompPolicy& policy, std::string_view architecture);

// Tests that together hold for exactly those values of the masked argument that are none of `values`. Precondition:
// each value lies within the mask.
std::vector<ArgumentTest> none_of(unsigned argument, uint32_t mask, const std::vector<uint32_t>& values);

}  // namespace sbox
