#include "launcher/helper.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "launcher/identity.h"
#include "launcher/kernel.h"
#include "launcher/lockdown.h"
#include "launcher/mounts.h"
#include "launcher/root.h"
#include "launcher/tree.h"

namespace sbox {
namespace {

constexpr int kReady = 3, kDirectory = 4;

void arrange_descriptors(const Step& step, int ready, int directory) {
  // Both go above the two fixed numbers first, so that neither is overwritten by the other.
  int high_ready = fcntl(ready, F_DUPFD, kDirectory + 1), high_directory = fcntl(directory, F_DUPFD, kDirectory + 1);
  // The caller's streams stay with the caller: a helper must not keep them open.
  int null = open("/dev/null", O_RDWR);
  bool ok = dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(null, 2) == 2 && dup2(high_ready, kReady) == kReady &&
            dup3(high_directory, kDirectory, O_CLOEXEC) == kDirectory && close_range(kDirectory + 1, ~0U, 0) == 0;
  step.require(ok, "descriptors");
}

// The tree of the helper, then no privilege and a filter. Process 1 of its own pid namespace.
void confine(Step& step, const Helper& helper, uint32_t uid, uint32_t gid) {
  map_ids(step, uid, gid);
  mode_t before = 0;
  step.require(set_umask(0, before), "umask");
  make_mounts_private(step);
  Prepared sources = open_sources(step, helper.nodes);
  Root root = enter_new_root(step);
  build_tree(step, helper.nodes, root, std::move(sources));
  step.require(set_umask(077, before), "umask");
  step.require(fchdir(kDirectory) == 0, helper.directory);
  set_no_new_privs(step);
  drop_capabilities(step);
  load_filters(step, helper.filters);
}

[[noreturn]] void become(const Helper& helper, uint32_t uid, uint32_t gid, int ready, int directory) {
  arrange_descriptors(Step(ready, false), ready, directory);
  Step step(kReady, false);
  step.begin(helper.name.c_str());
  sigset_t none;
  sigemptyset(&none);
  step.require(sigprocmask(SIG_SETMASK, &none, nullptr) == 0, "signal mask");
  signal(SIGPIPE, SIG_DFL);
  die_with_supervisor(step);
  confine(step, helper, uid, gid);
  std::vector<std::string> texts = helper.argv;
  std::vector<char*> arguments;
  for (std::string& text : texts) {
    constexpr std::string_view kMark = "{ready}";
    size_t at = text.find(kMark);
    if (at != std::string::npos) text.replace(at, kMark.size(), 1, static_cast<char>('0' + kReady));
    arguments.push_back(text.data());
  }
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C";
  char* environment[] = {path, locale, nullptr};
  execve(arguments[0], arguments.data(), environment);
  step.fail(arguments[0], errno);
}

}  // namespace

HelperNews RunningHelper::news(std::string& why) {
  char byte = 0;
  ssize_t size = recv(ready.get(), &byte, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return HelperNews::nothing;
  if (size <= 0) return HelperNews::gone;
  // One byte is the helper's own; a message is from the process that was to become it.
  Message message;
  if (receive_message(ready.get(), message, MSG_DONTWAIT)) {
    why = message.text;
    return HelperNews::failed;
  }
  serves = true;
  return HelperNews::serves;
}

RunningHelper start_helper(const Helper& helper, uint32_t uid, uint32_t gid, int directory) {
  RunningHelper running;
  running.name = helper.name;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return running;
  running.ready.reset(ends[0]);
  UniqueFd inside(ends[1]);
  constexpr unsigned long kFlags =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | SIGCHLD;
  running.pid = static_cast<pid_t>(syscall(SYS_clone, kFlags, nullptr, nullptr, nullptr, nullptr));
  if (running.pid == 0) {
    running.ready.reset();
    become(helper, uid, gid, inside.get(), directory);
  }
  return running;
}

}  // namespace sbox
