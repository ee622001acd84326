#include "overlay/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/give_rights_back.h"
#include "base/strings.h"
#include "base/write_all.h"
#include "overlay/files.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr off_t kLargestRecord = 1 << 16;
constexpr off_t kLargestTaken = 256 << 20;

Error record_error(int errnum) { return system_error("record of the overlay", errnum); }

}  // namespace

UniqueFd make_path(const std::string& path) {
  UniqueFd at(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string_view left = path;
  for (std::string_view part; at && !(part = take_component(left)).empty();) {
    std::string name(part);
    UniqueFd next = open_beneath(at.get(), name, O_PATH | O_DIRECTORY);
    if (!next && errno == ENOENT && mkdirat(at.get(), name.c_str(), 0700) == 0) {
      next = open_beneath(at.get(), name, O_PATH | O_DIRECTORY);
    }
    at = std::move(next);
  }
  if (at) at = open_beneath(at.get(), ".", O_RDONLY | O_DIRECTORY);
  if (!at) throw system_error(quote(path), errno);
  return at;
}

UniqueFd take_lock(int directory) {
  UniqueFd lock(openat(directory, kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock) throw system_error("lock of the overlay", errno);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw system_error("lock of the overlay", errno);
  return {};
}

Error in_use(const std::string& name, const std::string& hint) {
  return Error("overlay " + quote(name), "it is in use").hint(hint);
}

UniqueFd open_upper(int state) {
  UniqueFd held = open_beneath(state, kUpper, O_PATH | O_DIRECTORY);
  if (!held || !give_rights_back(held.get())) return {};
  return open_beneath(state, kUpper, O_RDONLY | O_DIRECTORY);
}

std::optional<std::string> read_small(int directory, const char* name, off_t limit) {
  UniqueFd file = open_regular(directory, name);
  if (!file && errno == ENOENT) return std::nullopt;
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) throw record_error(errno);
  if (status.st_size > limit) throw Error("record of the overlay", "it is too large");
  std::string text(static_cast<size_t>(status.st_size), '\0');
  if (pread(file.get(), text.data(), text.size(), 0) != status.st_size) throw record_error(errno);
  return text;
}

void replace_file(int directory, const char* name, const std::string& text) {
  std::string fresh = std::string(name) + ".new";
  UniqueFd file(openat(directory, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  bool is_written = file && write_all(file.get(), text) && fsync(file.get()) == 0;
  if (!is_written || renameat(directory, fresh.c_str(), directory, name) != 0) throw record_error(errno);
}

void append_to_file(int directory, const char* name, const std::string& text) {
  UniqueFd file(openat(directory, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || !write_all(file.get(), text)) throw record_error(errno);
}

std::optional<OverlayRecord> read_record(int directory) {
  std::optional<std::string> text = read_small(directory, kRecord, kLargestRecord);
  if (!text) return std::nullopt;
  std::optional<OverlayRecord> record = parse_record(*text);
  if (!record) throw Error("record of the overlay", "it cannot be read").hint("remove the overlay's directory");
  return record;
}

std::string read_taken(int directory) { return read_small(directory, kTaken, kLargestTaken).value_or(""); }

timespec file_time(int directory) {
  UniqueFd file(openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  struct stat status {};
  if (!file && errno == EOPNOTSUPP) {
    throw Error("overlay of the home", "its file system can hold none").hint("set home mode = private or empty");
  }
  if (!file || fstat(file.get(), &status) != 0) throw record_error(errno);
  return status.st_ctim;
}

}  // namespace sbox
