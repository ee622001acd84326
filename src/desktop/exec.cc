#include "desktop/exec.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "desktop/key_file.h"

namespace sbox {
namespace {

constexpr std::string_view kReserved = " \t\n\r\"'\\><~|&;$*?#()`";
constexpr std::string_view kEscapedInQuotes = "\"`$\\";
constexpr std::string_view kFieldCodes = "fFuUdDnNickvm%";

Error refuse(const char* why) { return Error("Exec", why).hint("the desktop entry is not valid"); }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// Adds what the quotation at the front of `text` stands for to `word`, and takes it off `text`.
void take_quotation(std::string_view& text, std::string& word) {
  char quote = text[0];
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) return text.remove_prefix(i + 1);
    bool escaped = quote == '"' && text[i] == '\\' && i + 1 < text.size() &&
                   kEscapedInQuotes.find(text[i + 1]) != std::string_view::npos;
    word += text[escaped ? ++i : i];
  }
  throw refuse("a quotation does not end");
}

std::string take_word(std::string_view& text) {
  if (text[0] == '#') throw refuse("holds a comment");
  std::string word;
  while (!text.empty() && !is_blank(text[0])) {
    if (text[0] == '"' || text[0] == '\'') {
      take_quotation(text, word);
      continue;
    }
    if (text[0] == '\\') text.remove_prefix(1);
    if (text.empty()) throw refuse("ends with a backslash");
    word += text[0];
    text.remove_prefix(1);
  }
  return word;
}

std::string quoted(const std::string& word) {
  if (!word.empty() && word.find_first_of(kReserved) == std::string::npos) return word;
  std::string text = "\"";
  for (char c : word) {
    if (kEscapedInQuotes.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text + "\"";
}

bool is_assignment(const std::string& word) { return word[0] != '-' && word.find('=', 1) != std::string::npos; }

}  // namespace

std::vector<std::string> parse_exec(std::string_view value) {
  // Tabs and newlines have escapes; what else is written as it is could mean an end of line to some reader.
  bool has_control =
      std::any_of(value.begin(), value.end(), [](unsigned char c) { return (c < ' ' && c != '\t') || c == '\x7f'; });
  if (has_control) throw refuse("holds control characters");
  std::string line = unescape_value(value);
  std::string_view text = line;
  std::vector<std::string> words;
  for (;;) {
    while (!text.empty() && is_blank(text[0])) text.remove_prefix(1);
    if (text.empty()) break;
    words.push_back(take_word(text));
  }
  if (words.empty() || words[0].empty()) throw refuse("names no program");
  return words;
}

std::string write_exec(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + quoted(word);
  return escape_value(text);
}

void check_field_codes(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    for (size_t at = 0; (at = word.find('%', at)) != std::string::npos; at += 2) {
      bool known = at + 1 < word.size() && kFieldCodes.find(word[at + 1]) != std::string_view::npos;
      if (!known) throw refuse("holds an unknown field code");
      if (&word == &words[0] && word[at + 1] != '%') throw refuse("the program is a field code");
    }
  }
}

const std::string& program_of(const std::vector<std::string>& words) {
  bool is_env = words[0] == "env" || words[0].ends_with("/env");
  if (!is_env) return words[0];
  auto after = std::find_if_not(words.begin() + 1, words.end(),
                                [](const std::string& word) { return !word.empty() && is_assignment(word); });
  return after == words.end() || after->empty() || after->starts_with('-') ? words[0] : *after;
}

}  // namespace sbox
