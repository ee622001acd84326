// sbox-bus READY PROXY [-- BUS ARGUMENT...]...: starts PROXY, which is xdg-dbus-proxy, once for each bus, with those
// arguments, and writes down what it denies there. BUS: session, system or accessibility. READY is the number of a
// socket that is written to when all of them serve, that takes the notes, and whose other end closes when the sandbox
// is over. This is process 1 of its namespaces, so they all end together.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bus/lines.h"
#include "launcher/step.h"
#include "log/notebook.h"

namespace {

using namespace sbox;
using namespace sbox::bus;

// While a program talks, its messages are read together: to be woken for each of them would slow it down. It must be
// less than what fills a pipe, for the proxy waits then.
constexpr int kPauseMs = 20;

struct Proxy {
  BusNumber bus = BusNumber::none;
  UniqueFd serves, output;
  Lines lines;
};

[[noreturn]] void become_proxy(const Step& step, std::vector<char*> arguments, int serves, int output) {
  std::string option = "--fd=" + std::to_string(serves);
  arguments.insert(arguments.begin() + 1, option.data());
  arguments.push_back(nullptr);
  step.require(fcntl(serves, F_SETFD, 0) == 0 && dup2(output, 1) == 1, "descriptors");
  execv(arguments[0], arguments.data());
  step.fail(arguments[0], errno);
}

BusNumber bus_called(std::string_view word) {
  if (word == "session") return BusNumber::session;
  if (word == "system") return BusNumber::system;
  return word == "accessibility" ? BusNumber::accessibility : BusNumber::none;
}

// `arguments`: PROXY, and what stands behind the bus.
Proxy start_proxy(const Step& step, BusNumber bus, const std::vector<char*>& arguments) {
  int serves[2], output[2];
  step.require(pipe2(serves, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0, "pipe");
  Proxy proxy{bus, UniqueFd(serves[0]), UniqueFd(output[0]), {}};
  UniqueFd serves_end(serves[1]), output_end(output[1]);
  pid_t pid = fork();
  step.require(pid >= 0, "fork");
  if (pid == 0) become_proxy(step, arguments, serves_end.get(), output_end.get());
  step.require(fcntl(proxy.output.get(), F_SETFL, O_NONBLOCK) == 0, "pipe");
  return proxy;
}

std::vector<Proxy> start_proxies(const Step& step, char** arguments) {
  std::vector<Proxy> proxies;
  std::vector<char*> words = {*arguments++};
  while (*arguments != nullptr && arguments[1] != nullptr) {
    BusNumber bus = bus_called(*++arguments);
    words.resize(1);
    while (*++arguments != nullptr && strcmp(*arguments, "--") != 0) words.push_back(*arguments);
    proxies.push_back(start_proxy(step, bus, words));
  }
  return proxies;
}

// Reads what there is, but not for ever. False at the end.
bool read_lines(Proxy& proxy, NoteBook& notes) {
  constexpr int kMostParts = 16;
  for (int i = 0; i < kMostParts; ++i) {
    char part[65536];
    ssize_t size = read(proxy.output.get(), part, sizeof part);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    proxy.lines.take({part, static_cast<size_t>(size)}, [&](const Refused& refused) {
      notes.add(refused.kind, static_cast<uint16_t>(proxy.bus),
                {refused.name, refused.interface, refused.member, refused.path});
    });
  }
  return true;
}

// Until the sandbox is over, or a proxy.
void serve(int ready, std::vector<Proxy>& proxies, NoteBook& notes) {
  std::vector<pollfd> polled;
  bool all_live = true;
  while (all_live) {
    polled.assign({{ready, POLLIN, 0}});
    for (const Proxy& proxy : proxies) polled.push_back({proxy.output.get(), POLLIN, 0});
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    bool is_over = polled[0].revents != 0 || poll(polled.data(), 1, kPauseMs) > 0;
    for (Proxy& proxy : proxies) all_live = read_lines(proxy, notes) && all_live;
    if (is_over) return;
  }
}

int run(int ready, char** arguments) {
  Step step(ready, false);
  step.begin("xdg-dbus-proxy");
  // The proxies shall neither write there nor keep it open.
  step.require(fcntl(ready, F_SETFD, FD_CLOEXEC) == 0, "descriptors");
  std::vector<Proxy> proxies = start_proxies(step, arguments);
  for (Proxy& proxy : proxies) {
    char byte = 0;
    if (read(proxy.serves.get(), &byte, 1) != 1) return 1;
  }
  NoteBook notes(ready);
  if (write(ready, "x", 1) == 1) serve(ready, proxies, notes);
  notes.close();
  return 0;
}

}  // namespace

int main(int count, char** arguments) { return count < 3 ? 2 : run(atoi(arguments[1]), arguments + 2); }
