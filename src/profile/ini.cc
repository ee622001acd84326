#include "profile/ini.h"

#include <ini.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "base/error.h"
#include "base/strings.h"

namespace sbox {
namespace {

enum class LineKind { empty, section, entry, continuation };

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// inih calls back twice: for the next line of the text, and for each value that it found. Both sides meet here, so that
// a value is known to be that of the line handed out last. No exception may cross inih: the first is kept.
class Parser {
 public:
  Parser(const std::string& file, std::string_view content) : file_(file), rest_(content) {}

  IniFile parse();

 private:
  static char* read_line(char* buffer, int size, void* self);
  static int take_value(void* self, const char* section, const char* name, const char* value);

  bool next_line(char* buffer, size_t size);
  void check_bytes(std::string_view line) const;
  void scan(std::string_view line);
  void scan_section(std::string_view line);
  void scan_entry(std::string_view line);
  void scan_continuation(std::string_view line);
  void finish_line();
  void take(std::string_view section, std::string_view name, std::string_view value);
  void add_entry();
  Error error(std::string what, std::string why) const { return Error(std::move(what), std::move(why)).at(here()); }
  Origin here() const { return {file_, number_}; }

  const std::string& file_;
  std::string_view rest_;
  IniFile result_;
  std::exception_ptr failure_;

  int number_ = 0;  // of the line handed out last
  LineKind kind_ = LineKind::empty;
  bool taken_ = false;                       // inih reported a value for this line
  bool may_continue_ = false;                // an indented line would belong to the entry above
  std::string section_, name_, key_, text_;  // the name is the key and its sign
  char sign_ = '\0';
};

IniFile Parser::parse() {
  if (rest_.starts_with("\xef\xbb\xbf")) {
    number_ = 1;
    throw error("profile", "starts with a byte order mark").hint("save it as UTF-8 without BOM");
  }
  int bad_line = ini_parse_stream(read_line, this, take_value, this);
  if (failure_) std::rethrow_exception(failure_);
  if (bad_line != 0) throw Error("profile", "the line cannot be parsed").at({file_, std::max(bad_line, 0)});
  return std::move(result_);
}

char* Parser::read_line(char* buffer, int size, void* self) {
  Parser& parser = *static_cast<Parser*>(self);
  if (parser.failure_) return nullptr;
  try {
    return parser.next_line(buffer, static_cast<size_t>(size)) ? buffer : nullptr;
  } catch (...) {
    parser.failure_ = std::current_exception();
    return nullptr;
  }
}

int Parser::take_value(void* self, const char* section, const char* name, const char* value) {
  Parser& parser = *static_cast<Parser*>(self);
  if (parser.failure_) return 0;
  try {
    parser.take(section, name, value ? value : "");
    return 1;
  } catch (...) {
    parser.failure_ = std::current_exception();
    return 0;
  }
}

bool Parser::next_line(char* buffer, size_t size) {
  finish_line();
  if (rest_.empty()) return false;
  ++number_;
  size_t end = rest_.find('\n');
  if (end == std::string_view::npos) {
    throw error("profile", "the last line does not end with a newline: the file may be cut off").hint("add one");
  }
  std::string_view line = rest_.substr(0, end);
  check_bytes(line);
  // With its newline and a NUL, the line must fit: inih would take the rest for a line of its own.
  if (line.size() + 2 > size) {
    throw error("line", "is longer than " + std::to_string(size - 2) + " bytes")
        .hint("continue a list on indented lines, one item each");
  }
  scan(line);
  memcpy(buffer, rest_.data(), end + 1);
  buffer[end + 1] = '\0';
  rest_.remove_prefix(end + 1);
  return true;
}

void Parser::check_bytes(std::string_view line) const {
  auto is_plain = [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t'; };
  if (std::all_of(line.begin(), line.end(), is_plain)) return;
  if (line.find('\r') != std::string_view::npos) {
    throw error("line", "holds a carriage return").hint("end lines with a newline only, as `sed -i 's/\\r$//'` does");
  }
  if (line.find('\0') != std::string_view::npos) throw error("line", "holds a NUL byte").hint("is this a text file?");
  if (!is_utf8(line)) throw error("line", "is not UTF-8").hint("save the file as UTF-8");
  std::string shown(line);
  std::erase(shown, '\t');
  if (!is_safe_to_show(shown)) {
    throw error("line", "holds a control or invisible character").hint("take it out: " + escape_control(trim(shown)));
  }
}

void Parser::scan(std::string_view line) {
  taken_ = false;
  text_.clear();
  if (trim(line).empty()) {
    kind_ = LineKind::empty;
    may_continue_ = false;
    return;
  }
  if (line[0] == '#' || line[0] == ';') {
    kind_ = LineKind::empty;
    return;
  }
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i] == ';' && is_blank(line[i - 1])) {
      throw error("line", "holds a ';' after a space").hint("a comment stands on a line of its own");
    }
  }
  if (is_blank(line[0])) return scan_continuation(line);
  if (line[0] == '[') return scan_section(line);
  scan_entry(line);
}

