#include "log/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>

#include "base/error.h"
#include "base/strings.h"
#include "base/write_all.h"

namespace sbox {
namespace {

constexpr const char* kPlace[] = {".local", "share", "sbox", "log"};
constexpr size_t kMostOfInstance = 8, kMost = 256, kDigits = 16;
constexpr size_t kLargest = 1024 * 1024;

Error failed(const std::string& what, int errnum) {
  Error error = system_error("the log " + quote(what), errnum);
  return errnum == ELOOP || errnum == ENOTDIR
             ? std::move(error).hint("a file or a symbolic link has the place of a directory: take it away")
             : error;
}

std::string place(const std::string& home) { return home + "/.local/share/sbox/log"; }

// Not open where it is missing and not to be made.
UniqueFd open_place(const std::string& home, bool make) {
  constexpr int kBelow = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  UniqueFd at(open(home.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (const char* name : kPlace) {
    if (!at) break;
    UniqueFd next(openat(at.get(), name, kBelow));
    if (!next && errno == ENOENT && make && (mkdirat(at.get(), name, 0700) == 0 || errno == EEXIST)) {
      next.reset(openat(at.get(), name, kBelow));
    }
    at = std::move(next);
  }
  if (!at && errno == ENOENT && !make) return at;
  if (!at) throw failed(place(home), errno);
  struct stat status {};
  constexpr mode_t kOthersWrite = 022;
  if (fstat(at.get(), &status) != 0) throw failed(place(home), errno);
  if (status.st_uid != geteuid() || (status.st_mode & kOthersWrite) != 0) {
    throw Error("the log " + quote(place(home)), "others may write there").hint("remove it");
  }
  return at;
}

// INSTANCE.NANOSECONDS, in hexadecimal digits: among those of one instance, in the order of time.
std::string file_name(const std::string& instance) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  auto time =
      static_cast<unsigned long long>(now.tv_sec) * 1'000'000'000 + static_cast<unsigned long long>(now.tv_nsec);
  char digits[kDigits + 1];
  snprintf(digits, sizeof digits, "%016llx", time);
  return instance + "." + digits;
}

std::string_view time_in(std::string_view file) { return file.substr(file.size() - kDigits); }

bool is_log(std::string_view file) {
  return file.size() > kDigits + 1 && file[file.size() - kDigits - 1] == '.' &&
         time_in(file).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The newest first.
std::vector<StoredLog> list(const UniqueFd& directory, const std::string& home) {
  UniqueFd again(openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, int (*)(DIR*)> stream(again ? fdopendir(again.get()) : nullptr, closedir);
  if (!stream) throw failed(place(home), errno);
  (void)again.release();
  std::vector<StoredLog> logs;
  while (const dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (is_log(name)) logs.push_back({name, name.substr(0, name.size() - kDigits - 1), false});
  }
  std::sort(logs.begin(), logs.end(), [](const StoredLog& a, const StoredLog& b) {
    return std::pair(time_in(a.file), a.file) > std::pair(time_in(b.file), b.file);
  });
  return logs;
}

UniqueFd open_log(const UniqueFd& directory, const StoredLog& log) {
  return UniqueFd(openat(directory.get(), log.file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

bool is_locked(const UniqueFd& file) {
  if (flock(file.get(), LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  flock(file.get(), LOCK_UN);
  return false;
}

// Which of `logs`, the newest first, are too many.
std::vector<bool> find_surplus(const std::vector<StoredLog>& logs) {
  std::map<std::string_view, size_t> of_instance;
  std::vector<bool> is_surplus;
  size_t kept = 0;
  for (const StoredLog& log : logs) {
    is_surplus.push_back(++of_instance[log.instance] > kMostOfInstance || kept == kMost);
    if (!is_surplus.back()) ++kept;
  }
  return is_surplus;
}

// Never the log of a run that goes on. With a thousand of these listing alone takes a millisecond, so it is one start
// in some sixteen that does this, and then for more than as many; it begins anywhere, for the first may all go on.
void prune(const UniqueFd& directory, const std::string& home) {
  constexpr size_t kStarts = 16, kLookedAt = 256;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  auto chance = static_cast<size_t>(now.tv_nsec);
  if (chance % kStarts != 0) return;
  std::vector<StoredLog> logs = list(directory, home), surplus;
  std::vector<bool> is_surplus = find_surplus(logs);
  for (size_t i = 0; i < logs.size(); ++i) {
    if (is_surplus[i]) surplus.push_back(std::move(logs[i]));
  }
  for (size_t i = 0; i < std::min(surplus.size(), kLookedAt); ++i) {
    const StoredLog& log = surplus[(chance / kStarts + i) % surplus.size()];
    if (!is_locked(open_log(directory, log))) unlinkat(directory.get(), log.file.c_str(), 0);
  }
}

}  // namespace

UniqueFd new_log(const std::string& home, LogHeader header) {
  UniqueFd directory = open_place(home, true);
  prune(directory, home);
  std::string name = file_name(header.instance);
  UniqueFd file(openat(directory.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || flock(file.get(), LOCK_EX | LOCK_NB) != 0) throw failed(name, errno);
  header.started = time(nullptr);
  if (write_all(file.get(), header_line(header))) return file;
  Error error = failed(name, errno);
  unlinkat(directory.get(), name.c_str(), 0);
  throw error;
}

std::vector<StoredLog> stored_logs(const std::string& home) {
  UniqueFd directory = open_place(home, false);
  if (!directory) return {};
  std::vector<StoredLog> all = list(directory, home), logs;
  std::vector<bool> is_surplus = find_surplus(all);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].is_running = is_locked(open_log(directory, all[i]));
    if (all[i].is_running || !is_surplus[i]) logs.push_back(std::move(all[i]));
  }
  return logs;
}

std::string read_log(const std::string& home, const StoredLog& log) {
  UniqueFd directory = open_place(home, false);
  UniqueFd file = directory ? open_log(directory, log) : UniqueFd();
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) throw failed(log.file, errno);
  if (!S_ISREG(status.st_mode)) throw failed(log.file, EINVAL);
  std::string bytes(kLargest, '\0');
  ssize_t size = pread(file.get(), bytes.data(), bytes.size(), 0);
  if (size < 0) throw failed(log.file, errno);
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

}  // namespace sbox
