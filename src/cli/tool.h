// Programs of the host that the front end calls, for what is not worth a library.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sbox {

// Runs words[0], an absolute path, with /dev/null as its streams, and waits at most `milliseconds`: then it is killed.
// Whether it ended with status 0. `environment` ends with null.
bool run_tool(const std::vector<std::string>& words, const char* const* environment, long milliseconds);

// The same for one that waits for the user, having said something within `first` milliseconds: what it wrote to its
// standard output, at most 4 KiB. One that takes too long gets SIGINT, and a second to end. Nothing where it did not
// end by itself with status 0.
std::optional<std::string> ask_tool(const std::vector<std::string>& words, const char* const* environment, long first,
                                    long milliseconds);

}  // namespace sbox
