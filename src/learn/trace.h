// One line of strace(1): `strace -f -y --decode-pids=comm -o FILE`. Pure; takes any bytes, since the program that is
// watched can write to the file too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sbox::learn {

// A system call that has returned.
struct Call {
  uint32_t process = 0;
  std::string by;                      // what the process calls itself: any bytes
  std::string name;                    // of the call
  std::vector<std::string> arguments;  // as printed, trimmed
  std::string error;                   // "ENOENT"; "" where it succeeded
  std::string result;                  // as printed: "3</etc/passwd>", "0"; with an error "-1"
};

// Lines longer than this are no calls.
inline constexpr size_t kLongestLine = 64 * 1024;

class LineReader {
 public:
  // Nothing for a line that is no call, or only the beginning of one: that is kept until its end comes.
  std::optional<Call> read(std::string_view line);

 private:
  std::map<uint32_t, std::string> pending_;  // by process: what stands before <unfinished ...>
};

// The bytes of a string as printed, "..." around it or not; nothing where it is no string.
std::optional<std::string> string_of(std::string_view argument);

// What stands in <> behind a descriptor or AT_FDCWD, its escapes undone; "" where there is nothing.
std::string annotation_of(std::string_view argument);

// Each string that stands behind `name`= in a structure, in order: iov_base, sun_path.
std::vector<std::string> fields_of(std::string_view argument, std::string_view name);
// What stands in the brackets of WORD(...): "53" for sin_port=htons(53); "" where there is nothing.
std::string inner_of(std::string_view argument, std::string_view word);

}  // namespace sbox::learn
