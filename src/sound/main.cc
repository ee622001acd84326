// sbox-sound READY SERVER: stands between the programs of a sandbox, which connect to the socket that is descriptor 3,
// and the sound server at SERVER. They may play but not record, nor give the server orders. READY is the number of a
// descriptor that is written to when this serves, and whose other end closes when the sandbox is over.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "sound/relay.h"

namespace {

using namespace sbox;
using namespace sbox::sound;

constexpr size_t kMostConnections = 64;

// An end that does not answer at once is none: nobody else would be served.
UniqueFd connect_to(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return UniqueFd();
  strcpy(address.sun_path, path);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  return UniqueFd();
}

using Connections = std::vector<std::unique_ptr<Connection>>;

void accept_client(int listener, const char* server, Connections& connections) {
  UniqueFd client(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!client) return;
  UniqueFd to_server = connect_to(server);
  if (to_server) connections.push_back(std::make_unique<Connection>(std::move(client), std::move(to_server)));
}

// Until the sandbox is over.
void serve(int ready, int listener, const char* server) {
  Connections connections;
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
    Connections left;
    for (size_t i = 0; i < connections.size(); ++i) {
      if (connections[i]->go_on(polled[2 + 2 * i].revents, polled[3 + 2 * i].revents)) {
        left.push_back(std::move(connections[i]));
      }
    }
    connections = std::move(left);
    if (polled[1].revents != 0) accept_client(listener, server, connections);
  }
}

}  // namespace

int main(int count, char** arguments) {
  constexpr int kListener = 3;
  if (count != 3) return 2;
  int ready = atoi(arguments[1]);
  if (write(ready, "x", 1) != 1) return 1;
  serve(ready, kListener, arguments[2]);
  return 0;
}
