#include "launcher/terminal.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <csignal>

#include "base/typed.h"
#include "launcher/kernel.h"

namespace sbox {
namespace {

constexpr int kFailure = 125;

// What the guard is told each time the terminal changes; less than PIPE_BUF, so it comes whole.
struct Modes {
  bool is_raw = false;
  termios before{}, raw{};
};

bool is_same(const termios& a, const termios& b) {
  return a.c_lflag == b.c_lflag && a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag;
}

// Runs until the supervisor's end of the pipe closes. The terminal is standard input. Signals and the terminal's job
// control do not concern it: what ends the job must not end it first.
[[noreturn]] void guard(int pipe, int other_end) {
  sigset_t all;
  sigfillset(&all);
  bool ok =
      sigprocmask(SIG_BLOCK, &all, nullptr) == 0 && setsid() > 0 && put_at(pipe, 1) && close_range(2, ~0U, 0) == 0;
  // With that end open here it would never see the end.
  ok = ok && fcntl(other_end, F_GETFD) < 0 && clear_capabilities();
  if (!ok) _exit(kFailure);
  Modes last;
  while (read(1, &last, sizeof last) == sizeof last) continue;
  termios now{};
  // A shell that has put its terminal right already is not disturbed.
  if (last.is_raw && tcgetattr(0, &now) == 0 && is_same(now, last.raw)) tcsetattr(0, TCSANOW, &last.before);
  _exit(kFailure);  // nobody asks, unless this is no child at all
}

}  // namespace

void Terminal::end() {
  leave();
  to_guard_.reset();  // which ends it
}

bool Terminal::start_guard() {
  if (!isatty(0)) return true;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  UniqueFd reader(ends[0]);
  to_guard_.reset(ends[1]);
  if (fcntl(to_guard_.get(), F_SETFL, O_NONBLOCK) != 0) return false;
  pid_t child = fork();
  if (child == 0) guard(reader.get(), to_guard_.get());
  return child > 0;
}

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

bool Terminal::tell_guard(bool is_raw, const termios& raw) {
  Modes modes{is_raw, modes_, raw};
  return write(to_guard_.get(), &modes, sizeof modes) == sizeof modes;
}

void Terminal::enter() {
  if (is_raw_ || !may_read()) return;
  // What the shell changed while we were stopped is what to go back to.
  termios again{};
  if (tcgetattr(fd_, &modes_) != 0 || tcgetattr(fd_, &again) != 0 || !is_same(modes_, again)) return;
  termios raw = modes_;
  cfmakeraw(&raw);
  // Without a guard it stays as it is: nobody would put it right after a SIGKILL.
  is_raw_ = tell_guard(true, raw) && tcsetattr(fd_, TCSADRAIN, &raw) == 0;
  copy_size();
}

// What the program has not read is not for the shell.
void Terminal::leave() {
  if (!is_raw_) return;
  is_raw_ = false;
  forget_typed(fd_);
  termios now{};
  bool is_as_before = tcsetattr(fd_, TCSAFLUSH, &modes_) == 0 && tcgetattr(fd_, &now) == 0 && is_same(now, modes_);
  if (is_as_before) tell_guard(false, modes_);  // else it tries once more
}

void Terminal::copy_size() {
  winsize size{};
  if (master_ >= 0 && ioctl(fd_, TIOCGWINSZ, &size) == 0) ioctl(master_, TIOCSWINSZ, &size);
}

}  // namespace sbox
