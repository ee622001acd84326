#include "overlay/commit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/strings.h"
#include "overlay/files.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// Each file that has no name yet is a descriptor. A flush of the file system writes what others have written, too, and
// can take a tenth of a second: it should be worth it.
constexpr rlim_t kMostAtOnce = 4096, kOtherDescriptors = 128;
constexpr size_t kFew = 4;  // of these each is flushed by itself

// How many files may be written before they are given their names.
size_t raise_limit_of_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) throw system_error("getrlimit", errno);
  rlim_t wanted = std::min(limit.rlim_max, kMostAtOnce + kOtherDescriptors);
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) throw system_error("setrlimit", errno);
  }
  rlim_t usable = std::min(limit.rlim_cur, kMostAtOnce + kOtherDescriptors);
  return usable > kOtherDescriptors ? usable - kOtherDescriptors : 1;
}

std::string directory_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// The last directory that was opened, for neighbours.
class Parents {
 public:
  explicit Parents(int root) : root_(root) {}
  // Invalid with errno set.
  int of(const std::string& path) {
    std::string directory = directory_of(path);
    if (!fd_ || directory != path_) fd_ = open_beneath(root_, directory, O_RDONLY | O_DIRECTORY);
    path_ = directory;
    return fd_.get();
  }

 private:
  int root_;
  std::string path_;
  UniqueFd fd_;
};

// Why a step could not be done; carried to the list of what was left.
struct Failure {
  std::string why;
};

[[noreturn]] void fail() { throw Failure{strerror(errno)}; }
void require(bool ok) {
  if (!ok) fail();
}

struct Written {
  const Change* change;
  UniqueFd file;          // without a name yet; none for the further names of one that was written already
  const Change* first{};  // the one that this is another name of
};

// Of a file with several names: which it is in the overlay, and in which directory.
using Names = std::tuple<dev_t, ino_t, std::string>;

class Committer {
 public:
  Committer(OverlayStore& store, bool force, const OnTaken& on_taken)
      : store_(store), force_(force), on_taken_(on_taken), host_(store.home_directory()), upper_(store.upper()) {}

  void take(const Change& change);
  void flush();
  void leave(const Change& change, const std::string& why) { result_.left.emplace_back(change.path, why); }
  // To be called last.
  CommitResult finish();

 private:
  int host_parent(const Change& change);
  void check_host(int parent, const Change& change) const;
  void take_directory(const Change& change);
  void set_modes();
  void take_symlink(const Change& change);
  void take_deletion(const Change& change);
  const Change* first_name(const Change& change);
  void write_file(const Change& change);
  UniqueFd named_as(const Change& first) const;
  void name_file(Written& written);
  void put(int parent, const Change& change, const std::function<bool(const char* name)>& make) const;
  void done(const Change& change);
  void let_go(const Change& change);
  void sync_written() const;

  OverlayStore& store_;
  const size_t most_at_once_ = raise_limit_of_files();
  bool force_;
  const OnTaken& on_taken_;
  Parents host_, upper_;
  std::vector<Written> written_;
  std::vector<const Change*> done_;                         // on the host, but not flushed; still in the overlay
  std::map<Names, const Change*> names_;                    // the first of several
  std::map<const Change*, std::pair<dev_t, ino_t>> named_;  // these, as they are on the host
  std::vector<const Change*> directories_;                  // whose mode is to be set
  CommitResult result_;
};

CommitResult Committer::finish() {
  flush();
  set_modes();
  return std::move(result_);
}

std::string name_of(const Change& change) { return base_name("/" + change.path); }

int Committer::host_parent(const Change& change) {
  int parent = host_.of(change.path);
  require(parent >= 0);
  return parent;
}

// What is on the host now must be what was compared.
void Committer::check_host(int parent, const Change& change) const {
  struct stat now = status_of(parent, name_of(change));
  bool is_same =
      kind_of(now.st_mode) == change.before && now.st_ino == change.host.st_ino && now.st_dev == change.host.st_dev;
  bool has_content = change.before == FileKind::file;
  if (has_content)
    is_same = is_same && now.st_size == change.host.st_size && is_same_time(now.st_mtim, change.host.st_mtim);
  bool is_cleared = change.before == FileKind::directory && kind_of(now.st_mode) == FileKind::missing;
  if (!is_same && !is_cleared) throw Failure{"it changed on the host just now"};
}

