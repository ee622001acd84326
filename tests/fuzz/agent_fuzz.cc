// Whatever a client of the relay to the SSH agent says, and whatever the agent answers: what reaches the agent are
// whole messages that may be asked. libFuzzer entry: what client and agent send, in turns.
#include <sys/socket.h>

#include "fuzz.h"
#include "ssh_agent/relay.h"

namespace {

using sbox::UniqueFd;
using sbox::fuzz::require;
using sbox::ssh_agent::Connection;

struct Ends {
  UniqueFd near, far;
};

Ends connected() {
  int ends[2];
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "no socket");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string heard(const UniqueFd& end) {
  char bytes[4096];
  ssize_t size = recv(end.get(), bytes, sizeof bytes, 0);
  return {bytes, static_cast<size_t>(size > 0 ? size : 0)};
}

// The whole messages at the front of `text`; a part of one may follow.
void check_messages(std::string_view text) {
  constexpr size_t kLength = 4;
  while (text.size() >= kLength) {
    size_t length = 0;
    for (char c : text.substr(0, kLength)) length = length << 8 | static_cast<uint8_t>(c);
    if (text.size() - kLength < length) return;
    constexpr std::string_view kBind("\x1b\0\0\0\x18session-bind@openssh.com", 29);
    std::string_view request = text.substr(kLength, length);
    bool is_known = request.starts_with('\x0b') || request.starts_with('\x0d') || request.starts_with(kBind);
    require(is_known, "the agent is asked what it may not be");
    text.remove_prefix(kLength + length);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Ends client = connected(), server = connected();
  Connection relay(std::move(client.far), std::move(server.far));
  std::string asked;
  bool is_clients_turn = true, goes_on = true;
  for (const std::string& words : sbox::fuzz::parts(sbox::fuzz::text_of(data, size), 1)) {
    const UniqueFd& end = is_clients_turn ? client.near : server.near;
    if (send(end.get(), words.data(), words.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(words.size())) break;
    is_clients_turn = !is_clients_turn;
    for (int i = 0; i < 3 && goes_on; ++i) {
      pollfd sides[] = {relay.wait_for_client(), relay.wait_for_server()};
      poll(sides, 2, 0);
      goes_on = relay.go_on(sides[0].revents, sides[1].revents);
    }
    asked += heard(server.near);
    heard(client.near);
    if (!goes_on) break;
  }
  check_messages(asked);
  return 0;
}
