// Questions on the terminal, whose answer is the first letter of a line.
#pragma once

#include <string>

namespace sbox {

// Of the line that is read; '\n' for an empty one, EOF for none. The question goes to standard error, as it is.
int ask(const std::string& question);

// What an empty line means too.
bool is_yes(int answer);

}  // namespace sbox
