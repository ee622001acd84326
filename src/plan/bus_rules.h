// What a profile lets a program do on the filtered buses: the lines of [dbus], and what words of other sections bring
// along. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.h"

namespace sbox {

struct BusRule {
  std::string_view policy;  // an option of xdg-dbus-proxy: "see", "talk", "own", "call", "broadcast"
  std::string text;         // NAME, NAME.*, or for call and broadcast NAME=INTERFACE.METHOD@PATH
  Origin origin;            // of the line that asks for it

  std::string option() const { return "--" + std::string(policy) + "=" + text; }
  // Whether it speaks of this name.
  bool covers(std::string_view name) const;
  // Whether a call of this method (or, for `broadcast`, a signal) is among what it gives. `method`: INTERFACE.METHOD.
  bool allows(std::string_view name, std::string_view method, std::string_view path) const;
};

// Error for one that covers the inner side of the portals.
std::vector<BusRule> session_bus_rules(const Profile& profile);
std::vector<BusRule> system_bus_rules(const Profile& profile);

// The setting that asks for the session bus (filtered or full), or null.
const Value* asks_for_session_bus(const Profile& profile);

}  // namespace sbox
