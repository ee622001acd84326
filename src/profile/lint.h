// What is wrong or doubtful in a profile that can be read. Pure: no host, no files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "profile/profile.h"

namespace sbox {

struct Finding {
  enum class Severity { warning, error } severity = Severity::warning;
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

// Whether who may talk to this name of a bus gets more than a sandbox should have. `name` may end in ".*".
bool is_dangerous_bus_name(std::string_view name);

// Why it is dangerous that a profile shows this path, or lets it be written; "" where it is not. As written, with
// macros.
std::string_view danger_of_path(std::string_view path, bool writable);

// The paths whose showing is dangerous, as a profile names them.
std::vector<std::string_view> dangerous_to_show();

Finding finding_of(const Error& error);

// "FILE:LINE: warning: TEXT (HINT)" without a newline, control characters escaped.
std::string finding_line(const Finding& finding);

}  // namespace sbox
