#include "base/strings.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace sbox {
namespace {

// The code point at the front of `bytes` and its length; length 0 when the bytes are not UTF-8.
struct Decoded {
  uint32_t point = 0;
  size_t length = 0;
};

Decoded decode(std::string_view bytes) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || bytes.size() < length) return {};
  uint32_t point = byte(0) & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return {};
  return {point, length};
}

bool is_plain(char c) { return c >= ' ' && c < 0x7f; }

bool is_unsafe_to_show(uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x200b && point <= 0x200f) ||
         (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0x61c ||
         point == 0xfeff || (point >= 0xe0000 && point <= 0xe007f);
}

std::string escaped_byte(char byte) {
  char text[8];
  snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  return text;
}

std::string escaped_point(uint32_t point) {
  char text[16];
  snprintf(text, sizeof text, "\\u{%04x}", static_cast<unsigned>(point));
  return text;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] =
          std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string_view trim(std::string_view text) {
  auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view take_part(std::string_view& text, char separator) {
  std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

std::string escape_control(std::string_view bytes) {
  std::string shown;
  while (!bytes.empty()) {
    Decoded next = decode(bytes);
    if (next.length <= 1 && (next.length == 0 || is_unsafe_to_show(next.point))) {
      shown += escaped_byte(bytes[0]);
    } else if (is_unsafe_to_show(next.point)) {
      shown += escaped_point(next.point);
    } else {
      shown += bytes.substr(0, next.length);
    }
    bytes.remove_prefix(std::max<size_t>(next.length, 1));
  }
  return shown;
}

bool is_safe_to_show(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), is_plain) || escape_control(bytes) == bytes;
}

std::string quote(std::string_view bytes) { return "'" + escape_control(bytes) + "'"; }

bool is_utf8(std::string_view bytes) {
  if (std::all_of(bytes.begin(), bytes.end(), is_plain)) return true;
  while (!bytes.empty()) {
    size_t length = decode(bytes).length;
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestWord = 64;
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> best;
  size_t best_cost = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    size_t difference = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (difference >= best_cost) continue;  // nor can the distance be less
    size_t cost = edit_distance(word, candidate);
    if (cost < best_cost) {
      best_cost = cost;
      best = candidate;
    }
  }
  return best;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  // What takes no column of its own, such as the rest of a character of several bytes.
  auto width = [](const std::string& cell) {
    return static_cast<size_t>(
        std::count_if(cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  };
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width(row[i]) + 2, ' ');
    }
    text += "\n";
  }
  return text;
}

std::optional<unsigned long long> parse_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  unsigned long long number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    unsigned digit = static_cast<unsigned>(c - '0');
    if (number > (std::numeric_limits<unsigned long long>::max() - digit) / 10) return std::nullopt;
    number = number * 10 + digit;
  }
  return number;
}

}  // namespace sbox
