// The caller's terminal while a program runs behind a pty: raw, so that every key goes through to the sandbox's own
// line discipline, and as it was whenever sbox stops or ends.
#pragma once

#include "launcher/stdio.h"

namespace sbox {

class Terminal {
 public:
  // Where standard input is a terminal: a process that puts it right when this one is killed. It holds the terminal and
  // one end of a pipe; started before the plan is read, it knows nothing of that. False with errno set on failure.
  bool start_guard();
  // Remembers the modes to go back to. Nothing is changed.
  void attach(const Stdio& stdio);
  // The pty's master is there: from now on the terminal may be raw and its size is copied. Borrows `master`.
  void connect(int master);
  bool is_connected() const { return master_ >= 0; }

  void enter();      // raw, when in the foreground and the keyboard is ours
  void leave();      // as it was
  void end();        // the same for good: the guard goes, too
  void copy_size();  // to the pty; its foreground processes get SIGWINCH
  // Whether the caller's terminal may be read: only by who is in its foreground.
  bool may_read() const;

 private:
  bool tell_guard(bool is_raw, const termios& raw);

  UniqueFd to_guard_;
  int fd_ = -1, master_ = -1;
  bool has_keyboard_ = false, is_raw_ = false;
  termios modes_{};
};

}  // namespace sbox
