// Text for people, in sections with indented paragraphs. Everything added is escaped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sbox {

class Page {
 public:
  void heading(std::string_view text);
  // One sentence or more, wrapped; `origin` (may be empty) follows in brackets.
  void say(std::string_view text, std::string_view origin = {});
  // An item below the last sentence, never broken.
  void item(std::string_view text, std::string_view origin = {});
  // Items one after the other, wrapped; `origin` follows.
  void items(const std::vector<std::string>& texts, std::string_view origin = {});

  const std::string& text() const { return text_; }

 private:
  void wrap(std::string_view words, size_t indent);

  std::string text_;
};

}  // namespace sbox
