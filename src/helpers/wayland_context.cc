// sbox-wayland READY SERVER APPLICATION INSTANCE: asks the compositor at SERVER to treat who connects to descriptor 3
// as a sandboxed client of that name, says so on the descriptor READY, and ends when the other end of that is closed.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "wayland/wire.h"

namespace {

constexpr int kListener = 3;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  int ready = atoi(argv[1]);
  auto client = sbox::WaylandClient::connect(argv[2]);
  if (!client) return 1;
  auto globals = client->globals();
  if (!globals) return 1;
  auto manager = std::find_if(globals->begin(), globals->end(), [](const sbox::WaylandGlobal& global) {
    return global.interface == sbox::kSecurityContextManager;
  });
  int ends[2];
  if (manager == globals->end() || pipe2(ends, O_CLOEXEC) != 0) return 1;
  // The context lasts as long as our end of the pipe, which is as long as this process.
  if (!client->make_security_context(*manager, kListener, ends[0], argv[3], argv[4])) return 1;
  close(ends[0]);
  close(kListener);
  client.reset();
  if (write(ready, "1", 1) != 1) return 1;
  pollfd hangup{ready, 0, 0};
  while (poll(&hangup, 1, -1) < 0) continue;
  return 0;
}
