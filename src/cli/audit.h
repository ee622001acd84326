// `sbox audit`: how much a profile grants, as a number with its reasons. Of the profile alone, so that it is the same
// on every machine.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "profile/profile.h"

namespace sbox {

struct AuditReason {
  unsigned points = 0;
  std::string text;     // in words
  std::string setting;  // "SECTION.KEY = VALUE"
  std::string origin;   // "FILE:LINE"; "default" where no line says it
};

struct Audit {
  std::string profile;
  unsigned score = 0;                // the sum: nothing granted is 0, and to grant more never makes it less
  std::vector<AuditReason> reasons;  // the heaviest first
};

// Pure.
Audit audit_profile(const Profile& profile);

// "tight", "moderate", "wide" or "exposed".
const char* rating_of(unsigned score);

// `arguments` is [--json] [--threshold N] [PROFILE...]. Returns 1 where a score is above the threshold. Throws Error.
int run_audit(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
