// The difference of two files as text, by diff(1). For reading, not for patch(1): control characters are escaped.
#pragma once

#include <string>

namespace sbox {

// `before` and `after` are descriptors for reading, -1 for a file that is not there. `label`: what the file is called.
// Without a difference, and for files that hold no text, a line or none. With `colour`, as on a terminal.
// Error when diff(1) cannot be run.
std::string text_diff(int before, int after, const std::string& label, bool colour);

}  // namespace sbox
