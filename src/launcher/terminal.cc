#include "launcher/terminal.h"

#include <unistd.h>

namespace sbox {

void Terminal::attach(const Stdio& stdio) {
  fd_ = stdio.terminal_stream();
  modes_ = stdio.modes;
  has_keyboard_ = stdio.streams[0].kind == StreamKind::terminal;
}

void Terminal::connect(int master) {
  master_ = master;
  enter();
}

bool Terminal::may_read() const { return master_ >= 0 && has_keyboard_ && tcgetpgrp(fd_) == getpgrp(); }

void Terminal::enter() {
  if (is_raw_ || !may_read()) return;
  // What the shell changed while we were stopped is what to go back to.
  if (tcgetattr(fd_, &modes_) != 0) return;
  termios raw = modes_;
  cfmakeraw(&raw);
  is_raw_ = tcsetattr(fd_, TCSADRAIN, &raw) == 0;
  copy_size();
}

void Terminal::leave() {
  if (!is_raw_) return;
  is_raw_ = false;
  tcsetattr(fd_, TCSADRAIN, &modes_);
}

void Terminal::copy_size() {
  winsize size{};
  if (master_ >= 0 && ioctl(fd_, TIOCGWINSZ, &size) == 0) ioctl(master_, TIOCSWINSZ, &size);
}

}  // namespace sbox
