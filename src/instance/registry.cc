#include "instance/registry.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <tuple>

#include "base/contains.h"
#include "base/error.h"
#include "base/handover.h"
#include "base/strings.h"
#include "instance/process.h"
#include "plan/instance_name.h"

namespace sbox {
namespace {

constexpr char kDirectory[] = "/.local/share/sbox/running";
constexpr char kLauncher[] = "/sbox-launch";
constexpr size_t kLongestCommandLine = 3 * 4096;
constexpr int kNumberBits = 20;  // of a place
constexpr uint64_t kNumbers = uint64_t{1} << kNumberBits, kBases = uint64_t{1} << (62 - kNumberBits);
constexpr off_t kPlaces = off_t{1} << 62;

// "x" is number 1 of x, "x-7" number 7; what nobody would count so is a name of its own.
std::pair<std::string_view, uint64_t> number_of(std::string_view name) {
  size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || name.substr(dash + 1).starts_with('0')) return {name, 1};
  std::optional<unsigned long long> number = parse_number(name.substr(dash + 1));
  if (!number || *number < 2 || *number >= kNumbers) return {name, 1};
  return {name.substr(0, dash), *number};
}

// FNV-1a: a name always has the same place, and two names the same one never by chance. Those that are counted lie side
// by side: there is nothing to ask between them.
off_t place_of(std::string_view name) {
  auto [base, number] = number_of(name);
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : base) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<off_t>(hash % kBases * kNumbers + number);
}

struct flock lock_of(off_t place, off_t size = 1) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = place;
  lock.l_len = size;
  return lock;
}

// A lock of another process between `begin` and `end`. There is none in a file that does not exist (-1).
std::optional<struct flock> other_lock(int file, off_t begin, off_t end) {
  if (file < 0) return std::nullopt;
  struct flock lock = lock_of(begin, end - begin);
  if (fcntl(file, F_GETLK, &lock) != 0) throw system_error("list of instances", errno);
  if (lock.l_type == F_UNLCK) return std::nullopt;
  return lock;
}

// The kernel lists locks in no order that could be relied on: whichever it names splits what is left to ask.
void collect_locks(int file, off_t begin, off_t end, std::vector<struct flock>& found) {
  while (begin < end) {
    std::optional<struct flock> lock = other_lock(file, begin, end);
    if (!lock) return;
    found.push_back(*lock);
    collect_locks(file, begin, lock->l_start, found);
    // A length of 0 reaches to the end of the file.
    if (lock->l_len == 0) return;
    begin = lock->l_start + lock->l_len;
  }
}

Error unsafe(const std::string& path, const char* why) { return Error(path, why).hint("remove it"); }

// Only the user has ever been able to open it.
void require_own(int file, mode_t type, const std::string& path) {
  constexpr mode_t kOthers = 077;
  struct stat status {};
  if (fstat(file, &status) != 0) throw system_error(path, errno);
  if ((status.st_mode & S_IFMT) != type || (type == S_IFREG && status.st_nlink != 1)) {
    throw unsafe(path, "not what sbox makes");
  }
  if (status.st_uid != geteuid()) throw unsafe(path, "belongs to another user");
  if (status.st_mode & kOthers) throw unsafe(path, "others may open it");
}

// Where nothing can be made: no reason not to start.
bool is_no_place(int errnum) {
  constexpr int kNoPlace[] = {ENOENT, ENOTDIR, EACCES, EPERM, EROFS, ENOSPC, EDQUOT};
  return contains(kNoPlace, errnum);
}

// Not all file systems have them.
bool has_locks(int file) {
  struct flock lock = lock_of(0);
  return fcntl(file, F_GETLK, &lock) == 0;
}

UniqueFd open_own(const std::string& path, int flags, mode_t type) {
  UniqueFd file(::open(path.c_str(), O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags, 0600));
  if (file) require_own(file.get(), type, path);
  return file;
}

void make_directories(const std::string& home) {
  for (const char* part : {"/.local", "/.local/share", "/.local/share/sbox", kDirectory}) {
    mkdir((home + part).c_str(), 0700);
  }
}

}  // namespace

std::vector<std::string> command_line_of(const Instance& instance) {
  return {"sbox", instance.name, instance.profile, instance.program};
}

bool parse_command_line(std::string_view bytes, Instance& instance) {
  constexpr size_t kWords = 4;
  if (!bytes.ends_with('\0')) return false;
  bytes.remove_suffix(1);
  std::vector<std::string> words = split(bytes, '\0');
  if (words.size() != kWords || words[0] != "sbox" || !is_instance_name(words[1])) return false;
  instance.name = words[1];
  instance.profile = words[2];
  instance.program = words[3];
  return true;
}

Registry::Registry(const std::string& home) : directory_(home + kDirectory) {
  is_usable_ = open_own(directory_, O_RDONLY, S_IFDIR).ok();
}

Registry Registry::open(const std::string& home) {
  Registry registry(home);
  if (!registry.is_usable_ && errno != ENOENT && errno != ENOTDIR) throw system_error(registry.directory_, errno);
  return registry;
}

Registry Registry::open_or_make(const std::string& home) {
  Registry registry(home);
  if (!registry.is_usable_ && errno == ENOENT) {
    make_directories(home);
    registry = Registry(home);
  }
  registry.makes_ = true;
  registry.is_usable_ = registry.is_usable_ && registry.open_file(0);
  if (!registry.is_usable_ && !is_no_place(errno)) throw system_error(registry.directory_, errno).hint("remove it");
  registry.is_usable_ = registry.is_usable_ && has_locks(registry.file(0));
  return registry;
}

