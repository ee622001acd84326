#include "overlay/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/error.h"
#include "base/strings.h"
#include "overlay/copy.h"
#include "overlay/directory.h"
#include "overlay/files.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// Names with a dot in front are no labels.
constexpr char kUnfinished[] = ".new", kRemoved[] = ".removed";
// The next state, being made; and from the moment on that it has this name, the state that the overlay is to have.
constexpr char kPrepared[] = "restoring.new", kRestoring[] = "restoring";
constexpr char kNext[] = "next", kBefore[] = "before";
constexpr const char* kState[] = {kUpper, kRecord, kTaken};

UniqueFd open_directory(int directory, const std::string& name) {
  UniqueFd opened = open_beneath(directory, name, O_RDONLY | O_DIRECTORY);
  if (!opened && errno != ENOENT) throw system_error(quote(name), errno);
  return opened;
}

UniqueFd make_directory(int directory, const char* name) {
  if (mkdirat(directory, name, S_IRWXU) != 0 && errno != EEXIST) throw system_error(quote(name), errno);
  UniqueFd made = open_directory(directory, name);
  if (!made) throw system_error(quote(name), errno);
  return made;
}

bool is_there(int directory, const char* name) {
  return kind_of(status_of(directory, name).st_mode) != FileKind::missing;
}

void move(int from, const char* name, int to, const char* new_name) {
  if (renameat(from, name, to, new_name) != 0) throw system_error(quote(new_name), errno);
}

void sync_all(int directory) {
  if (syncfs(directory) != 0) throw system_error("write to the disk", errno);
}

// The state in the directory `from`, as a copy in the empty directory `to`.
Copied copy_state(int from, int to, const std::optional<SnapshotFacts>& facts) {
  UniqueFd upper = open_upper(from);
  std::optional<OverlayRecord> record = read_record(from);
  if (!upper || !record) throw Error("snapshot", "it is not whole");
  Copied copied = copy_layer(upper.get(), make_directory(to, kUpper).get());
  replace_file(to, kTaken, read_taken(from));
  record->snapshot = facts;
  if (facts) {
    record->snapshot->files = copied.files;
    record->snapshot->bytes = copied.bytes;
  }
  replace_file(to, kRecord, record_text(*record));
  return copied;
}

bool is_changed(int state) {
  UniqueFd upper = open_upper(state);
  return upper && is_there(state, kRecord) && (is_opaque(upper.get()) || !names_in(upper.get()).empty());
}

timespec now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

// For the snapshot that the state becomes when another takes its place.
void note_facts(int state) {
  OverlayRecord record = read_record(state).value();
  Copied copied = count_layer(open_upper(state).get());
  record.snapshot = {now(), copied.files, copied.bytes};
  replace_file(state, kRecord, record_text(record));
}

// What was in the overlay becomes a snapshot by a rename.
void keep_before(int directory, int restoring) {
  UniqueFd before = open_directory(restoring, kBefore);
  if (!before || !is_changed(before.get())) return;
  UniqueFd snapshots = make_directory(directory, kSnapshots);
  remove_tree(snapshots.get(), kBeforeRestore);
  move(restoring, kBefore, snapshots.get(), kBeforeRestore);
}

// Each step is passed over where it was done already.
void finish_restore(int directory) {
  UniqueFd restoring = open_directory(directory, kRestoring);
  if (!restoring) return;
  UniqueFd next = make_directory(restoring.get(), kNext);
  for (const char* part : kState) {
    if (!is_there(next.get(), part)) continue;
    UniqueFd before = make_directory(restoring.get(), kBefore);
    if (is_there(directory, part)) move(directory, part, before.get(), part);
    move(next.get(), part, directory, part);
  }
  for (const char* part : {kCommitting, kWork}) remove_tree(directory, part);
  sync_all(directory);
  keep_before(directory, restoring.get());
  restoring.reset();
  remove_tree(directory, kRestoring);
}

}  // namespace

bool is_unsettled(int directory) { return is_there(directory, kRestoring); }

void settle(int directory) {
  finish_restore(directory);
  if (is_there(directory, kPrepared)) remove_tree(directory, kPrepared);
  UniqueFd snapshots = open_directory(directory, kSnapshots);
  for (const char* left : {kUnfinished, kRemoved}) {
    if (snapshots && is_there(snapshots.get(), left)) remove_tree(snapshots.get(), left);
  }
}

