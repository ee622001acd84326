// What the launcher writes down of a denied system call. A log is one line of JSON, made by the front end, and then
// these, as they are in memory. The first stands for all that had no room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sbox {

inline constexpr size_t kMostRecords = 256;      // in a log, the first included
inline constexpr size_t kMostRecordsOfCall = 8;  // with other arguments each

struct LogRecord {
  uint64_t count = 0;                      // how often; a log that is not closed may say less, but no less than half
  int64_t first = 0, last = 0;             // seconds since 1970
  uint32_t architecture = 0;               // AUDIT_ARCH_*
  int32_t number = -1;                     // of the call
  std::array<uint64_t, 6> arguments = {};  // of the first time
  int32_t process = 0;                     // as the host numbers it, the first time
  int32_t error = 0;                       // errno that it was given
  std::array<char, 16> name = {};          // what that process calls itself
};
static_assert(sizeof(LogRecord) == 104);

}  // namespace sbox
