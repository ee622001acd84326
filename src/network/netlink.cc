#include "network/netlink.h"

#include <arpa/inet.h>
#include <endian.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace sbox::network {
namespace {

constexpr size_t kLargestAnswer = 65536;

bool send_all(int socket, const std::string& bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do sent = sendto(socket, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
  while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes.size());
}

// One packet of the kernel's; the size, or -1.
ssize_t receive_packet(int socket, std::string& buffer, int flags) {
  sockaddr_nl sender{};
  socklen_t length = sizeof sender;
  buffer.resize(kLargestAnswer);
  ssize_t size = 0;
  do {
    size = recvfrom(socket, buffer.data(), buffer.size(), flags, reinterpret_cast<sockaddr*>(&sender), &length);
  } while ((size < 0 && errno == EINTR) || (size >= 0 && sender.nl_pid != 0));
  return size;
}

using Visitor = std::function<bool(const nlmsghdr&, std::string_view)>;

// False when the visitor said so.
bool each_message(std::string_view packet, const Visitor& visit) {
  while (packet.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    memcpy(&header, packet.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > packet.size()) return true;
    if (!visit(header, packet.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN))) return false;
    packet.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), packet.size()));
  }
  return true;
}

int error_in(std::string_view payload) {
  int error = -EPROTO;
  if (payload.size() >= sizeof error) memcpy(&error, payload.data(), sizeof error);
  return -error;
}

}  // namespace

void Messages::begin(uint16_t type, uint16_t flags, std::string_view header) {
  last_ = bytes_.size();
  nlmsghdr message{};
  message.nlmsg_type = type;
  message.nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
  message.nlmsg_seq = ++count_;
  bytes_.append(reinterpret_cast<const char*>(&message), sizeof message).append(header);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  set_length();
}

void Messages::set_length() {
  auto length = static_cast<uint32_t>(bytes_.size() - last_);
  memcpy(&bytes_[last_], &length, sizeof length);
}

void Messages::put(uint16_t attribute, std::string_view bytes) {
  nlattr header{static_cast<uint16_t>(NLA_HDRLEN + bytes.size()), attribute};
  bytes_.append(reinterpret_cast<const char*>(&header), sizeof header).append(bytes);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  set_length();
}

void Messages::put_text(uint16_t attribute, std::string_view text) { put(attribute, std::string(text) + '\0'); }

void Messages::put_number(uint16_t attribute, uint32_t number) {
  number = htonl(number);
  put(attribute, {reinterpret_cast<const char*>(&number), sizeof number});
}

void Messages::put_number64(uint16_t attribute, uint64_t number) {
  number = htobe64(number);
  put(attribute, {reinterpret_cast<const char*>(&number), sizeof number});
}

Messages::Nest::Nest(Messages& messages, uint16_t attribute) : messages_(messages), begin_(messages.bytes_.size()) {
  messages_.put(static_cast<uint16_t>(attribute | NLA_F_NESTED), "");
}

Messages::Nest::~Nest() {
  auto length = static_cast<uint16_t>(messages_.bytes_.size() - begin_);
  memcpy(&messages_.bytes_[begin_], &length, sizeof length);
}

UniqueFd open_netlink(int protocol, uint32_t groups) {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  own.nl_groups = groups;
  if (fd && bind(fd.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) fd.reset();
  return fd;
}

int transact(int socket, const Messages& messages) {
  if (!send_all(socket, messages.bytes())) return errno;
  std::string buffer;
  std::optional<int> result;
  while (!result) {
    ssize_t size = receive_packet(socket, buffer, 0);
    if (size < 0) return errno;
    each_message({buffer.data(), static_cast<size_t>(size)}, [&](const nlmsghdr& header, std::string_view payload) {
      if (header.nlmsg_type != NLMSG_ERROR || result) return true;
      result = error_in(payload);
      return true;
    });
  }
  // What else is said belongs to this and must not be taken for the next answer.
  while (receive_packet(socket, buffer, MSG_DONTWAIT) > 0) continue;
  return *result;
}

int dump(int socket, const Messages& request, const Handler& handler) {
  if (!send_all(socket, request.bytes())) return errno;
  std::string buffer;
  std::optional<int> result;
  while (!result) {
    ssize_t size = receive_packet(socket, buffer, 0);
    if (size < 0) return errno;
    each_message({buffer.data(), static_cast<size_t>(size)}, [&](const nlmsghdr& header, std::string_view payload) {
      if (header.nlmsg_flags & NLM_F_DUMP_INTR) result = EINTR;
      if (header.nlmsg_type == NLMSG_ERROR) result = error_in(payload);
      if (header.nlmsg_type == NLMSG_DONE && !result) result = 0;
      if (!result) handler(header.nlmsg_type, payload);
      return !result;
    });
  }
  return *result;
}

void receive(int socket, const Handler& handler) {
  std::string buffer;
  for (ssize_t size = 0; (size = receive_packet(socket, buffer, MSG_DONTWAIT)) > 0;) {
    each_message({buffer.data(), static_cast<size_t>(size)}, [&](const nlmsghdr& header, std::string_view payload) {
      handler(header.nlmsg_type, payload);
      return true;
    });
  }
}

std::string_view attribute(std::string_view row, uint16_t kind) {
  while (row.size() >= sizeof(nlattr)) {
    nlattr header;
    memcpy(&header, row.data(), sizeof header);
    if (header.nla_len < NLA_HDRLEN || header.nla_len > row.size()) return {};
    if ((header.nla_type & NLA_TYPE_MASK) == kind) return row.substr(NLA_HDRLEN, header.nla_len - NLA_HDRLEN);
    row.remove_prefix(std::min<size_t>(NLA_ALIGN(header.nla_len), row.size()));
  }
  return {};
}

}  // namespace sbox::network
