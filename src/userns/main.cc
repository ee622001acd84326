// sbox-userns: grants its caller's launcher a user namespace on hosts where ordinary users may not make one.
// Set-user-ID root, or with file capabilities. SECURITY.md goes through it block by block.
//
// The namespace is made while the effective id is root's, so that it belongs to root: to one that belongs to its
// caller, any process of that user could find the way and would have every capability in it. Two processes share the
// work, so that the one that goes on loses every privilege over the host with the call that makes the namespace: the
// other one, which keeps CAP_SETUID, writes its id map and ends.
//
// No memory is allocated, no word of the command line or the environment is looked at, no file but the kernel's own in
// /proc is opened, and nothing but the launcher beside this very program can be executed.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "base/handover.h"

namespace sbox {
namespace {

constexpr int kFailure = 125;
constexpr int kWords = 4;  // "sbox" and the names of instance, profile and program: for `sbox list`
constexpr char kLauncher[] = "sbox-launch";
constexpr uint64_t kMake = uint64_t{1} << CAP_SYS_ADMIN;
// The second is for a /proc that hides the processes of others (hidepid).
constexpr uint64_t kMap = uint64_t{1} << CAP_SETUID | uint64_t{1} << CAP_SYS_PTRACE;

// Raw calls: the library's own allocate memory. What is read back is that there are no more: a profile of AppArmor
// hides those that it denies.
bool set_capabilities(uint64_t permitted, uint64_t inheritable) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2], seen[2];
  for (int i = 0; i < 2; ++i) {
    auto word = [i](uint64_t set) { return static_cast<uint32_t>(set >> (32 * i)); };
    sets[i] = {word(permitted), word(permitted), word(inheritable)};
  }
  if (syscall(SYS_capset, &header, sets) != 0 || syscall(SYS_capget, &header, seen) != 0) return false;
  uint32_t more = 0;
  for (int i = 0; i < 2; ++i) {
    more |= seen[i].effective & ~sets[i].effective;
    more |= seen[i].permitted & ~sets[i].permitted;
    more |= seen[i].inheritable & ~sets[i].inheritable;
  }
  return more == 0;
}

// Every privilege goes before a word is written to a descriptor of the caller's.
[[noreturn]] void refuse(const char* what, const char* why) {
  // In the new namespace the id is unknown until it is mapped; there it gives no capability.
  (void)!setresuid(getuid(), getuid(), getuid());
  if (!set_capabilities(0, 0)) _exit(kFailure);
  const char* parts[] = {"sbox: sbox-userns: ", what, ": ", why, "\n"};
  iovec line[5];
  for (int i = 0; i < 5; ++i) line[i] = {const_cast<char*>(parts[i]), strlen(parts[i])};
  (void)!writev(2, line, 5);
  _exit(kFailure);
}

void require(bool ok, const char* what) {
  const char* why = strerrordesc_np(errno);
  if (!ok) refuse(what, why == nullptr ? "unknown error" : why);
}

void require_state(bool ok, const char* what) {
  if (!ok) refuse(what, "start programs by `sbox`");
}

// What the caller has arranged: descriptors, core dumps, the fate of children.
void clean_up(int argc) {
  for (int fd = 0; fd <= kPlanDescriptor; ++fd) require_state(fcntl(fd, F_GETFD) >= 0, "descriptors are closed");
  require_state(argc == kWords, "it has other arguments than sbox gives it");
  require(close_range(kLastDescriptor + 1, ~0U, 0) == 0, "close descriptors");
  require(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0, "forbid tracing");
  rlimit core{};
  require(getrlimit(RLIMIT_CORE, &core) == 0, "core dumps");
  // Not 0, of which a pipe for core dumps takes no notice.
  core.rlim_cur = core.rlim_max < 1 ? core.rlim_max : 1;
  require(setrlimit(RLIMIT_CORE, &core) == 0, "core dumps");
  require(signal(SIGCHLD, SIG_DFL) != SIG_ERR, "signals");
}

struct Kernel {
  int proc, self;  // /proc, and the directory of this process in it, which stays that of this process
};

Kernel open_proc() {
  Kernel kernel{open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), -1};
  struct statfs status {};
  require(kernel.proc >= 0 && fstatfs(kernel.proc, &status) == 0, "/proc");
  require_state(status.f_type == PROC_SUPER_MAGIC, "/proc is not the kernel's");
  kernel.self = openat(kernel.proc, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
  require(kernel.self >= 0, "/proc/self");
  return kernel;
}

ino_t user_namespace(const Kernel& kernel) {
  struct stat status {};
  require(fstatat(kernel.self, "ns/user", &status, 0) == 0, "user namespace");
  return status.st_ino;
}

void require_root_s(const char* path, mode_t type) {
  struct stat status {};
  require(lstat(path, &status) == 0, path);
  bool safe = status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  require_state(safe && (status.st_mode & (S_IFMT | S_ISUID)) == type, "others than root can change where it lies");
}

// `path` becomes that of the launcher beside this program. Nobody but root can change it, or a directory above it.
void find_launcher(const Kernel& kernel, char (&path)[PATH_MAX]) {
  constexpr size_t kRoom = sizeof path - sizeof kLauncher;
  ssize_t size = readlinkat(kernel.self, "exe", path, kRoom);
  require_state(size > 0 && size < static_cast<ssize_t>(kRoom) && path[0] == '/', "it has no path");
  path[size] = '\0';
  memcpy(strrchr(path, '/') + 1, kLauncher, sizeof kLauncher);
  require_root_s("/", S_IFDIR);
  for (char* slash = strchr(path + 1, '/'); slash != nullptr; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    require_root_s(path, S_IFDIR);
    *slash = '/';
  }
  require_root_s(path, S_IFREG);
}

