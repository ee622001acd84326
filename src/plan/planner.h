// Profile + host + what was asked for -> Plan. The only place where a profile meets the host.
#pragma once

#include <string>
#include <vector>

#include "plan/host.h"
#include "plan/plan.h"
#include "profile/profile.h"

namespace sbox {

struct Request {
  std::string program;                 // as typed: a name that is looked for in PATH, or a path
  std::vector<std::string> arguments;  // without the program
  std::string instance;                // "" makes it the profile's name; what follows an @ names the private home
  std::string prefix;                  // where sbox is installed: PREFIX of PREFIX/share/sbox
  bool verbose = false;
  std::string throw_away{};  // "", or where an overlay takes what this run changes in the home, whatever the profile
                             // says: a directory of sbox's own, canonical
};

// Error (with the origin of the line that asked) when the host cannot give what the profile needs, when a profile would
// expose sbox's own directories, or when the program is not found (status 127) or not executable (126).
Plan make_plan(const Profile& profile, const Request& request, const Host& host);

}  // namespace sbox
