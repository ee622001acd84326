#include "log/words.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "profile/values.h"

namespace sbox {

std::array<std::string, 4> words_of(const Note& note) {
  std::array<std::string, 4> words;
  std::string_view rest(note.words.data(), note.words.size());
  for (std::string& word : words) {
    word = std::string(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return words;
}

std::string line_with(Key key, const std::string& text) {
  const Setting& row = setting(key);
  try {
    check_value(row, {text, {"log", 0}});
  } catch (const Error&) {
    return "";
  }
  return "[" + std::string(row.section) + "] " + std::string(row.name) + " = " + text;
}

}  // namespace sbox
