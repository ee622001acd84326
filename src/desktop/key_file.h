// Desktop entries and D-Bus service files: groups of KEY=VALUE lines, kept in their order with the comments between
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sbox {

inline constexpr std::string_view kEntryGroup = "Desktop Entry", kServiceGroup = "D-BUS Service";

struct KeyLine {
  std::string group;  // that it is in
  std::string key;    // "" for a line that is no KEY=VALUE: a comment, a blank line, the head of a group
  std::string value;  // as written, escapes and all; of other lines the whole line
};

struct KeyFile {
  std::string main_group;
  std::vector<KeyLine> lines;

  // The value in the main group, escapes undone; "" where there is none. Of several the last counts, as for most
  // readers.
  std::string value(std::string_view key) const;
  std::string text() const;
};

// Error at `path` and line where `main_group` is not the first, and for every line that programs could read in
// different ways: a key with spaces or control characters before or in it, a line that is nothing, a NUL.
KeyFile parse_key_file(std::string_view text, std::string_view main_group, const std::string& path);

// The escapes of values: \s \n \t \r \\; any other backslash stands for itself.
std::string unescape_value(std::string_view value);
std::string escape_value(std::string_view text);

}  // namespace sbox
