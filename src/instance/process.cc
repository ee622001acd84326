#include "instance/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <vector>

#include "base/strings.h"

namespace sbox {
namespace {

constexpr size_t kLongestStatus = 4096;
constexpr size_t kLongestLink = 4096;

uint64_t inode_of_pid_namespace(int at, const char* path) {
  struct stat status {};
  return fstatat(at, path, &status, 0) == 0 ? status.st_ino : 0;
}

}  // namespace

UniqueFd open_process(pid_t pid) {
  std::string path = "/proc/" + std::to_string(pid);
  return UniqueFd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool is_own_process(int process) {
  struct stat status {};
  if (fstat(process, &status) != 0 || status.st_uid != geteuid()) return false;
  uint64_t here = inode_of_pid_namespace(AT_FDCWD, "/proc/self/ns/pid");
  uint64_t there = inode_of_pid_namespace(process, "ns/pid");
  return here != 0 && (there == here || (there == 0 && may_not_look()));
}

bool may_not_look() { return errno == EACCES || errno == EPERM; }

std::string read_of(int process, const char* name, size_t limit) {
  UniqueFd file(openat(process, name, O_RDONLY | O_CLOEXEC));
  std::string text(limit, '\0');
  size_t size = 0;
  while (file && size < limit) {
    ssize_t part = read(file.get(), text.data() + size, limit - size);
    if (part <= 0) break;
    size += static_cast<size_t>(part);
  }
  text.resize(size);
  return text;
}

std::string read_link_of(int process, const char* name) {
  std::string text(kLongestLink, '\0');
  ssize_t size = readlinkat(process, name, text.data(), text.size());
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return text;
}

std::optional<ProcessStatus> status_of(int process) { return parse_status(read_of(process, "stat", kLongestStatus)); }

// "PID (NAME) STATE PPID ...": the name may hold anything, but what follows the last bracket is the kernel's.
std::optional<ProcessStatus> parse_status(const std::string& text) {
  constexpr size_t kParent = 1, kUser = 11, kSystem = 12, kThreads = 17, kStarted = 19, kFields = 20;
  size_t bracket = text.rfind(") ");
  if (bracket == std::string::npos) return std::nullopt;
  std::vector<std::string> fields = split(std::string_view(text).substr(bracket + 2), ' ');
  if (fields.size() < kFields) return std::nullopt;
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