bool write_file(int dir, const char* path, const char* text) {
  int file = openat(dir, path, O_WRONLY | O_CLOEXEC);
  return file >= 0 && write(file, text, strlen(text)) == static_cast<ssize_t>(strlen(text)) && close(file) == 0;
}

struct Ids {
  uid_t uid;
  gid_t gid;
};

// The second process: the caller's one user and group, and no more groups. Its exit status is the errno of a failure.
[[noreturn]] void write_map(const Kernel& kernel, const Ids& caller, int made) {
  char byte = 0, users[64], groups[64];
  errno = EPERM;  // unless a call says more
  snprintf(users, sizeof users, "%u %u 1", caller.uid, caller.uid);
  snprintf(groups, sizeof groups, "%u %u 1", caller.gid, caller.gid);
  bool written = set_capabilities(kMap, 0) && read(made, &byte, 1) == 1 &&
                 write_file(kernel.self, "setgroups", "deny") && write_file(kernel.self, "uid_map", users) &&
                 write_file(kernel.self, "gid_map", groups);
  _exit(written ? 0 : errno);
}

// Makes the namespace: from here on no capability of this process reaches outside of it.
void make_namespace(const Kernel& kernel, const Ids& caller) {
  int made[2];
  require(pipe2(made, O_CLOEXEC) == 0, "pipe");
  pid_t writer = fork();
  require(writer >= 0, "fork");
  if (writer == 0) {
    close(made[1]);
    write_map(kernel, caller, made[0]);
  }
  require(set_capabilities(kMake, 0), "capabilities");
  require(unshare(CLONE_NEWUSER | CLONE_FS) == 0, "user namespace");  // the second comes with the first
  int status = 0;
  require(write(made[1], "", 1) == 1 && waitpid(writer, &status, 0) == writer, "id map");
  errno = WEXITSTATUS(status);
  require(status == 0, "id map");
}

bool maps_one(const Kernel& kernel, const char* map, unsigned id) {
  char wanted[64], text[64] = {};
  snprintf(wanted, sizeof wanted, "%10u %10u %10u\n", id, id, 1U);
  int file = openat(kernel.self, map, O_RDONLY | O_CLOEXEC);
  return file >= 0 && read(file, text, sizeof text - 1) > 0 && close(file) == 0 && strcmp(text, wanted) == 0;
}

// The caller for good, in a namespace with these ids alone that is not the one where it began.
void become_caller(const Kernel& kernel, const Ids& caller, ino_t before) {
  require(setresgid(caller.gid, caller.gid, caller.gid) == 0, "group id");
  require(setresuid(caller.uid, caller.uid, caller.uid) == 0, "user id");
  // A change of ids sets it as fs.suid_dumpable says.
  require(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0, "forbid tracing");
  uid_t uids[3];
  gid_t gids[3];
  require(getresuid(&uids[0], &uids[1], &uids[2]) == 0 && getresgid(&gids[0], &gids[1], &gids[2]) == 0, "ids");
  for (int i = 0; i < 3; ++i) require_state(uids[i] == caller.uid && gids[i] == caller.gid, "the ids are not dropped");
  require_state(setfsuid(~0U) == static_cast<int>(caller.uid), "the id for files is not dropped");
  require_state(user_namespace(kernel) != before, "the user namespace is not new");
  require_state(maps_one(kernel, "uid_map", caller.uid) && maps_one(kernel, "gid_map", caller.gid), "the ids are more");
}

}  // namespace
}  // namespace sbox

int main(int argc, char** argv) {
  using namespace sbox;
  clean_up(argc);
  Ids caller{getuid(), getgid()};
  require_state(caller.uid != 0 && getegid() == caller.gid, "root needs it not, and no group does");
  // A file system without set-id programs, no_new_privs or a tracer: whatever took the privilege away.
  require(set_capabilities(kMake | kMap, 0), "it has no privilege to give (installed set-user-ID root?)");
  setfsuid(caller.uid);  // what is looked at is looked at with the caller's rights
  Kernel kernel = open_proc();
  char launcher[PATH_MAX];
  find_launcher(kernel, launcher);
  ino_t before = user_namespace(kernel);
  require(setresuid(-1, 0, -1) == 0, "effective id");
  make_namespace(kernel, caller);
  become_caller(kernel, caller, before);

  // The privilege is gone. The namespace is for one sandbox, and no namespace may be made of it.
  require(write_file(kernel.proc, "sys/user/max_user_namespaces", "0"), "/proc/sys/user/max_user_namespaces");
  uint64_t all = 0;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) all |= uint64_t{1} << capability;
  require(set_capabilities(all, all), "capabilities of the namespace");
  for (int capability = 0; all >> capability != 0; ++capability) {
    require(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0, "capabilities of the namespace");
  }
  require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  char name[] = "sbox";
  char* arguments[] = {name, argv[1], argv[2], argv[3], nullptr};
  char* environment[] = {nullptr};
  execve(launcher, arguments, environment);
  require(false, launcher);
}
