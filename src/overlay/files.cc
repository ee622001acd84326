#include "overlay/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <limits>
#include <memory>

#include "base/error.h"
#include "base/open_at.h"
#include "base/strings.h"

namespace sbox {
namespace {

constexpr size_t kBuffer = 256 << 10;
constexpr std::string_view kOverlayPrefix = "user.overlay.";
constexpr char kOpaque[] = "user.overlay.opaque";

bool read_whole(int fd, char* buffer, size_t size, off_t offset, size_t& got) {
  for (got = 0; got < size;) {
    ssize_t part = pread(fd, buffer + got, size - got, offset + static_cast<off_t>(got));
    if (part < 0) return false;
    if (part == 0) return true;
    got += static_cast<size_t>(part);
  }
  return true;
}

bool write_whole(int fd, const char* buffer, size_t size, off_t offset) {
  for (size_t done = 0; done < size;) {
    ssize_t part = pwrite(fd, buffer + done, size - done, offset + static_cast<off_t>(done));
    if (part <= 0) return false;
    done += static_cast<size_t>(part);
  }
  return true;
}

bool copy_range(int from, int to, off_t begin, off_t end) {
  for (off_t at = begin; begin < end;) {
    ssize_t part = copy_file_range(from, &at, to, &begin, static_cast<size_t>(end - begin), 0);
    if (part == 0) return true;
    if (part < 0) break;  // not between these two: by hand
  }
  std::vector<char> buffer(kBuffer);
  while (begin < end) {
    size_t got = 0, want = std::min<size_t>(buffer.size(), static_cast<size_t>(end - begin));
    if (!read_whole(from, buffer.data(), want, begin, got)) return false;
    if (got == 0) return true;
    if (!write_whole(to, buffer.data(), got, begin)) return false;
    begin += static_cast<off_t>(got);
  }
  return true;
}

constexpr off_t kNoData = std::numeric_limits<off_t>::max();

// Where holes are over, from `at` on: what holds nothing else may be larger than can ever be read.
off_t next_data(int fd, off_t at) {
  off_t data = lseek(fd, at, SEEK_DATA);
  if (data >= 0) return data;
  return errno == ENXIO ? kNoData : at;
}

bool have_same_attributes(int a, int b) {
  std::vector<std::string> names = attribute_names(a);
  return names == attribute_names(b) &&
         std::all_of(names.begin(), names.end(), [&](auto& name) { return attribute(a, name) == attribute(b, name); });
}

// A directory of ours that its mode keeps us out of is opened all the same.
UniqueFd open_to_empty(int directory, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd held(openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!held) return held;
  std::string path = "/proc/self/fd/" + std::to_string(held.get());
  chmod(path.c_str(), S_IRWXU);
  return UniqueFd(openat(directory, name.c_str(), kFlags));
}

// Moves directories that lie deep to the top before it goes into them, so that neither descriptors nor the stack run
// out.
class Remover {
 public:
  explicit Remover(int top) : top_(top) {}
  void remove(int directory, const std::string& name, int depth);

 private:
  void empty(int directory, int depth);
  void lift(int directory, const std::string& name);

  int top_;
  std::vector<std::string> lifted_;
  size_t count_ = 0;
};

constexpr int kDeepest = 64;

void Remover::remove(int directory, const std::string& name, int depth) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return;
  UniqueFd inner = open_to_empty(directory, name);
  if (!inner) throw system_error("remove " + quote(name), errno);
  empty(inner.get(), depth);
  inner.reset();
  if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0) throw system_error("remove " + quote(name), errno);
  while (depth == 0 && !lifted_.empty()) {
    std::string next = lifted_.back();
    lifted_.pop_back();
    remove(top_, next, 1);
  }
}

void Remover::empty(int directory, int depth) {
  for (const std::string& name : names_in(directory)) {
    struct stat status = status_of(directory, name);
    if (depth >= kDeepest && S_ISDIR(status.st_mode)) {
      lift(directory, name);
    } else {
      remove(directory, name, depth + 1);
    }
  }
}

void Remover::lift(int directory, const std::string& name) {
  std::string free = ".removed-" + std::to_string(getpid()) + "-" + std::to_string(++count_);
  if (renameat(directory, name.c_str(), top_, free.c_str()) != 0) {
    // A directory that may not be written cannot be moved either.
    open_to_empty(directory, name);
    if (renameat(directory, name.c_str(), top_, free.c_str()) != 0) throw system_error("remove " + quote(name), errno);
  }
  lifted_.push_back(free);
}

}  // namespace

