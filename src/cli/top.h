// `sbox top`: what running sandboxes use.
#pragma once

#include "cli/command.h"

namespace sbox {

int run_top(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
