// Keeps generated copies of host files up to date (resolv.conf when the host changes networks).
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace sbox {

class Followers {
 public:
  // `source`: the host's file, by the name that programs use; `copy`: the file inside, open for writing.
  void add(const std::string& source, UniqueFd copy);
  // Begins to watch, and catches up with what changed since the plan was made. False with errno set on failure. To be
  // called a moment after the program's start: letting go of an inotify descriptor costs the kernel some milliseconds,
  // which programs that end at once are spared.
  bool start();
  // -1 while nothing is watched.
  int descriptor() const { return events_.get(); }
  // After the descriptor became readable.
  void update();

 private:
  struct Follower {
    std::string source;
    UniqueFd copy;
    std::string content;
  };
  bool watch(const std::string& source);
  void copy(Follower& follower);

  UniqueFd events_;
  std::vector<Follower> followers_;
};

}  // namespace sbox
