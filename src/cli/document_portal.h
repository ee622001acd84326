// The document portal: a file system of the user's, in which portals show a program the files that were picked for it.
#pragma once

#include "plan/host.h"
#include "profile/profile.h"

namespace sbox {

// Starts it by the session bus when the profile has portals and it does not run yet, and waits until it does, for at
// most two seconds. Without it the program starts all the same, and can open no file through a portal.
void wake_document_portal(const Profile& profile, const Host& host);

}  // namespace sbox
