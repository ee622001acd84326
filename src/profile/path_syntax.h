// How a path in a profile is written. Pure; nothing is looked up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sbox {

struct PathFault {
  std::string why, hint;
};

// Nothing when `text` begins with /, ~ or a directory macro, holds only known macros, is normalised (no empty, "." or
// ".." component, no slash at the end) and has no pattern characters. Precondition: UTF-8 without control characters.
std::optional<PathFault> path_fault(std::string_view text);

// "~" for ${HOME}.
std::string one_spelling(std::string_view path);

// Whether `path` is `directory` or below it, both in one spelling. The user directories are taken to be in the home.
bool is_written_below(std::string_view path, std::string_view directory);

}  // namespace sbox
