// sbox: the front end. Cleans up what it was started with, finds the command, prints the one line when something fails.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <new>

#include "base/handover.h"
#include "base/large_files.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/notify.h"
#include "cli/print.h"
#include "cli/run.h"
#include "cli/words.h"
#include "plan/real_host.h"

namespace sbox {
namespace {

// Whatever the caller left open or closed, and before anything is opened: 0, 1 and 2 are open, nothing else is. What is
// printed where there was no standard output is lost, and fails.
void clean_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    int flags = fd == 1 ? O_RDONLY : O_RDWR;
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd) _exit(kExitFailure);
  }
  if (close_range(3, ~0U, 0) != 0)
    throw system_error("close descriptors", errno).hint("sbox needs Linux 5.14 or newer");
}

void refuse_privilege() {
  if (getauxval(AT_SECURE) != 0 || geteuid() != getuid() || getegid() != getgid()) {
    throw Error("sbox", "it is installed set-user-ID, set-group-ID or with file capabilities")
        .hint("remove them: sbox needs no privilege");
  }
}

// PREFIX of PREFIX/bin/sbox.
std::string installation_prefix() {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0 || size == static_cast<ssize_t>(sizeof path)) throw system_error("/proc/self/exe", errno);
  std::string prefix(path, static_cast<size_t>(size));
  for (int levels = 0; levels < 2; ++levels) prefix.resize(std::min(prefix.rfind('/'), prefix.size()));
  return prefix;
}

int print_usage(const Command& command) {
  print("usage: " + usage_of(command.name) + "\n  " + std::string(command.summary) + "\n\nsbox(1) says more.\n");
  return 0;
}

// These two have it otherwise: the options of a run are listed with all commands, and any word can be completed.
bool asks_for_usage(const std::vector<std::string>& arguments) {
  bool is_own = arguments[0] == "run" || arguments[0] == "complete";
  return !is_own && arguments.size() > 1 && (arguments[1] == "-h" || arguments[1] == "--help");
}

int dispatch(std::vector<std::string> arguments, const char* const* environment) {
  RealHost host(environment);
  std::string prefix = installation_prefix();
  SearchPath search{{host.home() + "/.config/sbox/profiles", "/etc/sbox/profiles", prefix + "/share/sbox/profiles"}};
  Context context{host, search, prefix};
  if (!arguments.empty()) {
    for (const Command& command : commands()) {
      if (arguments[0] != command.name) continue;
      if (asks_for_usage(arguments)) return print_usage(command);
      arguments.erase(arguments.begin());
      return command.run(context, arguments);
    }
  }
  return run_run(context, arguments);
}

}  // namespace
}  // namespace sbox

int main(int argc, char** argv, char** environment) {
  std::vector<std::string> words;
  bool notifies = false;
  try {
    sbox::clean_descriptors();
    sbox::refuse_privilege();
    sbox::survive_large_files();
    signal(SIGCHLD, SIG_DFL);  // where a caller ignores it, nothing is told of what is started here
    words.assign(argv + std::min(argc, 1), argv + argc);
    notifies = sbox::wants_notification(words) && sbox::start_notifier(environment);
    int status = sbox::dispatch(words, environment);
    sbox::finish_printing();
    return status;
  } catch (const sbox::Error& error) {
    std::string line = error.line() + "\n";
    fputs(line.c_str(), stderr);
    if (notifies) sbox::say_and_wait(sbox::kErrorsDescriptor, line);
    return error.exit_status();
  } catch (const std::bad_alloc&) {
    fputs("sbox: out of memory\n", stderr);
    return sbox::kExitFailure;
  }
}
