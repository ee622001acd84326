// Paths as /proc/PID/mountinfo has them (proc(5)).
#pragma once

#include <string>
#include <string_view>

namespace sbox {

// Space, tab, newline and backslash are written there as \ooo.
inline std::string unescape_mount_path(std::string_view word) {
  if (word.find('\\') == std::string_view::npos) return std::string(word);
  std::string text;
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\' && i + 3 < word.size()) {
      text += static_cast<char>((word[i + 1] - '0') * 64 + (word[i + 2] - '0') * 8 + (word[i + 3] - '0'));
      i += 3;
    } else {
      text += word[i];
    }
  }
  return text;
}

}  // namespace sbox
