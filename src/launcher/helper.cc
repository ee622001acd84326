#include "launcher/helper.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <vector>

namespace sbox {
namespace {

constexpr int kReady = 3, kDirectory = 4;

std::string with(std::string text, const std::string& mark, const std::string& value) {
  size_t at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), value);
  return text;
}

// What the helper is called with: the marks replaced.
std::vector<std::string> command_of(const Helper& helper) {
  std::vector<std::string> texts;
  for (const std::string& argument : helper.argv) {
    texts.push_back(with(with(argument, "{ready}", std::to_string(kReady)), "{directory}",
                         "/proc/self/fd/" + std::to_string(kDirectory)));
  }
  return texts;
}

// In a process that shares the caller's memory until it executes the helper: nothing is changed there.
[[noreturn]] void become(char* const* arguments, pid_t parent, int ready, int directory) {
  sigset_t none;
  sigemptyset(&none);
  // Both go above the two fixed numbers first, so that neither is overwritten by the other.
  int high_ready = fcntl(ready, F_DUPFD, kDirectory + 1), high_directory = fcntl(directory, F_DUPFD, kDirectory + 1);
  // The caller's streams stay with the caller: a helper must not keep them open.
  int null = open("/dev/null", O_RDWR);
  bool ok = dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2;
  ok = ok && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && dup2(high_ready, kReady) == kReady &&
       dup2(high_directory, kDirectory) == kDirectory && close_range(kDirectory + 1, ~0U, 0) == 0 &&
       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
  if (!ok) _exit(125);
  signal(SIGPIPE, SIG_DFL);
  char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C";
  char* environment[] = {path, locale, nullptr};
  execve(arguments[0], arguments, environment);
  _exit(127);
}

}  // namespace

RunningHelper start_helper(const Helper& helper, int directory) {
  RunningHelper running;
  running.name = helper.name;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return running;
  running.ready.reset(ends[0]);
  UniqueFd writer(ends[1]);
  std::vector<std::string> command = command_of(helper);
  std::vector<char*> arguments;
  for (std::string& text : command) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  pid_t parent = getpid();
  running.pid = vfork();
  if (running.pid == 0) become(arguments.data(), parent, writer.get(), directory);
  return running;
}

}  // namespace sbox
