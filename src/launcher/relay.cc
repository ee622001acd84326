#include "launcher/relay.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sbox {
namespace {

constexpr size_t kBuffer = 16384;
// A pipe that poll(2) calls writable takes this much without blocking.
constexpr size_t kMostPerWrite = 4096;

bool has_event(const std::vector<pollfd>& polled, int fd, short events) {
  return std::any_of(polled.begin(), polled.end(), [&](const pollfd& p) {
    return p.fd == fd && (p.events & events) != 0 && (p.revents & (events | POLLHUP | POLLERR | POLLNVAL)) != 0;
  });
}

bool is_temporary(int errnum) { return errnum == EAGAIN || errnum == EINTR; }
bool is_gone(int errnum) { return errnum == EPIPE || errnum == ECONNRESET; }  // the reader, of its own will

// `move`: preadv2(2) or pwritev2(2). Of what the caller shares with others they may have taken the room, or the bytes,
// that poll(2) saw. Pipes can be asked not to wait since Linux 6.4. Files never keep anybody waiting, and asked so some
// would never be ready.
template <typename Move>
ssize_t move_now(Move move, int fd, bool is_shared, char* bytes, size_t size) {
  iovec whole{bytes, size};
  ssize_t moved = move(fd, &whole, 1, -1, is_shared ? RWF_NOWAIT : 0);
  return moved < 0 && errno == EOPNOTSUPP ? move(fd, &whole, 1, -1, 0) : moved;
}

void stop_reading(Channel& channel) {
  channel.from = -1;
  channel.owned_from.reset();
}

void stop_writing(Channel& channel) {
  channel.begin = channel.end = 0;
  channel.to = -1;
  channel.owned_to.reset();
}

void fill(Channel& channel, bool is_over) {
  if (!channel.buffer) channel.buffer = std::make_unique<char[]>(kBuffer);
  ssize_t size = move_now(preadv2, channel.from, channel.is_shared, channel.buffer.get(), kBuffer);
  if (size < 0 && is_temporary(errno) && !is_over) return;
  // The pty is open as long as process 1 of the sandbox lives.
  if (size <= 0 && channel.is_screen && !is_over) return;
  if (size <= 0) return stop_reading(channel);
  channel.begin = 0;
  channel.end = static_cast<size_t>(size);
}

// The errno by which what was to be written is lost, else 0.
int drain(Channel& channel) {
  size_t most = std::min(channel.end - channel.begin, kMostPerWrite);
  ssize_t size = move_now(pwritev2, channel.to, channel.is_shared, channel.buffer.get() + channel.begin, most);
  if (size >= 0) {
    channel.begin += std::min(static_cast<size_t>(size), most);
  } else if (!is_temporary(errno) && channel.is_screen) {
    // A terminal that is gone says so by SIGHUP. Until then what it does not take is lost, and nobody waits for it.
    channel.begin = channel.end = 0;
  } else if (!is_temporary(errno)) {
    int why = errno;
    // The reader is gone, or the disk is full: let the writer learn it in its turn.
    stop_writing(channel);
    stop_reading(channel);
    return why;
  }
  return 0;
}

// The same terminal by a descriptor of our own, so that not blocking does not concern those who share the caller's.
UniqueFd reopen_terminal(int fd) {
  std::string path = "/proc/self/fd/" + std::to_string(fd);
  UniqueFd own(open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!isatty(own.get())) own.reset();
  return own;
}

}  // namespace

Relay::Relay(Stdio& stdio) {
  for (int fd = 0; fd <= 2; ++fd) {
    Stream& stream = stdio.streams[fd];
    if (!stream.outside) continue;
    Channel channel;
    int outside = stream.outside.get();
    if (fd == 0) {
      channel.from = fd;
      channel.to = outside;
      channel.owned_to = std::move(stream.outside);
    } else {
      channel.from = outside;
      channel.owned_from = std::move(stream.outside);
      channel.to = fd;
      channel.is_output = true;
    }
    channel.is_shared = stream.is_shared;
    add(std::move(channel));
  }
}

void Relay::add_terminal(const Stdio& stdio, UniqueFd master) {
  master_ = std::move(master);
  fcntl(master_.get(), F_SETFL, O_NONBLOCK);
  Channel screen;
  screen.from = master_.get();
  screen.is_output = screen.is_screen = true;
  // Output goes to a stream that is the terminal: standard output rather than error rather than input.
  for (int fd : {0, 2, 1}) {
    if (stdio.streams[fd].kind == StreamKind::terminal) screen.to = fd;
  }
  screen.owned_to = reopen_terminal(screen.to);
  if (screen.owned_to) screen.to = screen.owned_to.get();
  add(std::move(screen));
  if (stdio.streams[0].kind != StreamKind::terminal) return;
  Channel keyboard;
  keyboard.from = 0;
  keyboard.to = master_.get();
  keyboard.is_keyboard = true;
  add(std::move(keyboard));
}

void Relay::prepare(std::vector<pollfd>& polled, bool keyboard) const {
  for (const Channel& channel : channels_) {
    if (channel.begin < channel.end) {
      polled.push_back({channel.to, POLLOUT, 0});
    } else if (channel.from >= 0 && (keyboard || !channel.is_keyboard)) {
      polled.push_back({channel.from, POLLIN, 0});
    }
  }
}

void Relay::work(const std::vector<pollfd>& polled, bool is_over) {
  for (Channel& channel : channels_) {
    if (channel.begin == channel.end && has_event(polled, channel.from, POLLIN)) {
      fill(channel, false);
    } else if (channel.begin < channel.end && has_event(polled, channel.to, POLLOUT)) {
      int why = drain(channel);
      if (channel.is_output && why != 0 && !is_gone(why)) lost_ = why;
    }
    if (is_over && channel.is_output && channel.from >= 0 && channel.begin == channel.end) fill(channel, true);
    // End of the caller's input is end of input inside.
    if (!channel.is_open()) stop_writing(channel);
  }
}

bool Relay::is_drained() const {
  return std::none_of(channels_.begin(), channels_.end(),
                      [](const Channel& channel) { return channel.is_output && channel.is_open(); });
}

bool Relay::has_pending() const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [](const Channel& channel) { return channel.is_output && channel.begin < channel.end; });
}

}  // namespace sbox
