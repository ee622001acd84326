// What /proc says of one process. By a descriptor of its directory, so that all of it is of the same process: once that
// is gone, nothing can be read any more.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace sbox {

struct ProcessStatus {
  pid_t parent = -1;
  uint64_t cpu = 0;  // user and system time, in clock ticks
  uint64_t threads = 0;
  uint64_t started = 0;  // since boot, in clock ticks
};

// Empty when there is none of that number.
UniqueFd open_process(pid_t pid);

// Whether it is this user's and in this process's own pid namespace (what runs in a sandbox is not). Where the kernel
// does not let this user look (a process of sbox-userns), the first decides alone.
bool is_own_process(int process);

// After a failure: whether it was for want of permission.
bool may_not_look();

// What one read(2) gives of a file, which is all of what is here asked for; at most `limit` bytes, and 12288. "" when
// it cannot be read.
std::string read_of(int process, const char* name, size_t limit);
std::string read_link_of(int process, const char* name);

std::optional<ProcessStatus> status_of(int process);
// The text of /proc/PID/stat.
std::optional<ProcessStatus> parse_status(const std::string& text);

uint64_t ticks_since_boot();
int64_t ticks_per_second();

}  // namespace sbox
