// What is wrong or doubtful in a profile that can be read. Pure: no host, no files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "profile/profile.h"

namespace sbox {

struct Finding {
  enum class Severity { warning, danger, error } severity = Severity::warning;  // danger: told as a warning
  Origin where;
  std::string text;
  std::string hint;  // "" where there is none

  bool operator==(const Finding&) const = default;
};

enum class LintScope {
  whole,     // a profile
  fragment,  // a block or a drop-in: what it lacks or what does nothing in it, another file may bring
};

// Warnings only, in the order of the settings table.
std::vector<Finding> lint_profile(const Profile& profile, LintScope scope = LintScope::whole);

Finding finding_of(const Error& error);

// "FILE:LINE: warning: TEXT (HINT)" without a newline, control characters escaped.
std::string finding_line(const Finding& finding);

}  // namespace sbox
