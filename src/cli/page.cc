#include "cli/page.h"

#include "base/strings.h"

namespace sbox {
namespace {

constexpr size_t kWidth = 100, kIndent = 2, kItemIndent = 6;

std::string with_origin(std::string_view text, std::string_view origin) {
  std::string line = escape_control(text);
  if (!origin.empty()) line += " [" + escape_control(origin) + "]";
  return line;
}

}  // namespace

void Page::wrap(std::string_view words, size_t indent) {
  std::string line(indent, ' ');
  bool is_empty = true;
  for (const std::string& word : split(words, ' ')) {
    if (!is_empty && line.size() + 1 + word.size() > kWidth) {
      text_ += line + "\n";
      line.assign(indent, ' ');
      is_empty = true;
    }
    if (!is_empty) line += ' ';
    line += word;
    is_empty = false;
  }
  text_ += line + "\n";
}

void Page::heading(std::string_view text) { text_ += (text_.empty() ? "" : "\n") + escape_control(text) + "\n"; }

void Page::say(std::string_view text, std::string_view origin) { wrap(with_origin(text, origin), kIndent); }

void Page::item(std::string_view text, std::string_view origin) {
  text_ += std::string(kItemIndent, ' ') + with_origin(text, origin) + "\n";
}

void Page::items(const std::vector<std::string>& texts, std::string_view origin) {
  std::string line;
  for (const std::string& each : texts) line += (line.empty() ? "" : " ") + each;
  wrap(with_origin(line, origin), kItemIndent);
}

}  // namespace sbox
