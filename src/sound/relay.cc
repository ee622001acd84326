#include "sound/relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/receive.h"

namespace sbox::sound {
namespace {

// Sound waits in the server, not here.
constexpr size_t kMostWaiting = 256 << 10;

// With our credentials, by which a server knows its user. Without being told to, the kernel adds them only to what is
// sent after the server has asked for them, which a new connection need not wait for.
bool send_some(int fd, std::string& buffer) {
  if (buffer.empty()) return true;
  iovec content{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))] = {};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  *header = {CMSG_LEN(sizeof(ucred)), SOL_SOCKET, SCM_CREDENTIALS};
  ucred ours{getpid(), getuid(), getgid()};
  memcpy(CMSG_DATA(header), &ours, sizeof ours);
  ssize_t size = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0) buffer.erase(0, static_cast<size_t>(size));
  return size >= 0 || errno == EAGAIN || errno == EINTR;
}

// The first whole packet of `buffer`; empty where there is none yet. False for a header that nobody may send.
bool next_packet(const std::string& buffer, Header& header, std::string_view& whole) {
  whole = {};
  if (buffer.size() < kHeaderSize) return true;
  header = parse_header(buffer.data());
  if (!is_sound_header(header)) return false;
  if (buffer.size() - kHeaderSize >= header.length)
    whole = std::string_view(buffer).substr(0, kHeaderSize + header.length);
  return true;
}

}  // namespace

// Who does not take what there is for it is not listened to: a client is also the one to be told of what was refused.
pollfd Connection::wait_for_client() const {
  bool has_room = to_server_.size() < kMostWaiting && to_client_.size() < kMostWaiting;
  return {client_.get(), static_cast<short>((to_client_.empty() ? 0 : POLLOUT) | (has_room ? POLLIN : 0)), 0};
}

pollfd Connection::wait_for_server() const {
  bool has_room = to_client_.size() < kMostWaiting;
  return {server_.get(), static_cast<short>((to_server_.empty() ? 0 : POLLOUT) | (has_room ? POLLIN : 0)), 0};
}

bool Connection::take_from_client() {
  if (!receive(client_.get(), from_client_)) return false;
  Header header{};
  std::string_view whole;
  while (next_packet(from_client_, header, whole)) {
    if (whole.empty()) return true;
    if (header.channel == kControl) {
      std::string content(whole.substr(kHeaderSize));
      Verdict verdict = gate_.judge(content);
      if (verdict == Verdict::broken) return false;
      if (verdict == Verdict::forward) to_server_ += packet(content);
      if (verdict == Verdict::refuse) to_client_ += gate_.refusal();
    } else {
      to_server_ += whole;
    }
    from_client_.erase(0, whole.size());
  }
  return false;
}

bool Connection::take_from_server() {
  if (!receive(server_.get(), from_server_)) return false;
  Header header{};
  std::string_view whole;
  while (next_packet(from_server_, header, whole)) {
    if (whole.empty()) return true;
    // Sound comes to those who record.
    if (header.channel == kControl) {
      std::string content(whole.substr(kHeaderSize));
      if (!gate_.hear(content)) return false;
      to_client_ += packet(content);
    }
    from_server_.erase(0, whole.size());
  }
  return false;
}

bool Connection::go_on(short client_events, short server_events) {
  constexpr short kReadable = POLLIN | POLLHUP | POLLERR;
  if ((client_events & kReadable) && !take_from_client()) return false;
  if ((server_events & kReadable) && !take_from_server()) return false;
  return send_some(server_.get(), to_server_) && send_some(client_.get(), to_client_);
}

}  // namespace sbox::sound
