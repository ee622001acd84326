#include "overlay/throw_away.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/strings.h"
#include "overlay/commit.h"
#include "overlay/directory.h"
#include "overlay/files.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kOwner[] = "owner";

std::string all_of(const std::string& data) { return join(data, kThrowAways); }

// Invalid where somebody else owns it, or it is gone.
UniqueFd own(int directory) {
  UniqueFd owner(openat(directory, kOwner, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct stat status {};
  bool is_ours = owner && flock(owner.get(), LOCK_EX | LOCK_NB) == 0 && fstat(owner.get(), &status) == 0;
  // Whoever removed it meanwhile has removed this file as well.
  return is_ours && status.st_nlink == 1 ? std::move(owner) : UniqueFd();
}

UniqueFd open_all(const std::string& data) {
  return UniqueFd(open(all_of(data).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Invalid where another start, which cleaned up, took it away just now.
UniqueFd own_new(const std::string& path) try { return own(make_path(path).get()); } catch (const Error&) {
  if (errno != ENOENT) throw;
  return {};
}

// Waits for whoever uses the layers: a sandbox of which the first process is gone, so it takes the kernel some moments.
void wait_for_lock(int directory) {
  UniqueFd lock(openat(directory, kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  constexpr int kTries = 2000;
  constexpr timespec kNap{0, 10'000'000};
  for (int tries = 0; lock && flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno != EWOULDBLOCK || tries == kTries) throw Error("throw-away run", "its files are still in use");
    nanosleep(&kNap, nullptr);
  }
}

// Of one that is owned by the caller.
void remove_one(const Host& host, const Places& places, const std::string& path, UniqueFd owner) {
  UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return;
  wait_for_lock(directory.get());
  std::optional<OverlayStore> store = OverlayStore::open_at(host, places, path);
  if (store && store->was_interrupted()) remove_leftovers(*store, find_changes(store->layers()));
  store.reset();
  directory.reset();
  std::string parent = parent_of(path);
  UniqueFd all(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  try {
    if (all) remove_tree(all.get(), base_name(path));
  } catch (const Error&) {
    // On some file systems (FUSE, NFS) what is open keeps a name: once more, without what is left of our own.
    owner.reset();
    remove_tree(all.get(), base_name(path));
  }
  rmdir(parent.c_str());  // when it was the last
}

}  // namespace

ThrowAway ThrowAway::make(const Host& host, const Places& places) {
  std::string all = all_of(data_directory(host, places));
  constexpr int kTries = 16;
  for (int tries = 0; tries < kTries; ++tries) {
    constexpr size_t kDigits = 16;
    std::string path = join(all, host.random_hex(kDigits));
    UniqueFd owner = own_new(path);
    if (owner) return {path, std::move(owner)};
  }
  throw Error("throw-away run", "no directory can be made for it").hint("try again");
}

std::optional<OverlayStore> ThrowAway::wait_for_end(const Host& host, const Places& places) const {
  UniqueFd directory(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return std::nullopt;
  wait_for_lock(directory.get());
  std::optional<OverlayStore> store = OverlayStore::open_at(host, places, path_);
  if (store) store->lock("look at what it changed");
  return store;
}

std::vector<std::string> ThrowAway::recover() const {
  constexpr off_t kLargest = 1 << 20;
  UniqueFd directory(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  std::string text = directory ? read_small(directory.get(), kRecover, kLargest).value_or("") : "";
  std::vector<std::string> paths = split(text, '\0');
  std::erase(paths, "");
  return paths;
}

void ThrowAway::remove(const Host& host, const Places& places) { remove_one(host, places, path_, std::move(owner_)); }

void write_recover(const Plan& plan) {
  if (plan.overlay.recover.empty()) return;
  std::string text;
  for (const std::string& path : plan.overlay.recover) text += path + '\0';
  replace_file(make_path(plan.overlay.directory).get(), kRecover, text);
}

void make_mount_points(const Plan& plan, const std::string& home) {
  if (plan.overlay.lower != join(plan.overlay.directory, kLower)) return;
  for (const Node& node : plan.nodes) {
    if (!node.make_target || !is_below(node.target, home)) continue;
    std::string path = rebase(node.target, home, plan.overlay.lower);
    if (!node.is_file) {
      make_path(path);
      continue;
    }
    UniqueFd parent = make_path(parent_of(path));
    UniqueFd file(openat(parent.get(), base_name(path).c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw system_error(quote(path), errno);
  }
}

bool has_throw_aways(const std::string& data) { return open_all(data).ok(); }

void remove_stale_throw_aways(const Host& host, const Places& places) {
  std::string data = data_directory(host, places);
  UniqueFd all = open_all(data);
  if (!all) return;
  for (const std::string& name : names_in(all.get())) {
    UniqueFd directory = open_beneath(all.get(), name, O_RDONLY | O_DIRECTORY);
    UniqueFd owner = directory ? own(directory.get()) : UniqueFd();
    if (owner) remove_one(host, places, join(all_of(data), name), std::move(owner));
  }
  rmdir(all_of(data).c_str());
}

}  // namespace sbox
