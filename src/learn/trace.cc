#include "learn/trace.h"

#include <algorithm>

#include "base/strings.h"

namespace sbox::learn {
namespace {

constexpr std::string_view kUnfinished = "<unfinished ...>", kResumed = " resumed>";
constexpr size_t kMostPending = 4096;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_name(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_'; }

int hexadecimal(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Reads one character of a C string at `at`, which goes behind it.
char unescape(std::string_view text, size_t& at) {
  char first = text[at++];
  if (first != '\\' || at >= text.size()) return first;
  char letter = text[at++];
  constexpr std::string_view kLetters = "ntrvf", kMeanings = "\n\t\r\v\f";
  if (size_t found = kLetters.find(letter); found != std::string_view::npos) return kMeanings[found];
  if (letter == 'x' && at + 1 < text.size() && hexadecimal(text[at]) >= 0 && hexadecimal(text[at + 1]) >= 0) {
    at += 2;
    return static_cast<char>(hexadecimal(text[at - 2]) * 16 + hexadecimal(text[at - 1]));
  }
  if (!is_octal(letter)) return letter;
  int value = letter - '0';
  for (int digits = 1; digits < 3 && at < text.size() && is_octal(text[at]); ++digits)
    value = value * 8 + text[at++] - '0';
  return static_cast<char>(value);
}

std::string unescaped(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size();) bytes += unescape(text, at);
  return bytes;
}

// Behind the string that begins at `at` with a quote.
size_t end_of_string(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

// Whether '<' at `at` begins what strace says of a descriptor: it has no other '>' in it.
bool begins_annotation(std::string_view text, size_t at) {
  bool follows = at > 0 && (is_digit(text[at - 1]) || text[at - 1] == 'D');
  return follows && at + 1 < text.size() && text[at + 1] != '<' && text.find('>', at) != std::string_view::npos;
}

// Takes the arguments up to the closing bracket; `text` is then what follows it. False where there is none.
bool take_arguments(std::string_view& text, std::vector<std::string>& arguments) {
  size_t begin = 0;
  int depth = 0;
  auto add = [&](size_t end) {
    std::string_view argument = trim(text.substr(begin, end - begin));
    if (!argument.empty() || !arguments.empty()) arguments.emplace_back(argument);
    begin = end + 1;
  };
  for (size_t at = 0; at < text.size();) {
    char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;
    }
    if (c == '<' && begins_annotation(text, at)) {
      at = text.find('>', at);
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' && depth == 0) {
      add(at);
      text.remove_prefix(at + 1);
      return true;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      add(at);
    }
    ++at;
  }
  return false;
}

// "= 3</etc/passwd>", "= -1 ENOENT (No such file or directory)", "= ?"
bool read_result(std::string_view text, Call& call) {
  text = trim(text);
  if (!text.starts_with("= ")) return false;
  text.remove_prefix(2);
  if (text.starts_with('?')) return false;
  if (text.starts_with("-1 ")) {
    call.result = "-1";
    text.remove_prefix(3);
    call.error = take_part(text, ' ');
    return !call.error.empty();
  }
  call.result = text;
  return true;
}

// "NAME(ARGUMENTS) = RESULT"
bool read_call(std::string_view text, Call& call) {
  size_t end = 0;
  while (end < text.size() && is_name(text[end])) ++end;
  if (end == 0 || end == text.size() || text[end] != '(') return false;
  call.name = text.substr(0, end);
  text.remove_prefix(end + 1);
  return take_arguments(text, call.arguments) && read_result(text, call);
}

// "123<name> "; in a name, '>' is escaped.
bool take_process(std::string_view& text, Call& call) {
  size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  auto number = parse_number(text.substr(0, end));
  if (!number || *number > UINT32_MAX) return false;
  call.process = static_cast<uint32_t>(*number);
  text.remove_prefix(end);
  if (text.starts_with('<')) {
    size_t close = text.find('>');
    if (close == std::string_view::npos) return false;
    call.by = unescaped(text.substr(1, close - 1));
    text.remove_prefix(close + 1);
  }
  if (!text.starts_with(' ')) return false;
  text = trim(text);
  return true;
}

}  // namespace

std::optional<Call> LineReader::read(std::string_view line) {
  Call call;
  if (line.size() > kLongestLine || !take_process(line, call)) return std::nullopt;
  if (line.ends_with(kUnfinished)) {
    line.remove_suffix(kUnfinished.size());
    if (pending_.size() < kMostPending) pending_[call.process] = std::string(line);
    return std::nullopt;
  }
  std::string whole;
  if (line.starts_with("<... ")) {
    auto begun = pending_.extract(call.process);
    size_t end = line.find(kResumed);
    if (begun.empty() || end == std::string_view::npos) return std::nullopt;
    line.remove_prefix(end + kResumed.size());
    whole = begun.mapped() + std::string(line);
    line = whole;
  }
  if (!read_call(line, call)) return std::nullopt;
  return call;
}

std::optional<std::string> string_of(std::string_view argument) {
  if (!argument.starts_with('"')) return std::nullopt;
  size_t end = end_of_string(argument, 0);
  if (end < 2 || argument[end - 1] != '"') return std::nullopt;
  return unescaped(argument.substr(1, end - 2));
}

std::string annotation_of(std::string_view argument) {
  size_t begin = argument.find('<');
  size_t end = argument.find('>', begin == std::string_view::npos ? 0 : begin);
  if (begin == std::string_view::npos || end == std::string_view::npos) return "";
  return unescaped(argument.substr(begin + 1, end - begin - 1));
}

std::vector<std::string> fields_of(std::string_view argument, std::string_view name) {
  std::vector<std::string> found;
  std::string sign = std::string(name) + "=";
  for (size_t at = 0; at < argument.size();) {
    if (argument[at] == '"') {
      at = end_of_string(argument, at);
      continue;
    }
    if (!argument.substr(at).starts_with(sign)) {
      ++at;
      continue;
    }
    at += sign.size();
    bool is_abstract = at < argument.size() && argument[at] == '@';
    if (is_abstract) ++at;
    if (std::optional<std::string> text = string_of(argument.substr(at)))
      found.push_back((is_abstract ? "@" : "") + *text);
  }
  return found;
}

std::string inner_of(std::string_view argument, std::string_view word) {
  std::string sign = std::string(word) + "(";
  size_t begin = argument.find(sign);
  if (begin == std::string_view::npos) return "";
  begin += sign.size();
  std::string_view inner = argument.substr(begin, argument.find(')', begin) - begin);
  return inner.starts_with('"') ? string_of(inner).value_or("") : std::string(inner);
}

}  // namespace sbox::learn
