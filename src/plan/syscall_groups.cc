#include "plan/syscall_groups.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "plan/filter_digest.h"

namespace sbox {
namespace {

struct Row {
  std::string_view name;
  bool by_default;
  std::string_view meaning;
  std::string_view calls;  // separated by single spaces
};

// Every call that one of the three architectures has is in exactly one group: what is in none of those granted fails
// with EPERM, what is not in the table at all with ENOSYS.
constexpr auto kTable = std::to_array<Row>({
    {"@file", true, "Files and directories: open, look, change, watch.",
     "access cachestat chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat "
     "faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchown fchown32 fchownat fcntl fcntl64 "
     "fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents "
     "getdents64 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lchown32 link linkat lstat "
     "lstat64 mkdir mkdirat mknod mknodat newfstatat open openat readahead readlink readlinkat rename renameat "
     "renameat2 rmdir stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs truncate "
     "truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes"},
    {"@xattr", true, "Extended attributes of files.",
     "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr "
     "lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat"},
    {"@io", true, "Read and write open files.",
     "_llseek ioctl lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv sendfile sendfile64 splice tee "
     "vmsplice write writev"},
    {"@aio", true, "The older asynchronous input and output.",
     "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit"},
    {"@poll", true, "Wait for events.",
     "_newselect epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll ppoll "
     "ppoll_time64 pselect6 pselect6_time64 select"},
    {"@memory", true, "The program's own memory.",
     "brk madvise map_shadow_stack memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap "
     "mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect"},
    {"@numa", true, "On which memory node the program's own pages are.",
     "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    {"@thread", true, "Threads and the locks between them.",
     "arch_prctl futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area "
     "gettid membarrier rseq set_robust_list set_thread_area set_tid_address"},
    {"@process", true, "Start, wait for and name processes.",
     "clone execve execveat exit exit_group fork getpgid getpgrp getpid getppid getsid personality pidfd_open "
     "pidfd_send_signal prctl restart_syscall setpgid setsid vfork wait4 waitid waitpid"},
    {"@scheduling", true, "Priorities and processors of own processes.",
     "getcpu getpriority ioprio_get ioprio_set nice sched_get_priority_max sched_get_priority_min sched_getaffinity "
     "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
     "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield setpriority"},
    {"@limits", true, "Resource limits and use.", "getrlimit getrusage prlimit64 setrlimit times ugetrlimit"},
    {"@signal", true, "Send and handle signals.",
     "kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
     "rt_sigtimedwait_time64 rt_tgsigqueueinfo sgetmask sigaction sigaltstack signal signalfd signalfd4 sigpending "
     "sigprocmask sigreturn sigsuspend ssetmask tgkill tkill"},
    {"@time", true, "Read clocks, sleep, set timers.",
     "alarm clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 "
     "getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime "
     "timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
     "timerfd_settime64"},
    {"@network", true, "Sockets: UNIX, IPv4, IPv6 and route netlink.",
     "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmmsg_time64 recvmsg "
     "sendmmsg sendmsg sendto setsockopt shutdown socket socketpair"},
    {"@ipc", true, "Pipes, System V and POSIX message queues, semaphores, shared memory.",
     "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 "
     "mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 semctl semget semop semtimedop semtimedop_time64 shmat shmctl "
     "shmdt shmget"},
    {"@credentials", true, "Read and give up own ids and capabilities.",
     "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 "
     "getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups "
     "setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32"},
    {"@information", true, "What system this is; random numbers.",
     "getrandom lsm_get_self_attr lsm_list_modules sysinfo uname"},
    {"@restrict", true, "Give up more rights: a program's own filters and Landlock rules.",
     "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"},

    {"@namespace", false, "Namespaces, mounts and roots (granted by nested-sandbox).",
     "chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root setns umount umount2 "
     "unshare"},
    {"@debug", false, "Read and control other processes (granted by debug).",
     "kcmp pidfd_getfd process_vm_readv process_vm_writev ptrace"},
    {"@opaque", false,
     "Calls that an argument test cannot see into, or newer twins of tested ones: they fail with ENOSYS, so that "
     "libraries use the older call.",
     "clone3 fchmodat2 openat2"},
    {"@socketcall", false, "All socket calls of i386 in one: the family is in memory, and cannot be tested.",
     "socketcall"},
    {"@mount-query", false, "Newer calls that list or copy mounts.", "listmount open_tree_attr statmount"},
    {"@other-memory", false, "Move or drop the memory of other processes.",
     "migrate_pages move_pages process_madvise process_mrelease"},
    {"@handle", false, "Open files by handle, past their directories.", "name_to_handle_at open_by_handle_at"},
    {"@watch", false, "Watch whole file systems.", "fanotify_init fanotify_mark"},
    {"@io-uring", false, "Input and output past the filter.", "io_uring_enter io_uring_register io_uring_setup"},
    {"@userfault", false, "Handle page faults in user space.", "userfaultfd"},
    {"@keyring", false, "The kernel's key rings.", "add_key keyctl request_key"},
    {"@bpf", false, "Programs in the kernel.", "bpf"},
    {"@perf", false, "Performance counters and profiles.", "lookup_dcookie perf_event_open"},
    {"@module", false, "Kernel modules.",
     "create_module delete_module finit_module get_kernel_syms init_module query_module"},
    {"@kexec", false, "Start another kernel.", "kexec_file_load kexec_load"},
    {"@clock-set", false, "Set the system's clocks.",
     "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime"},
    {"@reboot", false, "Restart or halt the machine.", "reboot"},
    {"@swap", false, "Swap space.", "swapoff swapon"},
    {"@raw-io", false, "Input and output ports.", "ioperm iopl"},
    {"@old-processor", false, "Segments and the modes of older processors, for 16-bit programs.",
     "modify_ldt vm86 vm86old"},
    {"@privileged", false, "What only an administrator needs.",
     "acct lsm_set_self_attr nfsservctl quotactl quotactl_fd setdomainname sethostname syslog vhangup"},
    {"@obsolete", false, "Nothing current uses these.",
     "_sysctl afs_syscall bdflush break epoll_ctl_old epoll_wait_old ftime getpmsg gtty idle lock mpx oldfstat "
     "oldlstat "
     "oldolduname oldstat olduname prof profil putpmsg readdir remap_file_pages security stty sysfs tuxcall ulimit "
     "uselib ustat vserver"},
});

struct NewerCall {
  std::string_view name;
  int number;
};
constexpr auto kNewerCalls = std::to_array<NewerCall>({
    {"statmount", 457},
    {"listmount", 458},
    {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460},
    {"lsm_list_modules", 461},
    {"mseal", 462},
    {"setxattrat", 463},
    {"getxattrat", 464},
    {"listxattrat", 465},
    {"removexattrat", 466},
    {"open_tree_attr", 467},
});

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(' ', begin), text.size());
    result.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

bool granted(const SyscallGroup& group, const SeccompPolicy& policy) {
  return group.by_default || (policy.nested_sandbox && group.name == "@namespace") ||
         (policy.debug && group.name == "@debug");
}

const std::set<std::string_view>& all_calls() {
  static const std::set<std::string_view> calls = [] {
    std::set<std::string_view> result;
    for (const SyscallGroup& group : syscall_groups()) result.insert(group.calls.begin(), group.calls.end());
    return result;
  }();
  return calls;
}

// What one word of `allow` or `deny` stands for.
std::vector<std::string_view> meant_by(const std::string& word) {
  if (const SyscallGroup* group = find_group(word)) return group->calls;
  auto call = all_calls().find(word);
  if (call == all_calls().end()) throw Error("seccomp", "unknown system call or group " + quote(word));
  return {*call};
}

}  // namespace