void Parser::scan_section(std::string_view line) {
  kind_ = LineKind::section;
  may_continue_ = false;
  line = trim(line);
  if (line.find(']') != line.size() - 1) throw error(std::string(line), "is not a section").hint("write it as [name]");
  std::string name(line.substr(1, line.size() - 2));
  if (trim(name).empty()) throw error("[]", "the section has no name");
  if (trim(name) != name) throw error(std::string(line), "has spaces around the name").hint("write it as [name]");
  auto same = [&](const IniSection& other) { return other.name == name; };
  auto earlier = std::find_if(result_.sections.begin(), result_.sections.end(), same);
  if (earlier != result_.sections.end()) {
    throw error("[" + name + "]", "the section is there already, in line " + std::to_string(earlier->line))
        .hint("put all its keys into one section");
  }
  section_ = name;
  result_.sections.push_back({std::move(name), number_});
}

void Parser::scan_entry(std::string_view line) {
  kind_ = LineKind::entry;
  may_continue_ = true;
  size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    throw error(std::string(trim(line)), "is neither `key = value` nor a section nor a comment")
        .hint("indent a line that continues a list");
  }
  name_ = key_ = trim(line.substr(0, equals));
  text_ = trim(line.substr(equals + 1));
  sign_ = equals > 0 && (line[equals - 1] == '+' || line[equals - 1] == '-') ? line[equals - 1] : '\0';
  if (sign_ != '\0') key_ = trim(line.substr(0, equals - 1));
  if (key_.empty()) throw error(std::string(trim(line)), "there is no key before the '='");
  if (key_.find(':') != std::string::npos) {
    throw error(key_, "a key holds no ':'").hint("write it as key = value");
  }
  if (section_.empty()) throw error(key_, "stands outside of any section").hint("write a [section] above it");
}

void Parser::scan_continuation(std::string_view line) {
  kind_ = LineKind::continuation;
  text_ = trim(line);
  if (text_[0] == '#') throw error("line", "an indented line is not a comment").hint("begin it with the '#'");
  if (!may_continue_) {
    throw error(text_, "the indented line continues nothing")
        .hint("begin a key at the start of its line; leave no empty line within a list");
  }
}

void Parser::finish_line() {
  bool expected = kind_ == LineKind::entry || kind_ == LineKind::continuation;
  if (expected && !taken_) throw error("line", "inih finds no value in it");
}

void Parser::take(std::string_view section, std::string_view name, std::string_view value) {
  bool expected = kind_ == LineKind::entry || kind_ == LineKind::continuation;
  if (!expected || taken_ || section != section_ || name != name_ || value != text_) {
    throw error("line", "inih reads it as '" + std::string(name) + " = " + std::string(value) + "' in [" +
                            std::string(section) + "]");
  }
  taken_ = true;
  if (kind_ == LineKind::entry)
    add_entry();
  else
    result_.entries.back().texts.push_back({text_, number_});
}

void Parser::add_entry() {
  int earlier = 0;
  for (const IniEntry& entry : result_.entries) {
    if (entry.section != section_ || entry.key != key_ || (entry.sign == '-') != (sign_ == '-')) continue;
    if (earlier > 0 || !entry.is_empty() || entry.sign != '\0') {
      throw error(name_, "the key is there already, in line " + std::to_string(entry.line))
          .hint("give all its values at once; only `" + key_ + " =` alone may come before");
    }
    earlier = entry.line;
  }
  result_.entries.push_back({section_, key_, sign_, number_, {{text_, number_}}});
}

}  // namespace

IniFile parse_ini(const std::string& file, std::string_view content) { return Parser(file, content).parse(); }

}  // namespace sbox
