#include "desktop/key_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace sbox {
namespace {

struct Escape {
  char letter, meaning;
};

constexpr Escape kEscapes[] = {{'s', ' '}, {'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'\\', '\\'}};

bool is_printable(char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; }

bool is_key(std::string_view key) {
  return !key.empty() && key[0] != '[' && std::all_of(key.begin(), key.end(), is_printable);
}

// The name in a line [NAME]; "" when it is no such line.
std::string group_name(std::string_view line) {
  line = trim(line);
  if (line.size() < 3 || line.front() != '[' || line.back() != ']') return "";
  std::string_view name = line.substr(1, line.size() - 2);
  bool ok = std::all_of(name.begin(), name.end(), [](char c) { return c == ' ' || (is_printable(c) && c != '['); });
  return ok ? std::string(name) : "";
}

}  // namespace

std::string KeyFile::value(std::string_view key) const {
  auto found = std::find_if(lines.rbegin(), lines.rend(),
                            [&](const KeyLine& line) { return line.group == main_group && line.key == key; });
  return found == lines.rend() ? "" : unescape_value(found->value);
}

std::string KeyFile::text() const {
  std::string text;
  for (const KeyLine& line : lines) text += (line.key.empty() ? "" : line.key + "=") + line.value + "\n";
  return text;
}

KeyFile parse_key_file(std::string_view text, std::string_view main_group, const std::string& path) {
  KeyFile file{std::string(main_group), {}};
  std::string group;
  int number = 0;
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const std::string& line : split(text, '\n')) {
    ++number;
    auto refuse = [&](const char* why) { return Error("desktop entry", why).at({path, number}); };
    if (line.find('\0') != std::string::npos) throw refuse("holds a NUL");
    if (trim(line).empty() || line[0] == '#') {
      file.lines.push_back({group, "", line});
      continue;
    }
    if (line[0] == '[') {
      bool is_first = group.empty();
      group = group_name(line);
      if (group.empty()) throw refuse("the name of a group is not one");
      if (is_first && group != main_group) throw refuse("another group comes first");
      file.lines.push_back({group, "", "[" + group + "]"});
      continue;
    }
    size_t equals = line.find('=');
    std::string_view key = std::string_view(line).substr(0, std::min(equals, line.size()));
    while (key.ends_with(' ')) key.remove_suffix(1);
    if (equals == std::string::npos || !is_key(key)) throw refuse("is neither a key with a value nor a comment");
    if (group.empty()) throw refuse("a key stands before the first group");
    file.lines.push_back({group, std::string(key), std::string(trim(std::string_view(line).substr(equals + 1)))});
  }
  if (group.empty()) throw Error("desktop entry", "holds no group").at({path, 0});
  return file;
}

std::string unescape_value(std::string_view value) {
  std::string text;
  for (size_t i = 0; i < value.size(); ++i) {
    const Escape* end = std::end(kEscapes);
    const Escape* known = end;
    if (value[i] == '\\' && i + 1 < value.size()) {
      known = std::find_if(std::begin(kEscapes), end, [&](const Escape& one) { return one.letter == value[i + 1]; });
    }
    text += known == end ? value[i] : known->meaning;
    if (known != end) ++i;
  }
  return text;
}

std::string escape_value(std::string_view text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    const Escape* end = std::end(kEscapes);
    const Escape* known =
        std::find_if(std::begin(kEscapes), end, [&](const Escape& one) { return one.meaning == text[i]; });
    // A space needs it only where it would be trimmed.
    bool plain = known == end || (text[i] == ' ' && i > 0 && i + 1 < text.size());
    value += plain ? std::string(1, text[i]) : std::string("\\") + known->letter;
  }
  return value;
}

}  // namespace sbox
