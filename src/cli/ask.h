// Questions on the terminal. What was typed before one is no answer to it: a program that has just ended may have made
// the terminal say it (base/typed.h).
#pragma once

#include <optional>
#include <string>

namespace sbox {

// The line that is typed; nothing at the end of the input. The question goes to standard error, as it is.
std::optional<std::string> ask_for_line(const std::string& question);

// The first letter of a word; '\n' for an empty line, EOF for the end of the input, '?' for what is no word.
int ask(const std::string& question);

// What an empty line means too.
bool is_yes(int answer);

}  // namespace sbox
