// Keeps generated copies of host files up to date (resolv.conf when the host changes networks).
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "launcher/host_events.h"

namespace sbox {

class Followers {
 public:
  // `source`: the host's file, by the name that programs use; `copy`: the file inside, open for writing.
  void add(const std::string& source, UniqueFd copy);
  bool empty() const { return followers_.empty(); }
  // Copies what has changed since the last time, or since the plan was made, and has `events` tell of what comes next.
  void update(HostEvents& events);

 private:
  struct Follower {
    std::string source;
    UniqueFd copy;
    std::string content;
  };
  static void watch(const std::string& source, HostEvents& events);
  static void copy(Follower& follower);

  std::vector<Follower> followers_;
};

}  // namespace sbox
