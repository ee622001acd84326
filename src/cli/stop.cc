#include "cli/stop.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/strings.h"
#include "cli/join.h"
#include "cli/options.h"
#include "instance/door.h"
#include "plan/instance_name.h"

namespace sbox {
namespace {

constexpr int kGraceSeconds = 5, kMostSeconds = 3600;
// From SIGKILL to the end of the last process: the kernel takes down a pid namespace and its mounts.
constexpr int kEndMs = 10'000, kSupervisorMs = 2'000;

struct StopOptions {
  int grace_ms = kGraceSeconds * 1000;
  std::vector<std::string> names;
};

StopOptions parse(const std::vector<std::string>& arguments) {
  StopOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--force") {
      options.grace_ms = 0;
    } else if (auto time = option_value(arguments, i, "--time")) {
      auto seconds = parse_number(*time);
      if (!seconds || *seconds > kMostSeconds) throw Error("--time", "not a number of seconds up to an hour");
      options.grace_ms = static_cast<int>(*seconds) * 1000;
    } else if (is_instance_name(word)) {
      options.names.push_back(word);
    } else {
      throw Error(quote(word), "neither an option of stop nor the name of an instance").hint("see `sbox list`");
    }
  }
  if (options.names.empty()) throw Error("stop", "no instance is named").hint("see `sbox list`");
  return options;
}

// By descriptor: another process that has got the number is not meant.
void send_signal(int pidfd, int number) {
  if (syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) != 0 && errno != ESRCH) {
    throw system_error("signal", errno);
  }
}

bool ends_within(int pidfd, int milliseconds) {
  pollfd polled{pidfd, POLLIN, 0};
  return poll(&polled, 1, milliseconds) > 0;
}

// The program is asked; then process 1 is killed, which takes everything in the sandbox with it, and the supervisor
// puts the terminal right and says how it ended. One that does not (it is stopped) is killed as well.
void stop(const RunningInstance& running, int grace_ms) {
  Door door = open_door(running);
  UniqueFd init(door.init > 0 ? static_cast<int>(syscall(SYS_pidfd_open, door.init, 0)) : -1);
  // Opened while it was held in the connection.
  door.connection.reset();
  if (grace_ms > 0) {
    send_signal(running.pidfd.get(), SIGTERM);
    send_signal(running.pidfd.get(), SIGCONT);
  }
  if (!ends_within(running.pidfd.get(), grace_ms)) {
    if (init) send_signal(init.get(), SIGKILL);
    if (!init || !ends_within(running.pidfd.get(), kSupervisorMs)) send_signal(running.pidfd.get(), SIGKILL);
  }
  bool is_over = ends_within(running.pidfd.get(), kEndMs) && (!init || ends_within(init.get(), kEndMs));
  if (!is_over) throw Error("instance " + quote(running.instance.name), "it does not end");
}

}  // namespace

int run_stop(const Context& context, const std::vector<std::string>& arguments) {
  StopOptions options = parse(arguments);
  Registry registry = Registry::open(context.host.home());
  int status = 0;
  for (const std::string& name : options.names) {
    try {
      std::optional<RunningInstance> running = registry.find(name);
      if (!running) throw does_not_run(registry, name);
      stop(*running, options.grace_ms);
    } catch (const Error& error) {
      // One that has ended meanwhile keeps nobody else running.
      fprintf(stderr, "%s\n", error.line().c_str());
      status = error.exit_status();
    }
  }
  return status;
}

}  // namespace sbox