Snapshots Snapshots::open(const Host& host, const Places& places, const std::string& overlay) {
  Snapshots snapshots;
  snapshots.overlay_ = overlay;
  std::string all = join(data_directory(host, places), kOverlays), path = all + "/" + overlay;
  if (is_directory_name(overlay)) {
    snapshots.directory_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  int directory = snapshots.directory_.get();
  bool is_some =
      directory >= 0 && (is_there(directory, kRecord) || is_unsettled(directory) || !snapshots.list().empty());
  if (is_some) return snapshots;
  throw Error("overlay " + quote(overlay), "there is none of that name, nor a snapshot of one")
      .hint("`sbox diff` and `sbox snapshot --list` list them");
}

std::vector<std::string> Snapshots::overlays_with_some(const std::string& data) {
  UniqueFd all(::open(join(data, kOverlays).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!all) return {};
  std::vector<std::string> names = names_in(all.get());
  std::erase_if(names, [&](const std::string& name) {
    Snapshots snapshots;
    snapshots.directory_ = open_beneath(all.get(), name, O_RDONLY | O_DIRECTORY);
    return !is_directory_name(name) || !snapshots.directory_ || snapshots.list().empty();
  });
  return names;
}

void Snapshots::lock(const char* what) {
  lock_ = take_lock(directory_.get());
  if (!lock_) throw in_use(overlay_, std::string("end the sandbox that has it, then ") + what);
  settle(directory_.get());
}

std::vector<Snapshot> Snapshots::list() const {
  std::vector<Snapshot> list;
  UniqueFd snapshots = open_directory(directory_.get(), kSnapshots);
  if (!snapshots) return list;
  for (const std::string& label : names_in(snapshots.get())) {
    UniqueFd state = is_directory_name(label) ? open_directory(snapshots.get(), label) : UniqueFd();
    std::optional<OverlayRecord> record = state ? read_record(state.get()) : std::nullopt;
    if (record) list.push_back({label, record->snapshot.value_or(SnapshotFacts())});
  }
  auto age = [](const Snapshot& one) { return std::tie(one.facts.made.tv_sec, one.facts.made.tv_nsec, one.label); };
  std::sort(list.begin(), list.end(), [&](const Snapshot& a, const Snapshot& b) { return age(a) < age(b); });
  return list;
}

UniqueFd Snapshots::directory_of(const std::string& label) const {
  UniqueFd snapshots = open_directory(directory_.get(), kSnapshots);
  UniqueFd state = snapshots && is_directory_name(label) ? open_directory(snapshots.get(), label) : UniqueFd();
  if (state) return state;
  std::vector<std::string> labels;
  for (const Snapshot& one : list()) labels.push_back(one.label);
  std::optional<std::string> near = nearest(label, labels);
  throw Error("snapshot " + quote(label), "there is none of that name")
      .hint(near ? "did you mean " + quote(*near) + "?" : "`sbox snapshot --list` lists them");
}

Snapshot Snapshots::take(const std::string& label) {
  if (!is_directory_name(label) || label == kBeforeRestore) {
    throw Error("snapshot " + quote(label), "not a name for a snapshot")
        .hint("no dot in front, no slash, 255 bytes at most, not " + std::string(kBeforeRestore));
  }
  if (!is_changed(directory_.get())) throw Error("overlay " + quote(overlay_), "nothing is changed in it");
  UniqueFd snapshots = make_directory(directory_.get(), kSnapshots);
  if (is_there(snapshots.get(), label.c_str())) {
    throw Error("snapshot " + quote(label), "there is one of that name").hint("delete it, or choose another name");
  }
  SnapshotFacts facts{now(), 0, 0};
  try {
    Copied copied = copy_state(directory_.get(), make_directory(snapshots.get(), kUnfinished).get(), facts);
    facts.files = copied.files;
    facts.bytes = copied.bytes;
    sync_all(directory_.get());
    move(snapshots.get(), kUnfinished, snapshots.get(), label.c_str());
  } catch (const Error&) {
    remove_tree(snapshots.get(), kUnfinished);
    throw;
  }
  sync_all(directory_.get());
  return {label, facts};
}

std::string Snapshots::restore(const std::string& label) {
  UniqueFd state = directory_of(label);
  bool had_changes = is_changed(directory_.get());
  if (had_changes) note_facts(directory_.get());
  try {
    UniqueFd prepared = make_directory(directory_.get(), kPrepared);
    copy_state(state.get(), make_directory(prepared.get(), kNext).get(), std::nullopt);
    sync_all(directory_.get());
    move(directory_.get(), kPrepared, directory_.get(), kRestoring);
  } catch (const Error&) {
    remove_tree(directory_.get(), kPrepared);
    throw;
  }
  finish_restore(directory_.get());
  return had_changes ? kBeforeRestore : "";
}

void Snapshots::remove(const std::string& label) {
  directory_of(label);
  UniqueFd snapshots = open_directory(directory_.get(), kSnapshots);
  move(snapshots.get(), label.c_str(), snapshots.get(), kRemoved);
  remove_tree(snapshots.get(), kRemoved);
  unlinkat(directory_.get(), kSnapshots, AT_REMOVEDIR);  // when it was the last
}

}  // namespace sbox
