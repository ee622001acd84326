#include "ssh_agent/relay.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/receive.h"

namespace sbox::ssh_agent {
namespace {

// draft-ietf-sshm-ssh-agent
constexpr unsigned char kFailure = 5, kRequestIdentities = 11, kSignRequest = 13, kExtension = 27;
// Says for which connection to which host the next signatures are, as keys that are held to a destination need it.
constexpr std::string_view kSessionBind = "session-bind@openssh.com";
constexpr size_t kLength = 4, kLongest = 256 << 10;

size_t number_at(std::string_view text) {
  size_t value = 0;
  for (char c : text.substr(0, kLength)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

bool send_some(int fd, std::string& buffer) {
  if (buffer.empty()) return true;
  ssize_t size = send(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0) buffer.erase(0, static_cast<size_t>(size));
  return size >= 0 || errno == EAGAIN || errno == EINTR;
}

// The first whole message of `buffer` with its length; empty where there is none yet. False for what nobody may send.
bool next_message(const std::string& buffer, std::string_view& whole) {
  whole = {};
  if (buffer.size() < kLength) return true;
  size_t length = number_at(buffer);
  if (length == 0 || length > kLongest) return false;
  if (buffer.size() - kLength >= length) whole = std::string_view(buffer).substr(0, kLength + length);
  return true;
}

}  // namespace

bool may_ask(std::string_view request) {
  if (request.empty()) return false;
  unsigned char type = static_cast<unsigned char>(request[0]);
  if (type == kRequestIdentities || type == kSignRequest) return true;
  std::string_view rest = request.substr(1);
  if (type != kExtension || rest.size() < kLength || number_at(rest) != kSessionBind.size()) return false;
  return rest.substr(kLength).starts_with(kSessionBind);
}

pollfd Connection::wait_for_client() const {
  short events = to_client_.empty() ? 0 : POLLOUT;
  if (!is_asking_ && to_client_.empty()) events = POLLIN;
  return {client_.get(), events, 0};
}

pollfd Connection::wait_for_server() const {
  return {server_.get(), static_cast<short>((to_server_.empty() ? 0 : POLLOUT) | POLLIN), 0};
}

bool Connection::take_requests() {
  std::string_view whole;
  while (!is_asking_) {
    if (!next_message(from_client_, whole)) return false;
    if (whole.empty()) return true;
    if (may_ask(whole.substr(kLength))) {
      to_server_ += whole;
      is_asking_ = true;
    } else {
      constexpr char kRefusal[] = {0, 0, 0, 1, kFailure};
      to_client_.append(kRefusal, sizeof kRefusal);
    }
    from_client_.erase(0, whole.size());
  }
  return true;
}

bool Connection::take_from_client() {
  if (!receive(client_.get(), from_client_)) return false;
  return take_requests();
}

bool Connection::take_from_server() {
  if (!receive(server_.get(), from_server_)) return false;
  std::string_view whole;
  if (!next_message(from_server_, whole)) return false;
  // One answer for each request.
  if (!is_asking_ || whole.empty()) return is_asking_ || from_server_.empty();
  to_client_ += whole;
  from_server_.erase(0, whole.size());
  is_asking_ = false;
  return from_server_.empty() && take_requests();
}

bool Connection::go_on(short client_events, short server_events) {
  constexpr short kOver = POLLHUP | POLLERR;
  if (client_events & kOver) return false;
  if ((client_events & POLLIN) && !take_from_client()) return false;
  if ((server_events & (POLLIN | kOver)) && !take_from_server()) return false;
  return send_some(server_.get(), to_server_) && send_some(client_.get(), to_client_);
}

}  // namespace sbox::ssh_agent