const std::vector<SyscallGroup>& syscall_groups() {
  static const std::vector<SyscallGroup> groups = [] {
    std::vector<SyscallGroup> result;
    for (const Row& row : kTable) result.push_back({row.name, row.meaning, row.by_default, words(row.calls)});
    return result;
  }();
  return groups;
}

const SyscallGroup* find_group(std::string_view name) {
  auto group = std::ranges::find(syscall_groups(), name, &SyscallGroup::name);
  return group == syscall_groups().end() ? nullptr : &*group;
}

std::optional<int> newer_call_number(std::string_view call) {
  auto newer = std::ranges::find(kNewerCalls, call, &NewerCall::name);
  if (newer == kNewerCalls.end()) return std::nullopt;
  return newer->number;
}

const std::vector<Multiplexer>& multiplexers() {
  static const std::vector<Multiplexer> all = {
      {"socketcall", words("accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg "
                           "recvmsg sendmmsg sendmsg sendto setsockopt shutdown socket socketpair")},
      {"ipc", words("msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget")},
  };
  return all;
}

std::set<std::string_view> allowed_calls(const SeccompPolicy& policy) {
  std::set<std::string_view> allowed;
  for (const SyscallGroup& group : syscall_groups()) {
    if (granted(group, policy)) allowed.insert(group.calls.begin(), group.calls.end());
  }
  for (const std::string& word : policy.allow) {
    for (std::string_view call : meant_by(word)) allowed.insert(call);
  }
  // Its flags are in memory: with it, the test of clone's flags would be worth nothing.
  allowed.erase("clone3");
  // With them, memory that was written becomes executable without mmap's test seeing it.
  if (policy.write_xor_execute) {
    for (std::string_view call : {"memfd_create", "memfd_secret", "ipc"}) allowed.erase(call);
  }
  for (const std::string& word : policy.deny) {
    for (std::string_view call : meant_by(word)) allowed.erase(call);
  }
  // A multiplexer would be a way around the denial of any of its calls.
  for (const Multiplexer& each : multiplexers()) {
    bool whole = std::ranges::all_of(each.calls, [&](std::string_view call) { return allowed.contains(call); });
    if (!whole) allowed.erase(each.name);
  }
  return allowed;
}

