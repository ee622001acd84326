#include "desktop/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/strings.h"
#include "base/write_all.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC, kBelow = kDirectory | O_NOFOLLOW;
constexpr char kMark[] = ".made-by-sbox";

Error failed(const std::string& path, int errnum) {
  Error error = system_error(quote(path), errnum);
  return errnum == ELOOP || errnum == ENOTDIR ? std::move(error).hint("sbox writes nothing through symbolic links")
                                              : error;
}

// A file that is gone again unless it was renamed.
class Temporary {
 public:
  Temporary(const UniqueFd& directory, std::string shown)
      : directory_(directory), shown_(std::move(shown)), name_(".sbox-new-" + std::to_string(getpid())) {
    unlinkat(directory_.get(), name_.c_str(), 0);
  }
  ~Temporary() { unlinkat(directory_.get(), name_.c_str(), 0); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const char* name() const { return name_.c_str(); }
  void rename_to(const std::string& name) const {
    if (renameat(directory_.get(), name_.c_str(), directory_.get(), name.c_str()) != 0) throw failed(shown_, errno);
    fsync(directory_.get());
  }

 private:
  const UniqueFd& directory_;
  std::string shown_, name_;
};

void link_aside(const UniqueFd& directory, const std::string& path, const std::string& aside) {
  std::string from = base_name(path), to = base_name(aside);
  if (linkat(directory.get(), from.c_str(), directory.get(), to.c_str(), 0) == 0) return;
  if (errno != EEXIST) throw failed(path, errno);
  throw Error(quote(path), "is not by sbox, and " + quote(aside) + " is there already").hint("remove one of the two");
}

bool is_made_and_empty(const UniqueFd& directory) {
  UniqueFd again(openat(directory.get(), ".", kDirectory));
  std::unique_ptr<DIR, int (*)(DIR*)> stream(again ? fdopendir(again.get()) : nullptr, closedir);
  if (!stream) return false;
  (void)again.release();
  bool marked = false;
  while (const dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name == kMark)
      marked = true;
    else if (name != "." && name != "..")
      return false;
  }
  return marked;
}

}  // namespace

Store::Store(const std::string& root) : root_(root), fd_(open(root.c_str(), kDirectory)) {
  struct stat status {};
  if (!fd_ || fstat(fd_.get(), &status) != 0) throw system_error(quote(root), errno);
  if (status.st_uid != geteuid()) throw Error(quote(root), "belongs to another user").hint("run this as its owner");
}

UniqueFd Store::open_directory(const std::string& path, Missing missing) const {
  std::string rest = is_at_or_below(path, root_) ? rest_below(path, root_) : throw failed(path, EXDEV);
  UniqueFd at(openat(fd_.get(), ".", kDirectory));
  for (std::string_view left = rest; at && !left.empty();) {
    std::string name(take_component(left));
    UniqueFd next(openat(at.get(), name.c_str(), kBelow));
    if (!next && errno == ENOENT && missing == Missing::make) {
      if (mkdirat(at.get(), name.c_str(), 0755) != 0) throw failed(path, errno);
      next.reset(openat(at.get(), name.c_str(), kBelow));
      if (next) UniqueFd(openat(next.get(), kMark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    }
    at = std::move(next);
  }
  if (!at) throw failed(path, errno);
  return at;
}

void Store::write(const std::string& path, const std::string& text, mode_t mode, const std::string& aside) const {
  UniqueFd directory = open_directory(parent_of(path), Missing::make);
  Temporary temporary(directory, path);
  UniqueFd file(openat(directory.get(), temporary.name(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file || !write_all(file.get(), text)) throw failed(path, errno);
  // Whatever the umask is.
  if (fchmod(file.get(), mode) != 0 || fsync(file.get()) != 0) throw failed(path, errno);
  if (!aside.empty()) link_aside(directory, path, aside);
  temporary.rename_to(base_name(path));
}

void Store::undo(const std::string& path, const std::string& aside) const {
  UniqueFd directory = open_directory(parent_of(path), Missing::refuse);
  std::string from = base_name(aside), to = base_name(path);
  if (renameat(directory.get(), from.c_str(), directory.get(), to.c_str()) == 0) return;
  if (errno != ENOENT) throw failed(aside, errno);
  if (unlinkat(directory.get(), to.c_str(), 0) != 0) throw failed(path, errno);
  remove_made(parent_of(path));
}

void Store::remove_made(std::string directory) const {
  for (; is_below(directory, root_); directory = parent_of(directory)) {
    UniqueFd fd = open_directory(directory, Missing::refuse);
    if (!is_made_and_empty(fd)) return;
    if (unlinkat(fd.get(), kMark, 0) != 0) throw failed(directory, errno);
    UniqueFd parent = open_directory(parent_of(directory), Missing::refuse);
    if (unlinkat(parent.get(), base_name(directory).c_str(), AT_REMOVEDIR) != 0) throw failed(directory, errno);
  }
}

}  // namespace sbox
