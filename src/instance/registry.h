// Which sandboxes of this user run. The registry is a directory of files of no content, ~/.local/share/sbox/running,
// which no sandbox can see; a running instance holds a lock on the byte of the file that its name gives. So the kernel
// keeps the list: an entry goes with its process, and nothing is left to be forged, to be cleaned up or to be wrong.
// What an instance is, its process says by its command line; it is believed once the kernel has said whose process that
// is.
//
// There are several files because the kernel looks at every lock of a file whenever it is asked for one, and whenever a
// process closes the file.
//
// Locks are those of fcntl(2), which belong to a process: it must not close any descriptor of the file as long as it
// holds one, and keeps it through execve(2).
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace sbox {

struct Instance {
  std::string name, profile;
  std::string program;   // absolute inside
  pid_t pid = -1;        // of the supervisor
  uint64_t started = 0;  // since boot, in clock ticks
};

// A running instance that cannot turn into another process unnoticed.
struct RunningInstance {
  Instance instance;
  UniqueFd process;  // O_PATH, its directory in /proc
  UniqueFd pidfd;
};

// The words of a supervisor's command line.
std::vector<std::string> command_line_of(const Instance& instance);
// And back: false when `bytes` (of /proc/PID/cmdline) are no such words. Fills in all but `pid` and `started`.
bool parse_command_line(std::string_view bytes, Instance& instance);

class Registry {
 public:
  // `home`: of the user. Where there is no registry and none is to be made, nothing runs. Error, here or later, when a
  // file of it is not the user's own.
  static Registry open(const std::string& home);
  // The same for who wants to claim a name: makes what is missing. When there can be none (no such home, not writable,
  // no locks), the registry is not usable.
  static Registry open_or_make(const std::string& home);

  bool is_usable() const { return is_usable_; }

  // Claims `name` for this process until it ends; one claim at a time, whose file is at kClaimDescriptor. False when
  // another process has it.
  bool claim(const std::string& name);
  // Claims `base`, or `base`-2, -3 and so on; which one.
  std::string claim_one_of(const std::string& base);
  // kClaimDescriptor; the caller owns it. Precondition: there is a claim.
  int release() &&;

  // The instances that run, in the order of their start. Those that only begin are left out.
  std::vector<Instance> list() const;
  bool is_taken(const std::string& name) const;
  // Nothing when no such instance runs, or when it only begins.
  std::optional<RunningInstance> find(const std::string& name) const;

 private:
  static constexpr size_t kFiles = 16;

  explicit Registry(const std::string& home);
  static size_t number_of_file(int64_t place);
  std::string path_of(size_t number) const;
  bool open_file(size_t number) const;
  // -1 when it does not exist and is not to be made.
  int file(size_t number) const;
  int file_of(int64_t place) const { return file(number_of_file(place)); }
  void put_at_claim_descriptor(size_t number);
  // `named`: before the kernel named `pid` as the holder of the lock, in clock ticks since boot.
  std::optional<RunningInstance> read(pid_t pid, int64_t place, uint64_t named) const;

  std::string directory_;
  bool is_usable_ = false, makes_ = false;
  mutable std::array<UniqueFd, kFiles> files_;  // opened when they are asked for
};

}  // namespace sbox
