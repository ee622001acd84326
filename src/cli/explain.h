// `sbox explain`: in plain words what a program can touch under a profile, and for one thing whether it may have it, by
// which line, and what line would change it. The texts are for people; everything from files or the host is escaped.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/page.h"
#include "plan/plan.h"
#include "profile/profile.h"

namespace sbox {

// Pure.
Page explain_page(const Profile& profile, const Plan& plan);

// One object; ends with a newline. `missing`: why a start would be refused, or "".
std::string page_json(const std::string& profile, const Page& page, const std::string& missing);

// The plan that the profile gives on this host, for the first of its programs that is installed, else for /bin/true.
// Throws Error.
Plan plan_for_some_program(const Context& context, const Profile& profile);
// The same; what the host lacks is left out; `missing` then says why a start would be refused, else it is empty.
Plan plan_to_explain(const Context& context, const std::string& name, std::string& missing);

// The subcommand: `arguments` is [--json] PROFILE [THING]. Prints to standard output and returns the exit status.
// Throws Error.
int run_explain(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
