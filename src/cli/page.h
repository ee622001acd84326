// Text for people, in sections with indented paragraphs. Everything shown is escaped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sbox {

class Page {
 public:
  enum class Form {
    heading,
    paragraph,  // wrapped
    item,       // below a paragraph, never broken
    items,      // below a paragraph, one after the other, wrapped
  };
  struct Entry {
    Form form;
    std::vector<std::string> texts;
    std::string origin;  // follows in brackets; "" for none
  };

  void heading(std::string_view text) { add(Form::heading, {std::string(text)}, {}); }
  // One sentence or more.
  void say(std::string_view text, std::string_view origin = {}) { add(Form::paragraph, {std::string(text)}, origin); }
  void item(std::string_view text, std::string_view origin = {}) { add(Form::item, {std::string(text)}, origin); }
  void items(const std::vector<std::string>& texts, std::string_view origin = {}) { add(Form::items, texts, origin); }

  std::string text() const;
  // Not escaped.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  void add(Form form, std::vector<std::string> texts, std::string_view origin) {
    entries_.push_back({form, std::move(texts), std::string(origin)});
  }

  std::vector<Entry> entries_;
};

}  // namespace sbox