UniqueFd open_beneath(int directory, const std::string& path, int flags) {
  return open_at(directory, path.c_str(), flags, kBeneath);
}

UniqueFd open_to_list(int directory, const std::string& path) {
  UniqueFd opened = open_beneath(directory, path, O_RDONLY | O_DIRECTORY);
  if (opened && faccessat(opened.get(), ".", X_OK, AT_EACCESS) != 0) opened.reset();
  return opened;
}

UniqueFd open_regular(int directory, const std::string& name) {
  UniqueFd file(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (file && (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))) {
    file.reset();
    errno = EINVAL;
  }
  return file;
}

struct stat status_of(int directory, const std::string& name) {
  struct stat status {};
  if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno != ENOENT && errno != ENOTDIR) throw system_error(quote(name), errno);
  return {};
}

std::vector<std::string> names_in(int directory) {
  UniqueFd own(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, int (*)(DIR*)> listing(own ? fdopendir(own.get()) : nullptr, closedir);
  if (!listing) throw system_error("list a directory", errno);
  own.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(listing.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) throw system_error("list a directory", errno);
  std::sort(names.begin(), names.end());
  return names;
}

bool is_opaque(int directory) { return attribute(directory, kOpaque) == "y"; }

bool make_opaque(int directory) { return fsetxattr(directory, kOpaque, "y", 1, 0) == 0; }

bool end_opaque(int directory) { return fremovexattr(directory, kOpaque) == 0 || errno == ENODATA; }

std::string link_target(int directory, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  ssize_t size = readlinkat(directory, name.c_str(), target.data(), target.size());
  if (size < 0) throw system_error(quote(name), errno);
  target.resize(static_cast<size_t>(size));
  return target;
}

std::vector<std::string> attribute_names(int fd) {
  std::vector<char> list(XATTR_LIST_MAX);
  ssize_t size = flistxattr(fd, list.data(), list.size());
  std::vector<std::string> names;
  for (size_t at = 0; size > 0 && at < static_cast<size_t>(size); at += names.back().size() + 1) {
    names.emplace_back(list.data() + at);
  }
  std::erase_if(names, [](const std::string& name) {
    bool is_user = name.starts_with("user.") && !name.starts_with(kOverlayPrefix);
    return !is_user && !name.starts_with("system.posix_acl_");
  });
  std::sort(names.begin(), names.end());
  return names;
}

std::string attribute(int fd, const std::string& name) {
  std::string value(XATTR_SIZE_MAX, '\0');
  ssize_t size = fgetxattr(fd, name.c_str(), value.data(), value.size());
  value.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return value;
}

bool have_same_content(int a, int b) {
  std::vector<char> x(kBuffer), y(kBuffer);
  for (off_t at = 0;; at += static_cast<off_t>(kBuffer)) {
    at = std::min(next_data(a, at), next_data(b, at));
    if (at == kNoData) return lseek(a, 0, SEEK_END) == lseek(b, 0, SEEK_END) && have_same_attributes(a, b);
    size_t got_x = 0, got_y = 0;
    if (!read_whole(a, x.data(), x.size(), at, got_x) || !read_whole(b, y.data(), y.size(), at, got_y)) return false;
    if (got_x != got_y || memcmp(x.data(), y.data(), got_x) != 0) return false;
    if (got_x < kBuffer) return have_same_attributes(a, b);
  }
}

bool copy_attributes(int from, int to) {
  for (const std::string& name : attribute_names(from)) {
    std::string value = attribute(from, name);
    if (fsetxattr(to, name.c_str(), value.data(), value.size(), 0) != 0) return false;
  }
  return true;
}

bool copy_content(int from, int to) {
  if (ioctl(to, FICLONE, from) == 0) return copy_attributes(from, to);
  struct stat status {};
  if (fstat(from, &status) != 0 || ftruncate(to, status.st_size) != 0) return false;
  for (off_t end = 0; end < status.st_size;) {
    off_t begin = lseek(from, end, SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;
    if (begin < 0) return false;
    end = lseek(from, begin, SEEK_HOLE);
    if (end < 0 || !copy_range(from, to, begin, end)) return false;
  }
  return copy_attributes(from, to);
}

void remove_tree(int directory, const std::string& name) { Remover(directory).remove(directory, name, 0); }

}  // namespace sbox
