// The cgroup (version 2) that the front end has put this process into.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace sbox {

class Cgroup {
 public:
  // Whether each limit is in force there; else `why` says which is not. Without limits nothing is looked at.
  bool holds(const std::vector<CgroupLimit>& limits, std::string& why);
  // What to say when the kernel has killed something for want of memory; "" when it has not.
  std::string exhausted() const;

 private:
  bool find();

  std::string path_;    // of the directory
  std::string memory_;  // the limit's meaning
};

}  // namespace sbox
