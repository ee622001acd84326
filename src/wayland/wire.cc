#include "wayland/wire.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace sbox {
namespace {

constexpr uint32_t kDisplay = 1, kRegistry = 2;
constexpr size_t kHeader = 8;
constexpr size_t kLongestMessage = 65535;

std::string number(uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

// Its length with the NUL, then the bytes, filled up to four.
std::string text(const std::string& value) {
  std::string bytes = number(static_cast<uint32_t>(value.size() + 1)) + value + '\0';
  bytes.resize((bytes.size() + 3) & ~size_t{3});
  return bytes;
}

uint32_t number_at(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  if (at + sizeof value <= bytes.size()) memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool read_all(int socket, char* bytes, size_t size) {
  while (size > 0) {
    ssize_t part = recv(socket, bytes, size, 0);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return false;
    bytes += part;
    size -= static_cast<size_t>(part);
  }
  return true;
}

struct Event {
  uint32_t object = 0;
  uint16_t opcode = 0;
  std::string arguments;
};

bool read_event(int socket, Event& event) {
  std::string header(kHeader, '\0');
  if (!read_all(socket, header.data(), header.size())) return false;
  event.object = number_at(header, 0);
  uint32_t word = number_at(header, 4);
  event.opcode = static_cast<uint16_t>(word & 0xffff);
  size_t size = word >> 16;
  if (size < kHeader) return false;
  event.arguments.resize(size - kHeader);
  return read_all(socket, event.arguments.data(), event.arguments.size());
}

std::optional<WaylandGlobal> parse_global(const std::string& arguments) {
  constexpr size_t kText = 8;
  size_t length = number_at(arguments, 4), padded = (length + 3) & ~size_t{3};
  if (length == 0 || length > arguments.size() || kText + padded + 4 > arguments.size()) return std::nullopt;
  return WaylandGlobal{number_at(arguments, 0), arguments.substr(kText, length - 1),
                       number_at(arguments, kText + padded)};
}

}  // namespace

std::optional<WaylandClient> WaylandClient::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  path.copy(address.sun_path, path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval patience{2, 0};
  bool connected = socket && setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
                   setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
                   ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (!connected) return std::nullopt;
  return WaylandClient(std::move(socket));
}

bool WaylandClient::send(uint32_t object, uint16_t opcode, const std::string& arguments, const std::vector<int>& fds) {
  std::string bytes =
      number(object) + number(static_cast<uint32_t>((kHeader + arguments.size()) << 16 | opcode)) + arguments;
  if (bytes.size() > kLongestMessage) return false;
  iovec part{bytes.data(), bytes.size()};
  std::string control(CMSG_SPACE(fds.size() * sizeof(int)), '\0');
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
  }
  return sendmsg(socket_.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

bool WaylandClient::synchronise(std::vector<WaylandGlobal>* globals) {
  constexpr uint16_t kSync = 0, kError = 0, kGlobal = 0;
  uint32_t callback = ++last_id_;
  if (!send(kDisplay, kSync, number(callback))) return false;
  for (Event event; read_event(socket_.get(), event);) {
    if (event.object == callback) return true;
    if (event.object == kDisplay && event.opcode == kError) return false;
    if (event.object != kRegistry || event.opcode != kGlobal || globals == nullptr) continue;
    std::optional<WaylandGlobal> global = parse_global(event.arguments);
    if (!global) return false;
    globals->push_back(std::move(*global));
  }
  return false;
}

std::optional<std::vector<WaylandGlobal>> WaylandClient::globals() {
  constexpr uint16_t kGetRegistry = 1;
  if (last_id_ != kDisplay || !send(kDisplay, kGetRegistry, number(last_id_ = kRegistry))) return std::nullopt;
  std::vector<WaylandGlobal> globals;
  if (!synchronise(&globals)) return std::nullopt;
  return globals;
}

bool WaylandClient::make_security_context(const WaylandGlobal& manager, int listener, int closer,
                                          const std::string& app, const std::string& instance) {
  constexpr uint16_t kBind = 0, kCreateListener = 1, kEngine = 1, kApp = 2, kInstance = 3, kCommit = 4;
  uint32_t factory = ++last_id_, context = ++last_id_;
  return send(kRegistry, kBind, number(manager.name) + text(manager.interface) + number(1) + number(factory)) &&
         send(factory, kCreateListener, number(context), {listener, closer}) &&
         send(context, kEngine, text("org.sbox")) && send(context, kApp, text(app)) &&
         send(context, kInstance, text(instance)) && send(context, kCommit, "") && synchronise(nullptr);
}

}  // namespace sbox
