// `sbox learn`: runs a program in a permissive sandbox, watches it with strace(1), and proposes a profile.
#pragma once

#include "cli/command.h"

namespace sbox {

// `arguments` is [OPTIONS] [--] PROGRAM [ARG...]. Returns 0 where a profile was proposed, whatever the program's own
// status. Throws Error.
int run_learn(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
