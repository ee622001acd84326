// sbox lint [FILE|NAME...]
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "profile/lint.h"
#include "profile/reader.h"

namespace sbox {

// The findings of the profiles named, or, where none is, of every file of the search path: profiles, blocks and
// drop-ins, each alone and merged. A file that cannot be read is a finding of its own. Each finding once.
std::vector<Finding> lint_all(const SearchPath& search, const std::vector<std::string>& names);

// Prints one line for each. Returns 1 when there are errors, else 0: warnings do not fail.
int run_lint(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
