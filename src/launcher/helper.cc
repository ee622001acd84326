#include "launcher/helper.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "launcher/identity.h"
#include "launcher/kernel.h"
#include "launcher/lockdown.h"
#include "launcher/mounts.h"
#include "launcher/root.h"
#include "launcher/stdio.h"
#include "launcher/tree.h"

namespace sbox {
namespace {

constexpr int kServed = 3, kReady = 4;

void arrange_descriptors(const Step& step, int ready, int served) {
  // Both go above the two fixed numbers first, so that neither is overwritten by the other.
  int high_ready = fcntl(ready, F_DUPFD, kReady + 1), high_served = fcntl(served, F_DUPFD, kReady + 1);
  // The caller's streams stay with the caller: a helper must not keep them open.
  int null = open("/dev/null", O_RDWR);
  bool ok = put_at(null, 0) && put_at(null, 1) && put_at(null, 2) && put_at(high_ready, kReady) &&
            put_at(high_served, kServed) && close_range(kReady + 1, ~0U, 0) == 0;
  step.require(ok, "descriptors");
}

// A directory is entered and closed, a socket stays.
void enter_directory(const Step& step) {
  struct stat status {};
  step.require(fstat(kServed, &status) == 0, "fstat");
  if (!S_ISDIR(status.st_mode)) return;
  step.require(fchdir(kServed) == 0 && close(kServed) == 0, "enter directory");
}

// What the network needs, in the sandbox's user namespace and nowhere else.
uint64_t capabilities_of(const Helper& helper) {
  constexpr uint64_t kNetwork = 1 << CAP_NET_BIND_SERVICE | 1 << CAP_NET_ADMIN | 1 << CAP_SYS_ADMIN;
  return helper.network ? kNetwork : 0;
}

// What the kernel says of this process, whatever the calls before have returned. There is no /proc here to ask.
void check(const Step& step, const Helper& helper, uint64_t root_mount_id) {
  auto expect = [&](bool so, const char* what) {
    if (!so) step.fail(what, 0);
  };
  struct statfs root {};
  constexpr auto kReadOnly = ST_RDONLY | ST_NOSUID | ST_NODEV;
  expect(mount_id(AT_FDCWD, "/", 0) == root_mount_id, "its root is not as planned");
  expect(statfs("/", &root) == 0 && (root.f_flags & kReadOnly) == kReadOnly, "its root is not read-only");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};
  uint64_t kept = capabilities_of(helper);
  auto low = static_cast<uint32_t>(kept), high = static_cast<uint32_t>(kept >> 32);
  const __user_cap_data_struct wanted[2] = {{low, low, low}, {high, high, high}};
  expect(syscall(SYS_capget, &header, sets) == 0 && memcmp(sets, wanted, sizeof sets) == 0, "it has capabilities");
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    bool is_kept = (kept >> capability & 1) != 0;
    expect((prctl(PR_CAPBSET_READ, capability) == 1) == is_kept, "its bounding set is not as planned");
  }
  expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "it could gain rights");
  expect(helper.filters.empty() || prctl(PR_GET_SECCOMP) == 2, "its system calls are not filtered");
  expect(getpid() == 1, "it has no process namespace of its own");
}

// The tree of the helper, then no privilege and a filter. Process 1 of its own pid namespace.
void confine(const Step& step, const Helper& helper, const Ids& ids) {
  if (!ids.is_granted && !helper.network) map_ids(step, ids.uid, ids.gid);
  mode_t before = 0;
  step.require(set_umask(0, before), "umask");
  make_mounts_private(step);
  Prepared sources = prepare_mounts(step, helper.nodes, {});
  Root root = enter_new_root(step);
  build_tree(step, {helper.nodes, {}}, root, std::move(sources));
  step.require(set_umask(077, before), "umask");
  set_no_new_privs(step);
  drop_capabilities(step, capabilities_of(helper));
  load_filters(step, helper.filters);
  check(step, helper, root.mount_id);
}

[[noreturn]] void become(const Helper& helper, const Ids& ids, int ready, int served) {
  arrange_descriptors(Step(ready, false), ready, served);
  Step step(kReady, false);
  step.begin(helper.name.c_str());
  sigset_t none;
  sigemptyset(&none);
  step.require(sigprocmask(SIG_SETMASK, &none, nullptr) == 0, "signal mask");
  signal(SIGPIPE, SIG_DFL);
  die_with_supervisor(step);
  confine(step, helper, ids);
  enter_directory(step);
  std::vector<std::string> arguments = helper.argv;
  for (std::string& text : arguments) {
    constexpr std::string_view kMark = "{ready}";
    size_t at = text.find(kMark);
    if (at != std::string::npos) text.replace(at, kMark.size(), 1, static_cast<char>('0' + kReady));
  }
  execve(arguments.at(0).c_str(), pointers(arguments).data(), pointers(helper.environment).data());
  step.fail(arguments.at(0), errno);
}

pid_t clone_process(unsigned long flags) {
  flags |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | SIGCHLD;
  return static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
}

// The same, in the user namespace that `network` belongs to. A process in between enters that: the caller stays where
// it is, and is the parent of the new process all the same.
pid_t clone_into_owner(int network) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  UniqueFd reads(ends[0]), writes(ends[1]);
  pid_t caller = getpid(), between = fork();
  if (between == 0 && getpid() == caller) return -1;  // there is no process in between
  if (between == 0) {
    UniqueFd owner(ioctl(network, NS_GET_USERNS));
    pid_t made = owner && setns(owner.get(), CLONE_NEWUSER) == 0 ? clone_process(CLONE_PARENT) : -1;
    if (made == 0) return 0;
    (void)!write(writes.get(), &made, sizeof made);
    _exit(0);
  }
  writes.reset();
  pid_t made = -1;
  if (between < 0 || read(reads.get(), &made, sizeof made) != sizeof made) made = -1;
  if (between > 0) waitpid(between, nullptr, 0);
  if (made < 0) errno = EPERM;
  return made;
}

}  // namespace

HelperNews RunningHelper::news(std::string& why, Note& note) {
  if (serves) {
    ssize_t size = tells ? recv(ready.get(), &note, sizeof note, MSG_TRUNC | MSG_DONTWAIT) : 0;
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return HelperNews::nothing;
    return size == sizeof note ? HelperNews::told : HelperNews::gone;
  }
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

void RunningHelper::reap() {
  if (pid > 0 && waitpid(pid, nullptr, WNOHANG) == pid) pid = -1;
}

void RunningHelper::finish() {
  if (!tells || !ready) return kill();
  shutdown(ready.get(), SHUT_WR);
}

void RunningHelper::kill() {
  ready.reset();
  if (pid > 0) ::kill(pid, SIGKILL);
}

void RunningHelper::end() {
  kill();
  if (pid > 0) waitpid(pid, nullptr, 0);
  pid = -1;
}

RunningHelper start_helper(const Helper& helper, const Ids& ids, int served) {
  RunningHelper running;
  running.name = helper.name;
  running.tells = helper.log;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return running;
  running.ready.reset(ends[0]);
  UniqueFd inside(ends[1]);
  bool is_inside = ids.is_granted;  // there is one user namespace then, and the caller is in it
  if (helper.network && !is_inside)
    running.pid = clone_into_owner(served);
  else
    running.pid = clone_process(is_inside ? 0 : CLONE_NEWUSER);
  if (running.pid == 0) {
    running.ready.reset();
    become(helper, ids, inside.get(), served);
  }
  return running;
}

}  // namespace sbox
