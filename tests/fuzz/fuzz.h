// What the fuzz targets share. Each target is one file NAME_fuzz.cc with its seeds in seeds/NAME, and states what must
// hold for any bytes; a finding is an abort.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace sbox::fuzz {

inline void require(bool condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

// An error may say anything, but on one line and without steering the terminal.
inline void check_error(const Error& error) {
  std::string line = error.line();
  require(escape_control(line) == line, "an error holds control characters");
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The parts of `text` between lines that are "---"; at least `count` of them, the missing ones empty.
inline std::vector<std::string> parts(std::string_view text, size_t count) {
  constexpr std::string_view kSeparator = "---\n";
  std::vector<std::string> parts;
  for (size_t end; (end = text.find(kSeparator)) != std::string_view::npos;) {
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end + kSeparator.size());
  }
  parts.emplace_back(text);
  if (parts.size() < count) parts.resize(count);
  return parts;
}

}  // namespace sbox::fuzz
