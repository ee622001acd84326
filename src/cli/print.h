// Standard output of the commands. Half of what was printed must not pass for all of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace sbox {

// Error where it cannot be written.
void print(std::string_view text);

// ASCII alone; ends with a newline. What is not UTF-8 becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& value);

// Writes what print() and stdio still hold; before the program ends.
void finish_printing();

}  // namespace sbox
