// Standard output of the commands. Half of what was printed must not pass for all of it.
#pragma once

#include <string_view>

namespace sbox {

// Error where it cannot be written.
void print(std::string_view text);

// Writes what print() and stdio still hold; before the program ends.
void finish_printing();

}  // namespace sbox