// What was in a directory is gone by now.
void remove_from_host(int parent, const Change& change) {
  int flags = change.before == FileKind::directory ? AT_REMOVEDIR : 0;
  if (unlinkat(parent, name_of(change).c_str(), flags) == 0 || errno == ENOENT) return;
  if (errno == ENOTEMPTY) throw Failure{"there is more in it on the host now"};
  fail();
}

// A directory and something else cannot replace each other in one step.
void make_room(int parent, const Change& change) {
  bool was_directory = change.before == FileKind::directory, is_directory = change.now == FileKind::directory;
  if (change.before != FileKind::missing && was_directory != is_directory) remove_from_host(parent, change);
}

// What is no directory is made by `make`, under its own name or, where something has that, under one that it is renamed
// from.
void Committer::put(int parent, const Change& change, const std::function<bool(const char*)>& make) const {
  check_host(parent, change);
  make_room(parent, change);
  std::string name = name_of(change);
  bool replaces = change.before != FileKind::missing && change.before != FileKind::directory;
  if (!replaces) return require(make(name.c_str()));
  unlinkat(parent, kFresh, 0);
  require(make(kFresh));
  check_host(parent, change);
  require(renameat(parent, kFresh, parent, name.c_str()) == 0);
}

void Committer::take_directory(const Change& change) {
  int parent = host_parent(change);
  check_host(parent, change);
  make_room(parent, change);
  std::string name = name_of(change);
  if (change.before != FileKind::directory) require(mkdirat(parent, name.c_str(), S_IRWXU) == 0);
  UniqueFd made = open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
  require(made.ok());
  directories_.push_back(&change);
  done(change);
}

// Last, for the mode may keep us from putting anything into it. What the host's gave to its groups stays.
void Committer::set_modes() {
  for (const Change* change : directories_) {
    UniqueFd made = open_beneath(store_.home_directory(), change->path, O_RDONLY | O_DIRECTORY);
    mode_t kept = change->before == FileKind::directory ? change->host.st_mode & (S_ISUID | S_ISGID | S_ISVTX) : 0;
    bool is_set = made && fchmod(made.get(), plain_mode(change->status.st_mode) | kept) == 0;
    if (!is_set) leave(*change, std::string("its mode cannot be set: ") + strerror(errno));
  }
  directories_.clear();
}

void Committer::take_symlink(const Change& change) {
  int parent = host_parent(change);
  put(parent, change, [&](const char* name) {
    if (symlinkat(change.link.c_str(), parent, name) != 0) return false;
    timespec times[] = {change.status.st_atim, change.status.st_mtim};
    utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
    return true;
  });
  done(change);
}

void Committer::take_deletion(const Change& change) {
  int parent = host_parent(change);
  check_host(parent, change);
  remove_from_host(parent, change);
  done(change);
}

// The first of several new names in this directory that a file has; null for that one itself. A further name of what
// lies elsewhere, or was there before, would be a way to it for whoever may write here: such a name gets a file of its
// own.
const Change* Committer::first_name(const Change& change) {
  if (change.status.st_nlink < 2 || change.before != FileKind::missing) return nullptr;
  Names names{change.status.st_dev, change.status.st_ino, parent_of("/" + change.path)};
  auto [place, is_first] = names_.emplace(std::move(names), &change);
  return is_first ? nullptr : place->second;
}

