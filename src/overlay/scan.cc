#include "overlay/scan.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/unique_fd.h"
#include "overlay/files.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr size_t kLongestPath = 3500;  // with the home in front it can still be named

class Scanner {
 public:
  explicit Scanner(const Layers& layers) : layers_(layers) {}

  // `upper` or `lower` is -1 where that side has no such directory.
  void merge(int upper, int lower, const std::string& path, bool opaque, int depth);
  std::vector<Change> take() { return std::move(changes_); }

 private:
  void visit(int upper, int lower, const std::string& path, const std::string& name, bool opaque, int depth);
  void visit_directory(int upper, int lower, Change change, const std::string& name, bool opaque, int depth);
  void delete_all(int lower, const std::string& path, const std::string& name, int depth);
  Change make(int lower, const std::string& path, const std::string& name) const;
  void compare_files(int upper, int lower, Change& change, const std::string& name) const;
  void add(Change change);

  const Layers& layers_;
  std::vector<Change> changes_;
};

void Scanner::merge(int upper, int lower, const std::string& path, bool opaque, int depth) {
  std::vector<std::string> above = names_in(upper);
  for (const std::string& name : above) visit(upper, lower, path, name, opaque, depth);
  if (!opaque || lower < 0 || layers_.blank) return;
  for (const std::string& name : names_in(lower)) {
    if (!std::binary_search(above.begin(), above.end(), name)) delete_all(lower, path, name, depth);
  }
}

Change Scanner::make(int lower, const std::string& path, const std::string& name) const {
  Change change;
  change.path = path.empty() ? name : path + "/" + name;
  if (lower >= 0) change.host = status_of(lower, name);
  change.before = kind_of(change.host.st_mode);
  auto taken = layers_.since.taken.find(change.path);
  const timespec& since = taken == layers_.since.taken.end() ? layers_.since.began : taken->second;
  bool is_there = change.before != FileKind::missing && change.before != FileKind::directory;
  change.is_conflict = is_there && is_later(change.host.st_ctim, since);
  if (is_at_or_below_any(change.path, layers_.own)) change.obstacle = "it belongs to sbox itself";
  if (name == kFresh) change.obstacle = "its name is one that sbox uses";
  if (change.path.size() > kLongestPath) change.obstacle = "its path is too long";
  return change;
}

// What takes the place of a directory on the way to what is sbox's own would lead elsewhere.
void Scanner::add(Change change) {
  bool is_on_the_way = std::any_of(layers_.own.begin(), layers_.own.end(),
                                   [&](const std::string& own) { return own.starts_with(change.path + "/"); });
  bool is_directory =
      change.now == FileKind::directory && (change.before == FileKind::directory || change.before == FileKind::missing);
  if (is_on_the_way && !is_directory) change.obstacle = "it leads to what belongs to sbox itself";
  changes_.push_back(std::move(change));
}

void Scanner::visit(int upper, int lower, const std::string& path, const std::string& name, bool opaque, int depth) {
  Change change = make(lower, path, name);
  change.status = status_of(upper, name);
  if (kind_of(change.status.st_mode) == FileKind::missing) return;  // gone since, for the program runs
  if (is_whiteout(change.status)) {
    if (layers_.blank) change.before = FileKind::missing;
    if (change.before != FileKind::missing) return delete_all(lower, path, name, depth);
    change.status = {};
    return add(std::move(change));
  }
  change.now = kind_of(change.status.st_mode);
  if (change.now == FileKind::directory) {
    return visit_directory(upper, lower, std::move(change), name, opaque, depth);
  }
  if (change.before == FileKind::directory) {
    UniqueFd gone = layers_.blank ? UniqueFd() : open_to_list(lower, name);
    if (!gone) change.obstacle = "the host's directory was not looked into";
    for (const std::string& each : gone ? names_in(gone.get()) : std::vector<std::string>()) {
      delete_all(gone.get(), change.path, each, depth + 1);
    }
  }
  change.kind = change.before == FileKind::missing ? ChangeKind::added : ChangeKind::changed;
  if (change.now == FileKind::symlink) {
    change.link = link_target(upper, name);
    bool is_same = change.before == FileKind::symlink && link_target(lower, name) == change.link;
    if (is_same) change.kind = ChangeKind::none;
  } else if (change.now == FileKind::file) {
    compare_files(upper, lower, change, name);
  } else {
    change.obstacle = "it is no file, directory or symlink";
  }
  add(std::move(change));
}

void Scanner::compare_files(int upper, int lower, Change& change, const std::string& name) const {
  UniqueFd ours = open_regular(upper, name);
  if (!ours) change.obstacle = "it cannot be read";
  if (!ours || change.before != FileKind::file || change.status.st_size != change.host.st_size) return;
  UniqueFd hosts = open_regular(lower, name);
  change.same_content = hosts && have_same_content(ours.get(), hosts.get());
  bool is_same = change.same_content && is_same_time(change.status.st_mtim, change.host.st_mtim) &&
                 plain_mode(change.status.st_mode) == plain_mode(change.host.st_mode);
  if (is_same) change.kind = ChangeKind::none;
  if (change.same_content) change.is_conflict = false;
}

void Scanner::visit_directory(int upper, int lower, Change change, const std::string& name, bool opaque, int depth) {
  bool has_lower = change.before == FileKind::directory;
  change.kind = change.before == FileKind::missing ? ChangeKind::added : ChangeKind::changed;
  bool is_same = layers_.blank || plain_mode(change.status.st_mode) == plain_mode(change.host.st_mode);
  if (has_lower && is_same) change.kind = ChangeKind::none;
  UniqueFd above = open_to_list(upper, name), below;
  if (has_lower) below = open_to_list(lower, name);
  if (!above || (has_lower && !below)) change.obstacle = "it cannot be looked into";
  if (depth >= kDeepestScanned) change.obstacle = "it lies too deep";
  bool enters = change.obstacle.empty();
  std::string path = change.path;
  if (!enters && change.kind == ChangeKind::none) change.kind = ChangeKind::changed;
  add(std::move(change));
  if (enters) merge(above.get(), below.get(), path, opaque || is_opaque(above.get()), depth + 1);
}

void Scanner::delete_all(int lower, const std::string& path, const std::string& name, int depth) {
  Change change = make(lower, path, name);
  change.kind = ChangeKind::deleted;
  if (change.before == FileKind::directory) {
    UniqueFd below = open_to_list(lower, name);
    bool enters = below && depth < kDeepestScanned;
    if (!enters && change.obstacle.empty()) change.obstacle = "it cannot be looked into";
    if (enters) {
      for (const std::string& each : names_in(below.get())) delete_all(below.get(), change.path, each, depth + 1);
    }
  }
  add(std::move(change));
}

}  // namespace

bool is_at_or_below_any(const std::string& path, const std::vector<std::string>& directories) {
  return std::any_of(directories.begin(), directories.end(),
                     [&](const std::string& each) { return path == each || path.starts_with(each + "/"); });
}

std::vector<Change> find_changes(const Layers& layers) {
  Scanner scanner(layers);
  scanner.merge(layers.upper, layers.home, "", is_opaque(layers.upper), 0);
  return scanner.take();
}

}  // namespace sbox
