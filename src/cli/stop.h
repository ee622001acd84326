// `sbox stop`: ends a running sandbox, all of it.
#pragma once

#include "cli/command.h"

namespace sbox {

int run_stop(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
