// Keeps generated copies of host files up to date (resolv.conf when the host changes networks).
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace sbox {

class Followers {
 public:
  // `source`: the host's file, by the name that programs use; `copy`: the file inside, open for writing.
  // False with errno set when it cannot be watched.
  bool add(const std::string& source, UniqueFd copy);
  // -1 while there is nothing to follow.
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
