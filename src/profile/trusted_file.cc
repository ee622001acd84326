#include "profile/trusted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/error.h"
#include "base/open_at.h"
#include "base/strings.h"

namespace sbox {
namespace {

enum class Kind { file, directory };

// What messages call it, and where.
struct Subject {
  Kind kind;
  const std::string& shown;

  const char* name() const { return kind == Kind::file ? "profile" : "directory of profiles"; }
  Error error(std::string why) const { return Error(name(), std::move(why)).at({shown, 0}); }
  Error system_error(int errnum) const {
    if (errnum != ENOSYS) return sbox::system_error(name(), errnum).at({shown, 0});
    // Profiles are the first that is opened by openat2(2), and no sandbox has it.
    return Error("profiles", "are not read inside of a sandbox, nor by Linux before 5.14")
        .hint("call sbox outside of it");
  }
};

struct stat status_of(const UniqueFd& fd, const Subject& subject) {
  struct stat status;
  if (fstat(fd.get(), &status) != 0) throw subject.system_error(errno);
  return status;
}

void check_owner(const struct stat& status, const Subject& subject) {
  if (status.st_uid == 0 || status.st_uid == getuid()) return;
  constexpr uid_t kUnknown = 65534;  // in a user namespace: all whom it does not know, often root too
  throw subject.error("belongs to user " + std::to_string(status.st_uid) + ", who could change it")
      .hint(getuid() == 0               ? "as root, sbox reads only root's profiles"
            : status.st_uid == kUnknown ? "make a copy of your own, or leave the user namespace that does not know root"
                                        : "make a copy of your own");
}

// Where the umask is 002, all that a user has made there is like that: one command for all of it.
std::string remedy(const std::string& shown) {
  constexpr std::string_view kOfUser = "/.config/sbox";
  size_t at = shown.rfind(std::string(kOfUser) + "/");
  if (at == std::string::npos) return "chmod go-w " + quote(shown);
  return "chmod -R go-w " + quote(shown.substr(0, at + kOfUser.size()));
}

void check_trust(const struct stat& status, const Subject& subject) {
  check_owner(status, subject);
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return;
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0 && status.st_uid == 0) return;
  throw subject.error("can be written by others").hint(remedy(subject.shown));
}

void check_kind(const struct stat& status, const Subject& subject) {
  if (subject.kind == Kind::directory ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode)) return;
  throw subject.error(subject.kind == Kind::directory ? "is not a directory" : "is not a regular file");
}

// Whoever can write the directory that a link leads to can replace the file.
void check_directory_of(const UniqueFd& fd, const Subject& subject) {
  char path[PATH_MAX];
  std::string link = "/proc/self/fd/" + std::to_string(fd.get());
  ssize_t length = readlink(link.c_str(), path, sizeof path);
  if (length <= 0 || length == sizeof path) throw subject.error("it cannot be told where the link leads");
  std::string target(path, static_cast<size_t>(length));
  std::string directory = target.substr(0, std::max<size_t>(target.rfind('/'), 1));
  Subject where{Kind::directory, directory};
  UniqueFd opened = open_at(AT_FDCWD, directory.c_str(), O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (!opened) throw where.system_error(errno);
  check_trust(status_of(opened, where), where);
}

UniqueFd open_through_link(int directory, const std::string& name, int flags, const Subject& subject) {
  UniqueFd link = open_at(directory, name.c_str(), O_PATH | O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
  if (!link) throw subject.system_error(errno);
  check_owner(status_of(link, subject), subject);
  UniqueFd fd = open_at(directory, name.c_str(), flags, RESOLVE_NO_MAGICLINKS);
  if (!fd && errno == ENOENT) throw subject.error("is a symbolic link that leads nowhere");
  if (!fd && errno == ELOOP)
    throw subject.error("is a symbolic link that is not followed").hint("name the file itself");
  if (!fd) throw subject.system_error(errno);
  check_directory_of(fd, subject);
  return fd;
}

struct Opened {
  UniqueFd fd;
  struct stat status;
};

std::optional<Opened> open_trusted(int directory, const std::string& name, const Subject& subject) {
  // Not blocking, so that a named pipe is refused and not waited for.
  int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (subject.kind == Kind::directory ? O_DIRECTORY : 0);
  UniqueFd fd = open_at(directory, name.c_str(), flags | O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
  bool is_link = !fd && (errno == ELOOP || errno == ENOTDIR);
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd && errno == ENXIO) throw subject.error("is not a regular file");
  if (!fd && !is_link) throw subject.system_error(errno);
  if (is_link) fd = open_through_link(directory, name, flags, subject);
  struct stat status = status_of(fd, subject);
  check_kind(status, subject);
  check_trust(status, subject);
  return Opened{std::move(fd), status};
}

std::string read_all(const Opened& file, const Subject& subject) {
  const auto& [fd, status] = file;
  // One byte more than is allowed, so that a longer file shows; its size may change while it is read.
  std::string content;
  if (status.st_size <= static_cast<off_t>(kLargestProfile)) content.resize(static_cast<size_t>(status.st_size) + 1);
  for (size_t used = 0; !content.empty();) {
    ssize_t got = read(fd.get(), content.data() + used, content.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw subject.system_error(errno);
    if (got == 0) {
      if (static_cast<off_t>(used) < status.st_size) throw subject.error("it became shorter while it was read");
      content.resize(used);
      return content;
    }
    used += static_cast<size_t>(got);
    if (used > kLargestProfile) break;
    if (used == content.size()) content.resize(used * 2);
  }
  throw subject.error("is larger than " + std::to_string(kLargestProfile / 1024) + " KiB")
      .hint("name directories, not all that is in them");
}

}  // namespace

std::optional<std::string> read_trusted_file(int directory, const std::string& name, const std::string& shown) {
  Subject subject{Kind::file, shown};
  std::optional<Opened> file = open_trusted(directory, name, subject);
  if (!file) return std::nullopt;
  return read_all(*file, subject);
}

std::optional<UniqueFd> open_trusted_directory(int directory, const std::string& name, const std::string& shown) {
  std::optional<Opened> opened = open_trusted(directory, name, {Kind::directory, shown});
  if (!opened) return std::nullopt;
  return std::move(opened->fd);
}

}  // namespace sbox
