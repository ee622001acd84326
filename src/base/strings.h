// Small text functions without locale. All take and return UTF-8 unless they say bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sbox {

std::string_view trim(std::string_view text);  // spaces and tabs at both ends

std::vector<std::string> split(std::string_view text, char separator);  // keeps empty parts

// Takes what stands before the first `separator` off the front of `text`, and the separator; all where there is none.
std::string_view take_part(std::string_view& text, char separator);

// What is safe to show on a terminal: C0, DEL, C1, bidirectional controls, line separators and bytes that are not
// UTF-8 become \xNN or \u{NNNN}.
std::string escape_control(std::string_view bytes);
// Whether escape_control leaves `bytes` as they are.
bool is_safe_to_show(std::string_view bytes);

// For a sentence: 'text', with escape_control applied.
std::string quote(std::string_view bytes);

// No overlong forms, surrogates, or code points above U+10FFFF; NUL counts as valid.
bool is_utf8(std::string_view bytes);

// The candidate with the smallest edit distance (transpositions count one), or none when nothing is near: more than a
// third of the word would change.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

// Rows of the same number of cells, in columns two spaces apart; each row ends with a newline. Cells are as they are
// shown already (escape_control).
std::string table(const std::vector<std::vector<std::string>>& rows);

// Whether a host's name is `pattern`, or, where that is "*.x", below x. Both in lower case.
inline bool matches_host(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with("*.")) return pattern == name;
  pattern.remove_prefix(1);
  return name.size() > pattern.size() && name.ends_with(pattern);
}

// Decimal digits only, no sign, no spaces, no overflow.
std::optional<unsigned long long> parse_number(std::string_view text);

}  // namespace sbox
