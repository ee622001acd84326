// `sbox explain`: in plain words what a program can touch under a profile, and for one thing whether it may have it, by
// which line, and what line would change it. The texts are for people; everything from files or the host is escaped.
#pragma once

#include <string>
#include <vector>

#include "cli/answer.h"
#include "cli/page.h"
#include "plan/host.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "profile/reader.h"

namespace sbox {

// Pure.
Page explain_page(const Profile& profile, const Plan& plan);

// One object; ends with a newline. `missing`: why a start would be refused, or "".
std::string page_json(const std::string& profile, const Page& page, const std::string& missing);

// The answer for one `path` of the host: absolute, or relative to the current directory; it need not exist. Error for a
// path that cannot be made absolute.
Answer explain_path(const Profile& profile, const Plan& plan, const std::string& path, const Host& host);

// The plan that the profile gives on this host, for the first of its programs that is installed, else for /bin/true.
// What the host lacks is left out; `missing` then says why a start would be refused, else it is empty.
Plan plan_to_explain(const SearchPath& search, const std::string& name, const std::string& prefix, const Host& host,
                     std::string& missing);

// The subcommand: `arguments` is [--json] PROFILE [THING]. Prints to standard output and returns the exit status.
// Throws Error.
int run_explain(const SearchPath& search, const Host& host, const std::string& prefix,
                const std::vector<std::string>& arguments);

}  // namespace sbox