const SyscallGroup* group_of(std::string_view call) {
  auto group = std::ranges::find_if(syscall_groups(),
                                    [&](const SyscallGroup& each) { return std::ranges::count(each.calls, call) > 0; });
  return group == syscall_groups().end() ? nullptr : &*group;
}

bool is_for_mounts(std::string_view call) {
  const SyscallGroup* group = group_of(call);
  bool is_other = call == "chroot" || call == "setns" || call == "unshare";
  return group != nullptr && group->name == "@namespace" && !is_other;
}

bool changes_mounts(std::string_view call) {
  constexpr std::string_view kCalls[] = {"mount", "move_mount", "pivot_root", "umount", "umount2"};
  return std::ranges::count(kCalls, call) > 0;
}

std::string_view own_call(std::string_view word) {
  constexpr std::string_view kOwn[] = {"brk",     "close",      "close_range", "dup2",  "execve", "fcntl",
                                       "getsid",  "newfstatat", "openat",      "prctl", "read",   "rt_sigprocmask",
                                       "sendmsg", "setpgid",    "signalfd4",   "statx", "vfork",  "waitid"};
  const SyscallGroup* group = find_group(word);
  for (std::string_view call : kOwn) {
    if (call == word || (group && std::ranges::count(group->calls, call) > 0)) return call;
  }
  return "";
}

const SyscallGroup* further_group(std::string_view word) {
  const SyscallGroup* group = find_group(word);
  if (!group) group = group_of(word);
  return group && !group->by_default ? group : nullptr;
}

// Libraries fall back to another call on ENOSYS, but take EPERM for the answer. What is in no group is newer than the
// table, or a gap in it.
CallAnswer answer_to(std::string_view call, const std::set<std::string_view>& allowed, const SeccompPolicy& policy) {
  if (allowed.contains(call)) return CallAnswer::allowed;
  const SyscallGroup* group = group_of(call);
  bool is_older_wanted = policy.write_xor_execute && (call == "memfd_create" || call == "memfd_secret");
  bool as_missing = group == nullptr || group->name == "@opaque" || is_older_wanted;
  return as_missing ? CallAnswer::missing : CallAnswer::denied;
}

uint64_t syscall_table_digest() {
  static constexpr uint64_t digest = [] {
    uint64_t value = kDigestStart;
    for (const Row& row : kTable) {
      value = digest_add(value, row.name);
      value = digest_add(value, row.by_default ? "+" : "-");
      value = digest_add(value, row.calls);
    }
    for (const NewerCall& call : kNewerCalls) value = digest_add(value, call.name);
    return value;
  }();
  return digest;
}

}  // namespace sbox
