// Programs of the host that the front end calls, for what is not worth a library.
#pragma once

#include <string>
#include <vector>

namespace sbox {

// Runs words[0], an absolute path, with /dev/null as its streams, and waits at most `milliseconds`: then it is killed.
// Whether it ended with status 0. `environment` ends with null.
bool run_tool(const std::vector<std::string>& words, const char* const* environment, long milliseconds);

}  // namespace sbox
