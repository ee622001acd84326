// Changes in directories of the host, by inotify(7).
#pragma once

#include <cstdint>

#include "base/unique_fd.h"

namespace sbox {

class HostEvents {
 public:
  // Tells of `changes` (IN_*) to what is in `directory` from now on; a link is followed. Again is no more than once.
  // Where the kernel does not let it be watched, this is deaf from then on.
  void watch(const char* directory, uint32_t changes);
  // Something is not watched, and has to be looked at from time to time.
  bool is_deaf() const { return is_deaf_; }
  // Readable when something has changed; -1 while nothing is watched.
  int descriptor() const { return events_.get(); }
  // Takes what it has told. What it was is not kept: who asks looks at everything.
  void clear();

 private:
  UniqueFd events_;
  bool is_deaf_ = false;
};

}  // namespace sbox
