#include "overlay/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/strings.h"
#include "overlay/files.h"
#include "plan/paths.h"
#include "plan/places.h"

namespace sbox {
namespace {

constexpr char kUpper[] = "upper", kWork[] = "work", kRecord[] = "record", kTaken[] = "taken", kLock[] = "lock",
               kCommitting[] = "committing";
constexpr off_t kLargestRecord = 1 << 16;
constexpr off_t kLargestTaken = 256 << 20;

std::string overlays(const std::string& data) { return join(data, "overlays"); }

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
  if (!at) throw system_error(quote(path), errno);
  return at;
}

// Invalid when somebody else has it.
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

void write_all(int file, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t part = write(file, text.data() + done, text.size() - done);
    if (part <= 0) throw system_error("record of the overlay", part < 0 ? errno : ENOSPC);
    done += static_cast<size_t>(part);
  }
}

std::optional<std::string> read_all(int directory, const char* name, off_t limit) {
  UniqueFd file = open_regular(directory, name);
  if (!file && errno == ENOENT) return std::nullopt;
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) throw system_error("record of the overlay", errno);
  if (status.st_size > limit) throw Error("record of the overlay", "it is too large");
  std::string text(static_cast<size_t>(status.st_size), '\0');
  if (pread(file.get(), text.data(), text.size(), 0) != status.st_size)
    throw system_error("record of the overlay", errno);
  return text;
}

// Whole or not at all.
void replace_file(int directory, const char* name, const std::string& text) {
  std::string fresh = std::string(name) + ".new";
  UniqueFd file(openat(directory, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw system_error("record of the overlay", errno);
  write_all(file.get(), text);
  if (fsync(file.get()) != 0 || renameat(directory, fresh.c_str(), directory, name) != 0) {
    throw system_error("record of the overlay", errno);
  }
}

// By the clock that the kernel stamps files with.
timespec now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  return time;
}

struct Record {
  std::string home;
  timespec began{};
};

std::optional<Record> read_record_of(int directory) {
  std::optional<std::string> text = read_all(directory, kRecord, kLargestRecord);
  if (!text) return std::nullopt;
  auto json = nlohmann::json::parse(*text, nullptr, false);
  auto broken = [] { return Error("record of the overlay", "it cannot be read").hint("discard the overlay"); };
  if (!json.is_object() || !json["home"].is_string() || !json["began"].is_array() || json["began"].size() != 2) {
    throw broken();
  }
  for (const auto& number : json["began"]) {
    if (!number.is_number_integer()) throw broken();
  }
  return Record{json["home"], {json["began"][0], json["began"][1]}};
}

bool is_empty(int directory, const char* name) {
  UniqueFd inner = open_beneath(directory, name, O_RDONLY | O_DIRECTORY);
  if (!inner && errno == ENOENT) return true;
  if (!inner) throw system_error(name, errno);
  return names_in(inner.get()).empty() && !is_opaque(inner.get());
}

}  // namespace

UniqueFd begin_run(const Overlay& overlay) {
  std::string name = base_name(overlay.directory);
  UniqueFd directory = make_path(overlay.directory);
  UniqueFd lock = take_lock(directory.get());
  if (!lock) {
    throw in_use(name, "end the sandbox that has it, or name another one: --name NAME, or -s home.overlay=NAME");
  }
  std::optional<Record> record = read_record_of(directory.get());
  bool is_fresh = is_empty(directory.get(), kUpper);
  if (!is_fresh && (!record || record->home != overlay.lower)) {
    throw Error("overlay " + quote(name), "it holds changes of another home directory")
        .hint("name another one: --name NAME, or -s home.overlay=NAME");
  }
  if (!is_fresh) return lock;
  timespec began = now();
  nlohmann::ordered_json fresh = {{"home", overlay.lower}, {"began", {began.tv_sec, began.tv_nsec}}};
  unlinkat(directory.get(), kTaken, 0);
  replace_file(directory.get(), kRecord, fresh.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return lock;
}

std::vector<std::string> OverlayStore::list(const std::string& data) {
  UniqueFd all(::open(overlays(data).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!all) return {};
  std::vector<std::string> names = names_in(all.get());
  std::erase_if(names, [&](const std::string& name) {
    return kind_of(status_of(all.get(), name + "/" + kRecord).st_mode) != FileKind::file;
  });
  return names;
}

OverlayStore OverlayStore::open(const Host& host, const Places& places, const std::string& name) {
  OverlayStore store;
  store.name_ = name;
  std::string data = data_directory(host, places);
  std::string path = overlays(data) + "/" + name;
  if (is_directory_name(name)) {
    store.directory_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (store.directory_) store.upper_ = open_beneath(store.directory(), kUpper, O_RDONLY | O_DIRECTORY);
  std::optional<Record> record;
  if (store.upper_) record = read_record_of(store.directory());
  if (!record) {
    std::optional<std::string> near = nearest(name, list(data));
    throw Error("overlay " + quote(name), "there is none of that name")
        .hint(near ? "did you mean " + quote(*near) + "?" : "`sbox diff` lists them");
  }
  store.home_ = record->home;
  store.since_.began = record->began;
  store.read_taken();
  for (const std::string& own : policy_directories(host, places)) {
    if (is_below(own, store.home_)) store.own_.push_back(rest_below(own, store.home_));
  }
  store.home_directory_.reset(::open(store.home_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!store.home_directory_) throw system_error(quote(store.home_), errno);
  return store;
}

void OverlayStore::lock(const char* what) {
  lock_ = take_lock(directory());
  if (!lock_) throw in_use(name_, std::string("end the sandbox that has it, then ") + what);
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
  layers.own = own_;
  return layers;
}

// Lines "SECONDS NANOSECONDS PATH", each ended by NUL.
void OverlayStore::read_taken() {
  std::optional<std::string> text = read_all(directory(), kTaken, kLargestTaken);
  if (!text) return;
  std::string_view left = *text;
  while (left.find('\0') != std::string_view::npos) {
    std::string_view line = take_part(left, '\0');
    auto seconds = parse_number(take_part(line, ' ')), nanoseconds = parse_number(take_part(line, ' '));
    if (!seconds || !nanoseconds) continue;
    since_.taken[std::string(line)] = {static_cast<time_t>(*seconds), static_cast<long>(*nanoseconds)};
  }
}

void OverlayStore::begin_commit() { replace_file(directory(), kCommitting, ""); }

void OverlayStore::add_taken(const std::vector<std::string>& paths) {
  UniqueFd file(openat(directory(), kTaken, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw system_error("record of the overlay", errno);
  timespec time = now();
  std::string text;
  for (const std::string& path : paths) {
    text += std::to_string(time.tv_sec) + " " + std::to_string(time.tv_nsec) + " " + path + '\0';
  }
  write_all(file.get(), text);
}

void OverlayStore::end_commit() {
  if (unlinkat(directory(), kCommitting, 0) != 0 && errno != ENOENT) throw system_error("record of the overlay", errno);
}

void OverlayStore::discard() {
  for (const char* name : {kUpper, kWork, kRecord, kTaken, kCommitting}) remove_tree(directory(), name);
}

}  // namespace sbox
