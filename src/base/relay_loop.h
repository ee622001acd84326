// The loop of a helper that stands between the programs of a sandbox, which connect to a socket of its own, and one
// server outside. A Connection has the two ends of one client, and says what it waits for and whether it goes on.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/unique_fd.h"

namespace sbox {

// An end that does not answer at once is none: nobody else would be served.
inline UniqueFd connect_to(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return UniqueFd();
  strcpy(address.sun_path, path);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  return UniqueFd();
}

// Until the other end of `ready` closes, which it does when the sandbox is over.
template <typename Connection>
void relay_until_end(int ready, int listener, const char* server) {
  constexpr size_t kMostConnections = 64;
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<pollfd> polled;
  for (;;) {
    bool is_full = connections.size() >= kMostConnections;
    polled.assign({{ready, POLLIN, 0}, {is_full ? -1 : listener, POLLIN, 0}});
    for (auto& connection : connections) {
      polled.push_back(connection->wait_for_client());
      polled.push_back(connection->wait_for_server());
    }
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) return;
    std::vector<std::unique_ptr<Connection>> left;
    for (size_t i = 0; i < connections.size(); ++i) {
      if (connections[i]->go_on(polled[2 + 2 * i].revents, polled[3 + 2 * i].revents)) {
        left.push_back(std::move(connections[i]));
      }
    }
    connections = std::move(left);
    if (polled[1].revents == 0) continue;
    UniqueFd client(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    UniqueFd to_server = client ? connect_to(server) : UniqueFd();
    if (to_server) connections.push_back(std::make_unique<Connection>(std::move(client), std::move(to_server)));
  }
}

// The main() of such a helper: NAME READY SERVER, the listening socket as descriptor 3.
template <typename Connection>
int run_relay(int count, char** arguments) {
  constexpr int kListener = 3;
  if (count != 3) return 2;
  int ready = atoi(arguments[1]);
  if (write(ready, "x", 1) != 1) return 1;
  relay_until_end<Connection>(ready, kListener, arguments[2]);
  return 0;
}

}  // namespace sbox
