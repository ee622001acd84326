// xdg-dbus-proxy: which versions of it are known to have holes.
#pragma once

#include <string>

#include "cli/command.h"
#include "plan/places.h"
#include "plan/plan.h"

namespace sbox {

inline constexpr char kDBusProxy[] = "/usr/bin/xdg-dbus-proxy";

// `version`: the line that it prints of itself. `package`: the version of its Debian package, "" where it is of none.
// What is wrong with it, "" where nothing is known.
std::string fault_of_proxy(const std::string& version, const std::string& package);

// Error for a plan that relies on a proxy with a fault. One that has none is remembered in sbox's own directory for as
// long as the file is the same, and no more is known of holes: asking takes milliseconds.
void require_sound_proxy(const Context& context, const Places& places, const Plan& plan);

}  // namespace sbox