size_t Registry::number_of_file(int64_t place) {
  auto at = static_cast<uint64_t>(place);
  return (at / kNumbers + at) % kFiles;
}

std::string Registry::path_of(size_t number) const { return directory_ + "/" + std::to_string(number); }

bool Registry::open_file(size_t number) const {
  if (files_[number]) return true;
  files_[number] = open_own(path_of(number), O_RDWR | (makes_ ? O_CREAT : 0), S_IFREG);
  // Where nothing can be claimed any more, what was claimed before can still be asked for.
  if (!files_[number] && errno == EROFS && !makes_) files_[number] = open_own(path_of(number), O_RDONLY, S_IFREG);
  return files_[number].ok();
}

int Registry::file(size_t number) const {
  if (!open_file(number) && errno != ENOENT) throw system_error(path_of(number), errno);
  return files_[number].get();
}

// Before anything is locked: closing another descriptor of the file would let go.
void Registry::put_at_claim_descriptor(size_t number) {
  if (file(number) == kClaimDescriptor) return;
  for (UniqueFd& each : files_) {
    if (each.get() == kClaimDescriptor) each.reset();
  }
  UniqueFd moved(fcntl(file(number), F_DUPFD_CLOEXEC, kClaimDescriptor));
  if (moved.get() != kClaimDescriptor) throw Error("name of the instance", "its descriptor is taken");
  files_ = {};
  files_[number] = std::move(moved);
}

bool Registry::claim(const std::string& name) {
  off_t place = place_of(name);
  put_at_claim_descriptor(number_of_file(place));
  struct flock lock = lock_of(place);
  if (fcntl(kClaimDescriptor, F_SETLK, &lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw system_error("name of the instance", errno);
}

// Doubling, then halving: with a thousand others it asks twenty times, and finds the next number where none is free
// below.
std::string Registry::claim_one_of(const std::string& base) {
  auto name = [&](uint64_t number) { return number == 1 ? base : base + "-" + std::to_string(number); };
  for (;;) {
    uint64_t taken = 0, free = 1;
    while (is_taken(name(free))) {
      taken = free;
      free *= 2;
    }
    while (free - taken > 1) {
      uint64_t middle = taken + (free - taken) / 2;
      (is_taken(name(middle)) ? taken : free) = middle;
    }
    if (claim(name(free))) return name(free);
  }
}

bool Registry::is_taken(const std::string& name) const {
  off_t place = place_of(name);
  return is_usable_ && other_lock(file_of(place), place, place + 1);
}

int Registry::release() && {
  for (UniqueFd& each : files_) {
    if (each.get() == kClaimDescriptor) return each.release();
  }
  return -1;
}

// The number of a process that is gone may be another's by now. What /proc/PID says is what the holder of the lock says
// if that process had started before it was named as the holder, or if it still is the holder: another one has no lock.
// The second is asked where the first does not tell: with a thousand others the kernel takes its time to answer.
std::optional<RunningInstance> Registry::read(pid_t pid, int64_t place, uint64_t named) const {
  if (pid <= 0) return std::nullopt;
  RunningInstance found;
  found.process = open_process(pid);
  if (!found.process || !is_own_process(found.process.get())) return std::nullopt;
  std::string executable = read_link_of(found.process.get(), "exe");  // "" for what belongs to sbox-userns, too
  constexpr std::string_view kReplaced = " (deleted)";                // by an update
  if (executable.ends_with(kReplaced)) executable.resize(executable.size() - kReplaced.size());
  bool is_launcher = executable.empty() ? may_not_look() : executable.ends_with(kLauncher);
  if (!is_launcher) return std::nullopt;
  std::string command_line = read_of(found.process.get(), "cmdline", kLongestCommandLine);
  Instance& instance = found.instance;
  if (!parse_command_line(command_line, instance) || place_of(instance.name) != place) return std::nullopt;
  std::optional<ProcessStatus> status = status_of(found.process.get());
  if (!status) return std::nullopt;
  instance.started = status->started;
  instance.pid = pid;
  if (instance.started < named) return found;
  std::optional<struct flock> still = other_lock(file_of(place), place, place + 1);
  if (!still || still->l_pid != pid) return std::nullopt;
  return found;
}

std::vector<Instance> Registry::list() const {
  std::vector<Instance> instances;
  if (!is_usable_) return instances;
  for (size_t number = 0; number < kFiles; ++number) {
    uint64_t asked = ticks_since_boot();
    std::vector<struct flock> locks;
    collect_locks(file(number), 0, kPlaces, locks);
    for (const struct flock& lock : locks) {
      if (number_of_file(lock.l_start) != number) continue;  // no name has this place
      if (auto found = read(lock.l_pid, lock.l_start, asked)) instances.push_back(std::move(found->instance));
    }
  }
  std::sort(instances.begin(), instances.end(), [](const Instance& a, const Instance& b) {
    return std::tie(a.started, a.pid) < std::tie(b.started, b.pid);
  });
  return instances;
}

std::optional<RunningInstance> Registry::find(const std::string& name) const {
  if (!is_usable_) return std::nullopt;
  off_t place = place_of(name);
  uint64_t asked = ticks_since_boot();
  std::optional<struct flock> lock = other_lock(file_of(place), place, place + 1);
  if (!lock) return std::nullopt;
  std::optional<RunningInstance> found = read(lock->l_pid, place, asked);
  if (!found) return std::nullopt;
  found->pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, found->instance.pid, 0)));
  // Opened last: while the lock is held, the number is that process's.
  lock = other_lock(file_of(place), place, place + 1);
  if (!found->pidfd || !lock || lock->l_pid != found->instance.pid) return std::nullopt;
  return found;
}

}  // namespace sbox
