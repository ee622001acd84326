// sbox-wayland APPLICATION INSTANCE: asks the compositor to treat who connects to descriptor 3 as a sandboxed client of
// that name, says so on descriptor 4, and ends when that is closed. The compositor is at /run/wayland-0.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "wayland/wire.h"

namespace {

constexpr int kListener = 3, kReady = 4;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto client = sbox::WaylandClient::connect("/run/wayland-0");
  if (!client) return 1;
  auto globals = client->globals();
  if (!globals) return 1;
  auto manager = std::find_if(globals->begin(), globals->end(), [](const sbox::WaylandGlobal& global) {
    return global.interface == sbox::kSecurityContextManager;
  });
  int ends[2];
  if (manager == globals->end() || pipe2(ends, O_CLOEXEC) != 0) return 1;
  // The context lasts as long as our end of the pipe, which is as long as this process.
  if (!client->make_security_context(*manager, kListener, ends[0], argv[1], argv[2])) return 1;
  close(ends[0]);
  close(kListener);
  client.reset();
  if (write(kReady, "1", 1) != 1) return 1;
  pollfd hangup{kReady, 0, 0};
  while (poll(&hangup, 1, -1) < 0) continue;
  return 0;
}
