// `sbox enable` and `sbox disable`: desktop entries that start their programs through sbox.
#pragma once

#include "cli/command.h"

namespace sbox {

// Both: return the exit status; an Error about one program is printed, and the others are gone on with. Throw Error.
int run_enable(const Context& context, const std::vector<std::string>& arguments);
int run_disable(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
