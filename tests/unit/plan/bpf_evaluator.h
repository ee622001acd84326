// The kernel's side of a seccomp filter, for tests: runs classic BPF programs on a made-up system call, and prints
// them.
#pragma once

#include <linux/seccomp.h>

#include <string>
#include <vector>

#include "plan/plan.h"

namespace sbox::test {

struct Verdict {
  uint32_t action = SECCOMP_RET_ALLOW;  // with the errno in the low 16 bits
  bool saw_arguments = false;           // an argument was read on the way: the kernel cannot remember the verdict
};

// std::runtime_error for an instruction that the kernel's checker would refuse, or a jump out of the program.
Verdict evaluate(const Filter& filter, const seccomp_data& call);

// All of them, as the kernel does for a stack of filters loaded in this order: the strictest action wins, of equal ones
// the last loaded.
Verdict evaluate(const std::vector<Filter>& filters, const seccomp_data& call);

// One instruction a line, jumps by the numbers of their targets.
std::string disassemble(const Filter& filter);

}  // namespace sbox::test
