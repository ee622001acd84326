// `sbox list`: the sandboxes of this user that run.
#pragma once

#include "cli/command.h"

namespace sbox {

int run_list(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
