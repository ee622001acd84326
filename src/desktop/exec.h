// Command lines of desktop entries (key Exec) and D-Bus service files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sbox {

// The words of an Exec value as it is written, quoting undone; field codes (%u, %%) are left as they are. What the
// Desktop Entry Specification allows is read as it says; what it does not (single quotes, quotes within a word, a
// backslash or ; $ & outside of quotes) as GLib reads it: words as a POSIX shell splits them, and nothing is expanded.
// Error for a quotation without an end, a comment, control characters, or no word at all.
std::vector<std::string> parse_exec(std::string_view value);

// The value for these words, quoted as the specification says, so that no reader finds anything to expand or to
// execute: parse_exec(write_exec(words)) is `words`.
std::string write_exec(const std::vector<std::string>& words);

// Error where a % is not a field code of the specification (%% and the deprecated ones among them), or where the
// program is one.
void check_field_codes(const std::vector<std::string>& words);

// The program that a command line is about: its first word, or, after `env NAME=VALUE ...`, the next. Precondition: not
// empty.
const std::string& program_of(const std::vector<std::string>& words);

}  // namespace sbox
