// The syntax of a profile file, and nothing of its meaning. inih does the parsing; every line is checked before inih
// sees it, and what inih makes of it must be what stands there: its limits and liberties (long lines, ':' as '=',
// inline comments, text after ']') are errors, never values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sbox {

// What stands behind the '=', or on one indented line that continues it; trimmed, still quoted.
struct IniText {
  std::string text;
  int line = 0;
};

struct IniEntry {
  std::string section, key;
  char sign = '\0';  // '+' or '-' right before the '='
  int line = 0;
  // [0] is the line of the key itself (its text may be empty), the others continue it (theirs is not).
  std::vector<IniText> texts;

  // "key =" alone, or with a sign.
  bool is_empty() const { return texts.size() == 1 && texts[0].text.empty(); }
};

struct IniSection {
  std::string name;
  int line = 0;
};

// In the order of the file. A section stands there once; so does a key within it, unless its first entry is "key =".
// The key with '-' counts by itself.
struct IniFile {
  std::vector<IniSection> sections;
  std::vector<IniEntry> entries;
};

// Error at `file`:LINE for the first oddity. `file` is only for messages.
IniFile parse_ini(const std::string& file, std::string_view content);

}  // namespace sbox
