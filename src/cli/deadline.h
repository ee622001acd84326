// Ends a start that takes too long.
#pragma once

#include <ctime>

namespace sbox {

// Within its life this process has 20 seconds until it executes another program: then it says that the start took too
// long and exits. Where it waits for a file system that does not answer no signal is handled, and the kernel kills it
// two seconds later without a word. One at a time. Preconditions: nothing is open but the standard streams and what
// main() has opened. Throws Error.
class Deadline {
 public:
  Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() { cancel(); }
  void cancel();

 private:
  timer_t late_{}, stuck_{};
  bool is_set_ = false;
};

}  // namespace sbox
