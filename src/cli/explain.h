// `sbox explain`: in plain words what a program can touch under a profile, and for one path whether it is there, by
// which line, and what line would change it. The texts are for people; everything from files or the host is escaped.
#pragma once

#include <string>
#include <vector>

#include "plan/host.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "profile/reader.h"

namespace sbox {

// Pure. Ends with a newline.
std::string explain_page(const Profile& profile, const Plan& plan);

// The answer for one `path` of the host: absolute, or relative to the current directory; it need not exist. Ends with a
// newline. Error for a path that cannot be made absolute.
std::string explain_path(const Profile& profile, const Plan& plan, const std::string& path, const Host& host);

// The plan that the profile gives on this host, for the first of its programs that is installed, else for /bin/true.
// What the host lacks is left out; `missing` then says why a start would be refused, else it is empty.
Plan plan_to_explain(const SearchPath& search, const std::string& name, const std::string& prefix, const Host& host,
                     std::string& missing);

// The subcommand: `arguments` is PROFILE [PATH]. Prints to standard output and returns the exit status. Throws Error.
int run_explain(const SearchPath& search, const Host& host, const std::string& prefix,
                const std::vector<std::string>& arguments);

}  // namespace sbox
