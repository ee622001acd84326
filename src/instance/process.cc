#include "instance/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>

#include "base/strings.h"

namespace sbox {
namespace {

constexpr size_t kLongestStatus = 4096;
constexpr size_t kMost = 3 * 4096;

uint64_t inode_of_pid_namespace(int at, const char* path) {
  struct stat status {};
  return fstatat(at, path, &status, 0) == 0 ? status.st_ino : 0;
}

// For a thousand processes it is asked once; it cannot change.
uint64_t own_pid_namespace() {
  static const uint64_t kOwn = inode_of_pid_namespace(AT_FDCWD, "/proc/self/ns/pid");
  return kOwn;
}

}  // namespace

UniqueFd open_process(pid_t pid) {
  std::string path = "/proc/" + std::to_string(pid);
  return UniqueFd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool is_own_process(int process) {
  struct stat status {};
  if (fstat(process, &status) != 0 || status.st_uid != geteuid()) return false;
  uint64_t here = own_pid_namespace();
  uint64_t there = inode_of_pid_namespace(process, "ns/pid");
  return here != 0 && (there == here || (there == 0 && may_not_look()));
}

bool may_not_look() { return errno == EACCES || errno == EPERM; }

std::string read_of(int process, const char* name, size_t limit) {
  std::array<char, kMost> buffer;
  UniqueFd file(openat(process, name, O_RDONLY | O_CLOEXEC));
  ssize_t size = file ? read(file.get(), buffer.data(), std::min(limit, kMost)) : -1;
  return size < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(size));
}

std::string read_link_of(int process, const char* name) {
  std::array<char, PATH_MAX> buffer;
  ssize_t size = readlinkat(process, name, buffer.data(), buffer.size());
  return size < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(size));
}

std::optional<ProcessStatus> status_of(int process) { return parse_status(read_of(process, "stat", kLongestStatus)); }

// "PID (NAME) STATE PPID ...": the name may hold anything, but what follows the last bracket is the kernel's.
std::optional<ProcessStatus> parse_status(const std::string& text) {
  constexpr size_t kParent = 1, kUser = 11, kSystem = 12, kThreads = 17, kStarted = 19, kFields = 20;
  size_t bracket = text.rfind(") ");
  if (bracket == std::string::npos) return std::nullopt;
  std::string_view left = std::string_view(text).substr(bracket + 2);
  std::array<std::string_view, kFields> fields;
  for (std::string_view& field : fields) field = take_part(left, ' ');
  auto parent = parse_number(fields[kParent]), user = parse_number(fields[kUser]),
       system = parse_number(fields[kSystem]), threads = parse_number(fields[kThreads]),
       started = parse_number(fields[kStarted]);
  if (!parent || !user || !system || !threads || !started) return std::nullopt;
  return ProcessStatus{static_cast<pid_t>(*parent), *user + *system, *threads, *started};
}

uint64_t ticks_since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  constexpr int64_t kSecond = 1'000'000'000;
  return static_cast<uint64_t>(now.tv_sec * ticks_per_second() + now.tv_nsec / (kSecond / ticks_per_second()));
}

int64_t ticks_per_second() { return sysconf(_SC_CLK_TCK); }

}  // namespace sbox
