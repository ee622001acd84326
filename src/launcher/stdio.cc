#include "launcher/stdio.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace sbox {
namespace {

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_rdev == b.st_rdev;
}

bool make_pipe(Stream& stream, bool inside_reads) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  stream.inside.reset(ends[inside_reads ? 0 : 1]);
  stream.outside.reset(ends[inside_reads ? 1 : 0]);
  return fcntl(stream.outside.get(), F_SETFL, O_NONBLOCK) == 0;
}

bool is_for_writing(int fd) { return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY; }

}  // namespace

int Stdio::terminal_stream() const {
  for (int fd = 0; fd <= 2; ++fd) {
    if (streams[fd].kind == StreamKind::terminal) return fd;
  }
  return -1;
}

bool put_at(int source, int fd) {
  struct stat a {};
  struct stat b {};
  return dup2(source, fd) == fd && fstat(source, &a) == 0 && fstat(fd, &b) == 0 && is_same_file(a, b);
}

bool prepare_stdio(Stdio& stdio) {
  std::array<struct stat, 3> status{};
  for (int fd = 0; fd <= 2; ++fd) {
    Stream& stream = stdio.streams[fd];
    if (fstat(fd, &status[fd]) != 0) return false;
    if (S_ISCHR(status[fd].st_mode) && status[fd].st_rdev == makedev(1, 3)) continue;
    if (isatty(fd)) {
      stream.kind = StreamKind::terminal;
      continue;
    }
    stream.kind = StreamKind::pipe;
    stream.is_shared = S_ISFIFO(status[fd].st_mode) || S_ISSOCK(status[fd].st_mode);
    // An output that takes nothing (poll(2) would wait for it for ever) takes nothing inside either.
    bool inside_reads = fd == 0 || !is_for_writing(fd);
    bool with_output = fd == 2 && stdio.streams[1].kind == StreamKind::pipe && is_same_file(status[1], status[2]) &&
                       is_for_writing(1) == is_for_writing(2);
    if (with_output) {
      stream.shares = 1;
    } else if (!make_pipe(stream, inside_reads)) {
      return false;
    }
  }
  int terminal = stdio.terminal_stream();
  stdio.has_terminal = terminal >= 0;
  if (!stdio.has_terminal) return true;
  return tcgetattr(terminal, &stdio.modes) == 0 && ioctl(terminal, TIOCGWINSZ, &stdio.size) == 0;
}

UniqueFd open_terminal(const Step& step, const Stdio& stdio) {
  if (!stdio.has_terminal) return {};
  UniqueFd master(open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
  step.require(master.ok(), "/dev/pts/ptmx");
  int locked = 0;
  step.require(ioctl(master.get(), TIOCSPTLCK, &locked) == 0, "unlock pty");
  UniqueFd slave(ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  step.require(slave.ok(), "open pty");
  step.require(tcsetattr(slave.get(), TCSANOW, &stdio.modes) == 0, "pty modes");
  step.require(ioctl(slave.get(), TIOCSWINSZ, &stdio.size) == 0, "pty size");
  step.require(ioctl(slave.get(), TIOCSCTTY, 0) == 0, "controlling terminal");
  step.require(send_message(step.socket(), MessageKind::terminal, 0, {}, master.get()), "pty");
  return slave;
}

void connect_stdio(const Step& step, const Stdio& stdio, int slave) {
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  step.require(null.ok(), "/dev/null");
  for (int fd = 0; fd <= 2; ++fd) {
    const Stream& stream = stdio.streams[fd];
    int source = null.get();
    if (stream.kind == StreamKind::terminal) source = slave;
    if (stream.kind == StreamKind::pipe) {
      source = stream.shares >= 0 ? stdio.streams[stream.shares].inside.get() : stream.inside.get();
    }
    step.require(put_at(source, fd), "standard descriptors");
  }
}

}  // namespace sbox
