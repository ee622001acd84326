#include "cli/page.h"

#include "base/strings.h"

namespace sbox {
namespace {

constexpr size_t kWidth = 100, kIndent = 2, kItemIndent = 6;

std::string line_of(const Page::Entry& entry) {
  std::string line;
  for (const std::string& each : entry.texts) line += (line.empty() ? "" : " ") + escape_control(each);
  if (!entry.origin.empty()) line += " [" + escape_control(entry.origin) + "]";
  return line;
}

std::string wrapped(std::string_view words, size_t indent) {
  std::string text, line(indent, ' ');
  bool is_empty = true;
  for (const std::string& word : split(words, ' ')) {
    if (!is_empty && line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line.assign(indent, ' ');
      is_empty = true;
    }
    if (!is_empty) line += ' ';
    line += word;
    is_empty = false;
  }
  return text + line + "\n";
}

}  // namespace

std::string Page::text() const {
  std::string text;
  for (const Entry& entry : entries_) {
    switch (entry.form) {
      case Form::heading:
        text += (text.empty() ? "" : "\n") + line_of(entry) + "\n";
        break;
      case Form::paragraph:
        text += wrapped(line_of(entry), kIndent);
        break;
      case Form::item:
        text += std::string(kItemIndent, ' ') + line_of(entry) + "\n";
        break;
      case Form::items:
        text += wrapped(line_of(entry), kItemIndent);
        break;
    }
  }
  return text;
}

}  // namespace sbox
