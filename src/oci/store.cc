#include "oci/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <memory>

#include "base/error.h"
#include "base/open_at.h"
#include "base/strings.h"
#include "base/write_all.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kConfig[] = "config.json";
constexpr mode_t kConfigMode = 0600;

Error cannot_write(const std::string& path, int errnum) { return system_error("export " + quote(path), errnum); }

std::string path_of(int directory) {
  char path[PATH_MAX];
  ssize_t size = readlink(("/proc/self/fd/" + std::to_string(directory)).c_str(), path, sizeof path);
  if (size <= 0 || size == static_cast<ssize_t>(sizeof path)) throw system_error("/proc/self/fd", errno);
  return {path, static_cast<size_t>(size)};
}

bool is_empty(UniqueFd directory) {
  std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(directory.get()), closedir);
  if (!stream) return false;
  (void)directory.release();
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return errno == 0;
}

// Nothing ends the process, and no umask changes a mode.
class Undisturbed {
 public:
  Undisturbed() : umask_(umask(0)) {
    sigset_t ending;
    sigemptyset(&ending);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM}) sigaddset(&ending, signal);
    sigprocmask(SIG_BLOCK, &ending, &before_);
  }
  ~Undisturbed() {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
    umask(umask_);
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

 private:
  sigset_t before_{};
  mode_t umask_;
};

// A directory that goes with all that was written into it, unless it is kept.
class Unfinished {
 public:
  // `path`: what the bundle will be called, for errors.
  Unfinished(int parent, std::string name, const std::string& path)
      : parent_(parent), name_(std::move(name)), path_(path) {
    require(mkdirat(parent_, name_.c_str(), S_IRWXU) == 0, "");
    directory_ = open_at(parent_, name_.c_str(), O_RDONLY | O_DIRECTORY, kBeneath);
    if (directory_ && fchmod(directory_.get(), S_IRWXU) == 0) return;
    int error = errno;
    unlinkat(parent_, name_.c_str(), AT_REMOVEDIR);
    throw cannot_write(path_, error);
  }
  ~Unfinished() {
    if (!is_kept_) remove();
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  void add(const BundleFile& file);
  // Modes of directories, which may keep everybody out.
  void close();
  void keep_as(const std::string& name);

 private:
  // `file`: of the bundle, or "" for itself.
  void require(bool done, const std::string& file) const {
    if (!done) throw cannot_write(join(path_, file), errno);
  }
  UniqueFd parent_of_file(const BundleFile& file) const;
  void write_file(int parent, const std::string& name, const BundleFile& file) const;
  void remove();

  int parent_;
  std::string name_, path_;
  UniqueFd directory_;
  std::vector<BundleFile> made_;
  bool is_kept_ = false;
};

UniqueFd Unfinished::parent_of_file(const BundleFile& file) const {
  size_t slash = file.path.rfind('/');
  std::string path = slash == std::string::npos ? "." : file.path.substr(0, slash);
  UniqueFd parent = open_at(directory_.get(), path.c_str(), O_PATH | O_DIRECTORY, kBeneath);
  require(parent.ok(), file.path);
  return parent;
}

std::string name_in_parent(const BundleFile& file) { return file.path.substr(file.path.rfind('/') + 1); }

void Unfinished::write_file(int parent, const std::string& name, const BundleFile& file) const {
  UniqueFd fd = open_at(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, kBeneath, S_IRUSR | S_IWUSR);
  require(fd.ok(), file.path);
  require(write_all(fd.get(), file.content), file.path);
  require(fchmod(fd.get(), file.mode) == 0 && ::close(fd.release()) == 0, file.path);
}

void Unfinished::add(const BundleFile& file) {
  UniqueFd parent = parent_of_file(file);
  std::string name = name_in_parent(file);
  made_.push_back(file);
  switch (file.kind) {
    case BundleFile::Kind::directory:
      return require(mkdirat(parent.get(), name.c_str(), S_IRWXU) == 0, file.path);
    case BundleFile::Kind::file:
      return write_file(parent.get(), name, file);
    case BundleFile::Kind::symlink:
      return require(symlinkat(file.content.c_str(), parent.get(), name.c_str()) == 0, file.path);
  }
}

void Unfinished::close() {
  for (auto file = made_.rbegin(); file != made_.rend(); ++file) {
    if (file->kind != BundleFile::Kind::directory) continue;
    UniqueFd parent = parent_of_file(*file);
    require(fchmodat(parent.get(), name_in_parent(*file).c_str(), file->mode, 0) == 0, file->path);
  }
}

// A directory takes the place of an empty one, and of nothing else.
void Unfinished::keep_as(const std::string& name) {
  require(renameat(parent_, name_.c_str(), parent_, name.c_str()) == 0, "");
  is_kept_ = true;
}

void Unfinished::remove() {
  for (const BundleFile& file : made_) {
    // What cannot be opened again stays, and its directory with it.
    if (file.kind == BundleFile::Kind::directory) (void)!fchmodat(directory_.get(), file.path.c_str(), S_IRWXU, 0);
  }
  for (auto file = made_.rbegin(); file != made_.rend(); ++file) {
    int flags = file->kind == BundleFile::Kind::directory ? AT_REMOVEDIR : 0;
    unlinkat(directory_.get(), file->path.c_str(), flags);
  }
  unlinkat(parent_, name_.c_str(), AT_REMOVEDIR);
}

}  // namespace

BundleDirectory::BundleDirectory(const std::string& path) {
  std::string shown = "export " + quote(path), rest = path;
  while (rest.size() > 1 && rest.ends_with('/')) rest.pop_back();
  size_t slash = rest.rfind('/');
  name_ = rest.substr(slash + 1);
  if (name_.empty() || name_ == "." || name_ == "..") {
    throw Error(shown, "is not the name of a directory that can be made").hint("as in --oci ./bundle");
  }
  std::string parent = slash == std::string::npos ? "." : rest.substr(0, slash + 1);
  parent_.reset(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent_) throw system_error(shown, errno).hint("the directory above it must be there");
  path_ = join(path_of(parent_.get()), name_);
  UniqueFd existing = open_at(parent_.get(), name_.c_str(), O_RDONLY | O_DIRECTORY, kBeneath);
  if (!existing && errno == ENOENT) return;
  if (!existing) throw Error(shown, "is there already, and no directory").hint("name another one");
  if (!is_empty(std::move(existing))) throw Error(shown, "is not empty").hint("name a new one, or remove it");
}

void BundleDirectory::write(const Bundle& bundle, const std::string& suffix) const {
  Undisturbed undisturbed;
  Unfinished made(parent_.get(), ".sbox-" + suffix, path_);
  for (const BundleFile& file : bundle.files) made.add(file);
  made.add({BundleFile::Kind::file, kConfig, bundle.config, kConfigMode});
  made.close();
  made.keep_as(name_);
}

}  // namespace sbox
