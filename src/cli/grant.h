// Hosts where ordinary users may not make user namespaces: there sbox-userns, where it is installed, makes the one of
// the sandbox and becomes the launcher.
#pragma once

#include <string>

#include "profile/profile.h"

namespace sbox {

// Where sbox-userns lies in an installation.
std::string granter_path(const std::string& prefix);

// Whether sbox-userns is installed and needed: tried in a child process, and only where it is installed.
bool needs_grant(const std::string& prefix);

// The profile without what a granted namespace cannot give and the profile calls optional; Error where it does not.
Profile fit_to_grant(Profile profile);

}  // namespace sbox
