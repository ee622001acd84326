#include "overlay/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/strings.h"
#include "overlay/directory.h"
#include "overlay/files.h"
#include "overlay/snapshot.h"
#include "plan/paths.h"
#include "plan/places.h"

namespace sbox {
namespace {

bool is_unchanged(int directory) {
  UniqueFd upper = open_upper(directory);
  if (!upper && errno == ENOENT) return true;
  if (!upper) throw system_error(kUpper, errno);
  return names_in(upper.get()).empty() && !is_opaque(upper.get());
}

}  // namespace

UniqueFd begin_run(const Overlay& overlay, const std::string& home) {
  std::string name = base_name(overlay.directory);
  UniqueFd directory = make_path(overlay.directory);
  UniqueFd lock = take_lock(directory.get());
  if (!lock) {
    throw in_use(name, "end the sandbox that has it, or name another one: --name NAME, or -s home.overlay=NAME");
  }
  settle(directory.get());
  std::optional<OverlayRecord> record = read_record(directory.get());
  bool is_fresh = is_unchanged(directory.get());
  if (!is_fresh && (!record || record->home != home)) {
    throw Error("overlay " + quote(name), "it holds changes of another home directory")
        .hint("name another one: --name NAME, or -s home.overlay=NAME");
  }
  if (!is_fresh) return lock;
  unlinkat(directory.get(), kTaken, 0);
  // What a program did not see is never what it changed.
  bool is_blank = overlay.lower != home;
  replace_file(directory.get(), kRecord,
               record_text({home, is_blank ? timespec{} : file_time(directory.get()), is_blank, std::nullopt}));
  return lock;
}

std::vector<std::string> OverlayStore::list(const std::string& data) {
  std::string path = join(data, kOverlays);
  UniqueFd all(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!all && errno != ENOENT) throw system_error(quote(path), errno);
  if (!all) return {};
  std::vector<std::string> names = names_in(all.get());
  std::erase_if(names, [&](const std::string& name) {
    UniqueFd each = open_beneath(all.get(), name, O_RDONLY | O_DIRECTORY);
    return !each || (kind_of(status_of(each.get(), kRecord).st_mode) != FileKind::file && !is_unsettled(each.get()));
  });
  return names;
}

OverlayStore OverlayStore::open(const Host& host, const Places& places, const std::string& name) {
  std::string data = data_directory(host, places);
  std::optional<OverlayStore> store;
  if (is_directory_name(name)) store = open_at(host, places, join(data, kOverlays) + "/" + name);
  if (store) return std::move(*store);
  std::optional<std::string> near = nearest(name, list(data));
  throw Error("overlay " + quote(name), "there is none of that name")
      .hint(near ? "did you mean " + quote(*near) + "?" : "`sbox diff` lists them");
}

std::optional<OverlayStore> OverlayStore::open_at(const Host& host, const Places& places, const std::string& path) {
  OverlayStore store;
  store.name_ = path.substr(path.rfind('/') + 1);
  store.directory_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!store.directory_) return std::nullopt;
  store.policy_ = policy_directories(host, places);
  if (is_unsettled(store.directory())) {
    UniqueFd lock = take_lock(store.directory());
    if (!lock) throw in_use(store.name_, "try again");
    settle(store.directory());
  }
  if (!store.load()) return std::nullopt;
  return store;
}

bool OverlayStore::load() {
  upper_ = open_upper(directory());
  std::optional<OverlayRecord> record = upper_ ? read_record(directory()) : std::nullopt;
  if (!record) return false;
  home_ = record->home;
  since_.began = record->began;
  is_blank_ = record->blank;
  since_.taken = parse_taken(read_taken(directory()));
  own_.clear();
  for (const std::string& own : policy_) {
    if (is_below(own, home_)) own_.push_back(rest_below(own, home_));
  }
  home_directory_.reset(::open(home_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (home_directory_) return true;
  throw system_error("overlay " + quote(name_) + " of the home " + quote(home_), errno)
      .hint("where that home is no more, remove the overlay's directory in ~/.local/share/sbox");
}

// What was read before may have been set back since.
void OverlayStore::lock(const char* what) {
  lock_ = take_lock(directory());
  if (!lock_) throw in_use(name_, std::string("end the sandbox that has it, then ") + what);
  settle(directory());
  if (!load()) throw Error("overlay " + quote(name_), "it was discarded just now");
}

bool OverlayStore::is_locked_by_other() const { return !lock_ && !take_lock(directory()); }

bool OverlayStore::was_interrupted() const {
  return kind_of(status_of(directory(), kCommitting).st_mode) == FileKind::file;
}

Layers OverlayStore::layers() const {
  Layers layers;
  layers.upper = upper();
  layers.home = home_directory();
  layers.since = since_;
  layers.blank = is_blank_;
  layers.own = own_;
  return layers;
}

void OverlayStore::begin_commit() { replace_file(directory(), kCommitting, ""); }

void OverlayStore::add_taken(const std::vector<std::string>& paths) {
  timespec time = file_time(directory());
  std::string text;
  for (const std::string& path : paths) text += taken_line(path, time);
  append_to_file(directory(), kTaken, text);
}

void OverlayStore::end_commit() {
  if (unlinkat(directory(), kCommitting, 0) != 0 && errno != ENOENT) throw system_error("record of the overlay", errno);
}

void OverlayStore::discard() {
  for (const char* name : {kUpper, kWork, kRecord, kTaken, kCommitting}) remove_tree(directory(), name);
}

}  // namespace sbox