void Committer::write_file(const Change& change) {
  if (const Change* first = first_name(change)) {
    written_.push_back({&change, UniqueFd(), first});
    return;
  }
  int parent = host_parent(change), from = upper_.of(change.path);
  require(from >= 0);
  UniqueFd source = open_regular(from, name_of(change));
  struct stat status {};
  require(source && fstat(source.get(), &status) == 0);
  UniqueFd file(openat(parent, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  require(file && copy_content(source.get(), file.get()));
  timespec times[] = {status.st_atim, status.st_mtim};
  require(fchmod(file.get(), plain_mode(status.st_mode)) == 0 && futimens(file.get(), times) == 0);
  written_.push_back({&change, std::move(file), nullptr});
}

void Committer::name_file(Written& written) {
  const Change& change = *written.change;
  int parent = host_parent(change);
  if (written.first) written.file = named_as(*written.first);
  std::string path = "/proc/self/fd/" + std::to_string(written.file.get());
  put(parent, change,
      [&](const char* name) { return linkat(AT_FDCWD, path.c_str(), parent, name, AT_SYMLINK_FOLLOW) == 0; });
  struct stat made {};
  if (change.status.st_nlink > 1 && fstat(written.file.get(), &made) == 0) {
    named_.emplace(&change, std::pair(made.st_dev, made.st_ino));
  }
  done(change);
}

UniqueFd Committer::named_as(const Change& first) const {
  UniqueFd file = open_beneath(store_.home_directory(), first.path, O_PATH);
  struct stat found {};
  auto named = named_.find(&first);
  bool is_it = file && named != named_.end() && fstat(file.get(), &found) == 0 &&
               named->second == std::pair(found.st_dev, found.st_ino);
  if (!is_it) throw Failure{"another name of the same file could not be taken over"};
  return file;
}

void Committer::take(const Change& change) try {
  if (change.kind == ChangeKind::none) {
    // It is on the host already: of a file that was opened and left as it was, or of a commit that was cut short.
    if (change.now != FileKind::directory) done_.push_back(&change);
  } else if (!change.obstacle.empty()) {
    leave(change, change.obstacle);
  } else if (change.is_conflict && !force_) {
    leave(change, "the host's file changed since");
  } else if (change.kind == ChangeKind::deleted) {
    take_deletion(change);
  } else if (change.now == FileKind::directory) {
    take_directory(change);
  } else if (change.now == FileKind::symlink) {
    take_symlink(change);
  } else {
    write_file(change);
  }
  if (written_.size() + done_.size() >= most_at_once_) flush();
} catch (const Failure& failure) {
  leave(change, failure.why);
}

void Committer::sync_written() const {
  bool is_safe = true;
  if (written_.size() > kFew) is_safe = syncfs(store_.home_directory()) == 0;
  for (const Written& written : written_) {
    if (written_.size() <= kFew && written.file) is_safe = is_safe && fsync(written.file.get()) == 0;
  }
  if (!is_safe) throw system_error("write to the disk", errno);
}

void Committer::flush() {
  sync_written();
  for (Written& written : written_) {
    try {
      name_file(written);
    } catch (const Failure& failure) {
      leave(*written.change, failure.why);
    }
  }
  written_.clear();
  if (done_.empty()) return;
  if (syncfs(store_.home_directory()) != 0) throw system_error("write to the disk", errno);
  std::vector<std::string> paths;
  for (const Change* change : done_) {
    if (change->kind != ChangeKind::none) paths.push_back(change->path);
  }
  store_.add_taken(paths);
  for (const Change* change : done_) let_go(*change);
  done_.clear();
}

void Committer::done(const Change& change) {
  ++result_.taken;
  on_taken_(change);
  done_.push_back(&change);
}

// Also where the mode of the directory forbids it, which then stays as it is.
bool unlink_from(int directory, const std::string& name) {
  if (unlinkat(directory, name.c_str(), 0) == 0) return true;
  struct stat status {};
  if (errno != EACCES || fstat(directory, &status) != 0) return false;
  bool is_gone = fchmod(directory, status.st_mode | S_IRWXU) == 0 && unlinkat(directory, name.c_str(), 0) == 0;
  int why = errno;
  fchmod(directory, status.st_mode & 07777);
  errno = why;
  return is_gone;
}

// In the overlay a directory goes when it is empty, after all else.
void Committer::let_go(const Change& change) {
  if (change.now == FileKind::directory) return;
  int parent = upper_.of(change.path);
  // Below a directory that is gone, or became something else, there is nothing to let go of.
  if (parent < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return;
  bool is_gone = parent >= 0 && (unlink_from(parent, name_of(change)) || errno == ENOENT);
  if (!is_gone) throw system_error("remove from the overlay " + quote(change.path), errno);
}

void name_hidden(int upper, int lower, bool opaque, int depth);

void name_hidden_in(int upper, int lower, const std::string& name, bool opaque, int depth) {
  UniqueFd above = open_to_list(upper, name);
  if (!above) return;
  UniqueFd below = lower < 0 ? UniqueFd() : open_to_list(lower, name);
  bool inner = opaque || is_opaque(above.get());
  if (inner && below && !make_opaque(above.get())) throw system_error(quote(name), errno);
  name_hidden(above.get(), below.get(), inner, depth);
}

void name_hidden(int upper, int lower, bool opaque, int depth) {
  for (const std::string& name : names_in(upper)) {
    bool enters = depth < kDeepestScanned && S_ISDIR(status_of(upper, name).st_mode);
    if (enters) name_hidden_in(upper, lower, name, opaque, depth + 1);
  }
  if (!opaque) return;
  for (const std::string& name : lower < 0 ? std::vector<std::string>() : names_in(lower)) {
    if (kind_of(status_of(upper, name).st_mode) != FileKind::missing) continue;
    if (mknodat(upper, name.c_str(), S_IFCHR, makedev(0, 0)) != 0) throw system_error(quote(name), errno);
  }
  if (!end_opaque(upper)) throw system_error("overlay", errno);
}

// Directories that are as on the host and hold nothing, from the inside out.
bool remove_idle_directories(int upper, int lower, int depth) {
  bool is_empty = true;
  for (const std::string& name : names_in(upper)) {
    struct stat status = status_of(upper, name);
    UniqueFd above, below;
    if (S_ISDIR(status.st_mode) && depth < kDeepestScanned) above = open_to_list(upper, name);
    if (above) below = open_to_list(lower, name);
    struct stat host {};
    bool is_idle = below && fstat(below.get(), &host) == 0 &&
                   remove_idle_directories(above.get(), below.get(), depth + 1) &&
                   plain_mode(host.st_mode) == plain_mode(status.st_mode) && !is_opaque(above.get()) &&
                   unlinkat(upper, name.c_str(), AT_REMOVEDIR) == 0;
    is_empty = is_empty && is_idle;
  }
  return is_empty;
}

}  // namespace

void name_what_is_hidden(const OverlayStore& store) {
  int hidden = store.layers().blank ? -1 : store.home_directory();
  name_hidden(store.upper(), hidden, is_opaque(store.upper()), 0);
}

void remove_leftovers(const OverlayStore& store, const std::vector<Change>& changes) {
  if (!store.was_interrupted()) return;
  Parents host(store.home_directory());
  for (const Change& change : changes) {
    int parent = host.of(change.path);
    if (parent >= 0) unlinkat(parent, kFresh, 0);
  }
}

void discard_changes(OverlayStore& store, const std::vector<Change>& changes,
                     const std::function<bool(const Change&)>& wanted) {
  name_what_is_hidden(store);
  for (const Change& change : changes) {
    if (!wanted(change)) continue;
    UniqueFd parent = open_beneath(store.upper(), directory_of(change.path), O_RDONLY | O_DIRECTORY);
    if (parent && kind_of(status_of(parent.get(), name_of(change)).st_mode) != FileKind::missing) {
      remove_tree(parent.get(), name_of(change));
    }
  }
  remove_idle_directories(store.upper(), store.home_directory(), 0);
}

CommitResult commit(OverlayStore& store, const std::vector<Change>& changes,
                    const std::function<bool(const Change&)>& wanted, bool force, const OnTaken& on_taken) {
  Committer committer(store, force, on_taken);
  store.begin_commit();
  name_what_is_hidden(store);
  for (const Change& change : changes) {
    if (wanted(change)) committer.take(change);
  }
  CommitResult result = committer.finish();
  remove_idle_directories(store.upper(), store.home_directory(), 0);
  store.end_commit();
  return result;
}

}  // namespace sbox
