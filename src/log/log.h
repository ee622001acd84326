// The log of one run: what was denied to it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/note.h"
#include "log/record.h"
#include "plan/plan.h"
#include "plan/seccomp.h"
#include "profile/profile.h"

namespace sbox {

// Of which run it is. Written by the front end before the sandbox exists.
struct LogHeader {
  std::string instance, program;
  std::string profile, profile_file;  // its name and its path
  int64_t started = 0;                // seconds since 1970
  SeccompPolicy policy;               // without `allow` and `deny`
  bool has_proxy = false;             // whether the network leads to a proxy alone
  bool session_filtered = true;       // whether the profile's lines of the session bus hold

  bool operator==(const LogHeader&) const = default;
};

struct Log {
  LogHeader header;
  std::vector<LogRecord> records;
  uint64_t others = 0;  // denied calls of which nothing more is known
  std::vector<Note> notes = {};
  uint64_t other_notes = 0;  // and what else was denied
};

// `started` stays 0.
LogHeader log_header(const Profile& profile, const Plan& plan);

// One line with its newline.
std::string header_line(const LogHeader& header);

// Nothing where `bytes` do not begin with such a line. Of the records and notes, those that are whole and count
// something.
std::optional<Log> parse_log(std::string_view bytes);

}  // namespace sbox
