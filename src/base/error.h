// The one exception of the front end (everything before the launcher). It carries what failed, why, where, and what to
// do; main() prints it as a single line and exits with its status. Code in src/launcher throws nothing.
#pragma once

#include <exception>
#include <string>

namespace sbox {

// Where a value was written. `file` is a path, or a word for what is not a file: "default", "command line", or "sbox"
// for what every sandbox has.
// `line` is 0 where there is none.
struct Origin {
  std::string file = "default";
  int line = 0;

  bool operator==(const Origin&) const = default;
  // "FILE:LINE", or "FILE" where there is no line. Not escaped.
  std::string text() const { return line > 0 ? file + ":" + std::to_string(line) : file; }
};

// Exit statuses of sbox itself; everything else is the program's own.
inline constexpr int kExitFailure = 125;
inline constexpr int kExitNotExecutable = 126;
inline constexpr int kExitNotFound = 127;

class Error : public std::exception {
 public:
  // what: the thing that failed ("profile", "read-only = /x"). why: the reason, no capital, no full stop.
  Error(std::string what, std::string why) : what_(std::move(what)), why_(std::move(why)) {}

  Error&& at(Origin where) && {
    where_ = std::move(where);
    return std::move(*this);
  }
  // What the user can do about it: an imperative clause.
  Error&& hint(std::string hint) && {
    hint_ = std::move(hint);
    return std::move(*this);
  }
  Error&& status(int status) && {
    status_ = status;
    return std::move(*this);
  }

  int exit_status() const { return status_; }
  const Origin& where() const { return where_; }
  const std::string& why() const { return why_; }
  const std::string& hint_text() const { return hint_; }
  // The single line "sbox: FILE:LINE: WHAT: WHY (HINT)" without a newline, control characters escaped.
  std::string line() const;
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_, why_, hint_;
  Origin where_{"", 0};
  int status_ = kExitFailure;
};

// Error with the text of `errnum` as its reason.
Error system_error(std::string what, int errnum);

}  // namespace sbox
