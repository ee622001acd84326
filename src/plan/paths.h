// Paths as text. Nothing here looks at a file system. A normalised path is absolute, without ".", "..", empty
// components or a slash at its end ("/" excepted).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sbox {

// Nothing where `path` is not absolute, has a component "..", or holds a NUL.
std::optional<std::string> normalise(std::string_view path);

// Takes the first component off the front of `path`, whatever slashes and "." surround it; "" when there is none left.
std::string_view take_component(std::string_view& path);

// The functions below take normalised paths.
std::string parent_of(const std::string& path);  // of "/": "/"
std::string base_name(const std::string& path);
std::string join(const std::string& directory, std::string_view rest);  // an empty rest gives the directory

inline bool is_below(std::string_view path, std::string_view directory) {  // strictly
  if (directory == "/") return path != "/";
  return path.size() > directory.size() && path[directory.size()] == '/' && path.starts_with(directory);
}
inline bool is_at_or_below(std::string_view path, std::string_view directory) {
  return path == directory || is_below(path, directory);
}
// What is left of `path` after `directory`, without a slash in front. Precondition: is_at_or_below.
std::string rest_below(const std::string& path, const std::string& directory);
// `path` moved from below `from` to below `to`. Precondition: is_at_or_below(path, from).
std::string rebase(const std::string& path, const std::string& from, const std::string& to);

// C0 controls and DEL: never in a path or value that sbox takes over from the host.
bool has_control(std::string_view text);

// Orders parents before children, and all that is below a path right after it.
struct PathOrder {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};

}  // namespace sbox
