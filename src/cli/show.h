// sbox show [--all] [PROFILE]
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "profile/profile.h"

namespace sbox {

// The effective profile as a profile file: sections and keys in the order of the settings table, the origin of each
// value as a comment above it. Reading it yields the same values (the includes are merged already, so it names none).
// `all`: keys that nothing sets too, with their defaults.
std::string show_profile(const Profile& profile, bool all);

// Prints it; without a name, the names of all profiles. Returns the exit status; Error as the reader throws it.
int run_show(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
