#include "launcher/step.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "launcher/moment.h"

namespace sbox {
namespace {

constexpr size_t kLongestText = 4096;

struct Header {
  uint8_t kind = 0;
  int64_t value = 0;
};

}  // namespace

const char* reason(int errnum) {
  const char* text = strerrordesc_np(errnum);
  return text == nullptr ? "unknown error" : text;
}

bool send_message(int socket, uint8_t kind, int64_t value, std::string_view text, int fd) {
  text = text.substr(0, kLongestText);
  Header header{kind, value};
  iovec parts[] = {{&header, sizeof header}, {const_cast<char*>(text.data()), text.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  ssize_t sent = 0;
  do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(sizeof header + text.size());
}

bool receive_message(int socket, Message& received, int flags) {
  Header header;
  char text[kLongestText];
  iovec parts[] = {{&header, sizeof header}, {text, sizeof text}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  bool is_reset = false;
  // The end of whoever has not read all is told once as a reset, before what they have said last.
  do size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
  while (size < 0 && (errno == EINTR || (errno == ECONNRESET && !std::exchange(is_reset, true))));
  if (size == 0) errno = 0;
  if (size < static_cast<ssize_t>(sizeof header)) return false;
  received.kind = header.kind;
  received.value = header.value;
  received.text.assign(text, static_cast<size_t>(size) - sizeof header);
  received.fd.reset();
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    received.fd.reset(fd);
  }
  return true;
}

std::string read_small(const Step& step, const char* path) {
  constexpr size_t kLargest = 8192;
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  step.require(file.ok(), path);
  std::string text(kLargest, '\0');
  ssize_t size = read(file.get(), text.data(), text.size());
  step.require(size > 0 && size < static_cast<ssize_t>(text.size()), path);
  text.resize(static_cast<size_t>(size));
  return text;
}

void Step::begin(const char* name) {
  if (timed_) {
    int64_t now = now_ns();
    if (began_ != 0) {
      send_message(socket_, MessageKind::timing, now - began_, name_);
    }
    began_ = now;
  }
  name_ = name;
}

void Step::fail(std::string_view detail, int errnum, int status) const {
  std::string text = std::string(name_) + ": " + std::string(detail);
  if (errnum != 0) text += std::string(": ") + reason(errnum);
  if (socket_ >= 0) {
    send_message(socket_, MessageKind::failed, status, text);
  } else {
    text = "sbox: " + text + "\n";
    (void)!write(2, text.data(), text.size());
  }
  _exit(status);
}

void Step::fail_with_errno(std::string_view detail, std::string_view which) const {
  int errnum = errno;
  fail(std::string(detail) + std::string(which), errnum);
}

}  // namespace sbox
