// attack_calls [MODE]: makes calls that a sandbox must deny and prints one line each: NAME, and "ok" where the call had
// its way, else the errno, or "killed" where the filter ended the caller. Each runs in a process of its own, by raw
// numbers.
//   calls          what no sandbox needs (the default)
//   nested         what a program can do in user, mount and network namespaces of its own making
//   set-id DIR     all ways to make a file in DIR with a set-id bit
//   memory         all ways to have memory that was written executed
//   mounts         every change of every mount in view, directly and in a namespace of its own; says what worked
//   numbers A B    the calls from number A to B with arguments that no call takes; says what is neither ENOSYS nor
//   EPERM denied N       N denied calls in a row
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBER_FCHMODAT2 452
#define HIGH (1UL << 32)
#define ALL_HIGH (0xffffffffUL << 32)
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

typedef long (*Probe)(void);

static void run(const char* prefix, const char* name, Probe probe) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    long done = probe();
    _exit(done >= 0 ? 0 : errno > 0 && errno < 255 ? errno : 255);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, __WALL) < 0) {
    printf("%s%s %d\n", prefix, name, errno);
  } else if (WIFSIGNALED(status)) {
    printf(WTERMSIG(status) == SIGSYS ? "%s%s killed\n" : "%s%s crashed\n", prefix, name);
  } else if (WEXITSTATUS(status) == 0) {
    printf("%s%s ok\n", prefix, name);
  } else {
    printf("%s%s %d\n", prefix, name, WEXITSTATUS(status));
  }
}

// ------------------------------------------------------------------------------------------------- terminals

static int own_terminal(void) {
  setsid();
  int leader = posix_openpt(O_RDWR | O_NOCTTY);
  if (leader < 0 || grantpt(leader) != 0 || unlockpt(leader) != 0) return -1;
  int follower = open(ptsname(leader), O_RDWR | O_NOCTTY);
  if (follower >= 0) ioctl(follower, TIOCSCTTY, 0);
  return follower;
}

static long terminal_call(unsigned long request, void* argument) {
  int fd = own_terminal();
  if (fd < 0) _exit(254);  // no terminal, no test
  return syscall(SYS_ioctl, fd, request, argument);
}

static int discipline;  // N_TTY, the one that it has
static char word[4096];
static long tiocsti(void) { return terminal_call(0x5412, "#"); }
static long tiocsti_high(void) { return terminal_call(0x5412 | HIGH, "#"); }
static long tiocsti_all_high(void) { return terminal_call(0x5412 | ALL_HIGH, "#"); }
static long tiocsti_dev_tty(void) {
  if (own_terminal() < 0) _exit(254);
  int fd = open("/dev/tty", O_RDWR);
  return fd < 0 ? -1 : syscall(SYS_ioctl, fd, 0x5412, "#");
}
static long tiocsti_reopened(void) {
  int fd = own_terminal();
  if (fd < 0) _exit(254);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  fd = open(path, O_RDWR);
  return fd < 0 ? -1 : syscall(SYS_ioctl, fd, 0x5412, "#");
}
static long tiocsetd(void) { return terminal_call(0x5423, &discipline); }
static long tiocsetd_high(void) { return terminal_call(0x5423 | HIGH, &discipline); }
static long tiocsetd_all_high(void) { return terminal_call(0x5423 | ALL_HIGH, &discipline); }
static long tioccons(void) { return terminal_call(0x541d, NULL); }
static long tioclinux(void) { return terminal_call(0x541c, word); }
static long tioclinux_high(void) { return terminal_call(0x541c | HIGH, word); }
static long kdgkbtype(void) { return terminal_call(0x4b33, word); }
static long kdskbent(void) { return terminal_call(0x4b47, word); }
static long kdskbent_high(void) { return terminal_call(0x4b47 | HIGH, word); }
static long kdsetmode(void) { return terminal_call(0x4b3a, NULL); }
static long pio_font(void) { return terminal_call(0x4b61, word); }
static long vt_openqry(void) { return terminal_call(0x5600, word); }
static long vt_activate(void) { return terminal_call(0x5606, (void*)1); }
static long vt_activate_high(void) { return terminal_call(0x5606 | HIGH, (void*)1); }

// ------------------------------------------------------------------------------------------------- arguments of 64
// bits

static long reap(long child) {
  if (child == 0) _exit(0);
  if (child > 0) waitpid((pid_t)child, NULL, __WALL);
  return child;
}

static long clone_high(void) {
  return reap(syscall(SYS_clone, (unsigned long)CLONE_NEWUSER | SIGCHLD | HIGH, 0, 0, 0, 0));
}
static long clone_net(void) { return reap(syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)); }
static long unshare_all_high(void) { return syscall(SYS_unshare, CLONE_NEWUSER | ALL_HIGH); }
static long personality_high(void) { return syscall(SYS_personality, READ_IMPLIES_EXEC | HIGH); }
static long personality_all_high(void) { return syscall(SYS_personality, READ_IMPLIES_EXEC | ALL_HIGH); }
static long no_randomize(void) { return syscall(SYS_personality, ADDR_NO_RANDOMIZE); }
static long vsock(void) { return syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0); }
static long vsock_high(void) { return syscall(SYS_socket, AF_VSOCK | HIGH, SOCK_STREAM, 0); }
static long vsock_all_high(void) { return syscall(SYS_socket, AF_VSOCK | ALL_HIGH, SOCK_STREAM, 0); }
static long netlink(int protocol) { return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, protocol); }
static long netlink_diag(void) { return netlink(NETLINK_SOCK_DIAG); }
static long netlink_diag_high(void) { return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG | HIGH); }
static long netlink_netfilter(void) { return netlink(NETLINK_NETFILTER); }
static long netlink_xfrm(void) { return netlink(NETLINK_XFRM); }
static long netlink_uevent(void) { return netlink(NETLINK_KOBJECT_UEVENT); }
static long netlink_audit(void) { return netlink(NETLINK_AUDIT); }
static long netlink_generic(void) { return netlink(NETLINK_GENERIC); }
static long netlink_crypto(void) { return netlink(NETLINK_CRYPTO); }

// ------------------------------------------------------------------------------------------------- the other entries

#ifdef __x86_64__
static long entry_32(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(a), "c"(b), "d"(c), "S"(0L), "D"(0L)
                   : "memory", "r8", "r9", "r10", "r11");
  result = (int)result;
  if (result >= 0) return result;
  errno = (int)-result;
  return -1;
}
// Their pointers have 32 bits: what they lead to must be static.
static char none[] = "none", tmp[] = "/tmp", tmpfs[] = "tmpfs";
static unsigned vsock_arguments[3] = {AF_VSOCK, SOCK_STREAM, 0};
static long low(const void* pointer) { return (long)(unsigned)(unsigned long)pointer; }
static long getpid_32(void) { return entry_32(20, 0, 0, 0); }
static long unshare_32(void) { return entry_32(310, CLONE_NEWUSER, 0, 0); }
static long clone_32(void) {
  // The child would run on in the middle of the assembly: exit at once.
  return reap(entry_32(120, CLONE_NEWUSER | SIGCHLD, 0, 0));
}
static long mount_32(void) { return entry_32(21, low(none), low(tmp), low(tmpfs)); }
static long ptrace_32(void) { return entry_32(26, PTRACE_TRACEME, 0, 0); }
static long keyctl_32(void) { return entry_32(288, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1); }
static long socketcall_32(void) { return entry_32(102, 1, low(vsock_arguments), 0); }
static long socket_32(void) { return entry_32(359, AF_VSOCK, SOCK_STREAM, 0); }
static long open_tree_32(void) { return entry_32(428, AT_FDCWD, low(tmp), 0); }
static long io_uring_32(void) { return entry_32(425, 1, low(word), 0); }
static long personality_32(void) { return entry_32(136, READ_IMPLIES_EXEC, 0, 0); }
static long getpid_x32(void) { return syscall(0x40000000 | SYS_getpid); }
static long unshare_x32(void) { return syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER); }
#endif

// ------------------------------------------------------------------------------------------------- what no program
// needs

static long session_to_parent(void) { return syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT); }
static long join_session(void) { return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL); }
static long user_keyring(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1); }
static long trace_me(void) { return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }
static long compare(void) { return syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0); }
static long pages(void) { return syscall(SYS_move_pages, 0, 0UL, NULL, NULL, NULL, 0); }
static long clock_state(void) {
  struct timex nothing = {0};
  return syscall(SYS_adjtimex, &nothing);
}
static long segments(void) { return syscall(SYS_modify_ldt, 0, word, sizeof word); }
static long ports(void) { return syscall(SYS_iopl, 3); }
static long modules(void) { return syscall(SYS_delete_module, "none", O_NONBLOCK); }
static long module_file(void) { return syscall(SYS_finit_module, 0, "", 0); }
static long restart(void) { return syscall(SYS_reboot, 0, 0, 0, NULL); }
static long accounting(void) { return syscall(SYS_acct, NULL); }
static long swap_off(void) { return syscall(SYS_swapoff, "/none"); }
static long host_name(void) { return syscall(SYS_sethostname, "attacked", 8UL); }
static long by_handle(void) { return syscall(SYS_open_by_handle_at, AT_FDCWD, word, 0); }
static long cookie(void) { return syscall(SYS_lookup_dcookie, 0UL, word, sizeof word); }
static long userfault_device(void) { return open("/dev/userfaultfd", O_RDWR); }
static long fuse_device(void) { return open("/dev/fuse", O_RDWR); }
static long kernel_log(void) { return open("/dev/kmsg", O_RDONLY | O_NONBLOCK); }
static long openat2_plain(void) {
  struct open_how how = {.flags = O_RDONLY};
  return syscall(SYS_openat2, AT_FDCWD, "/tmp", &how, sizeof how);
}
static long become_root(void) { return getuid() == 0 ? (errno = EPERM, -1) : syscall(SYS_setuid, 0); }
static long another_group(void) { return syscall(SYS_setresgid, getgid() + 1, getgid() + 1, getgid() + 1); }
static long set_groups(void) {
  gid_t group = getgid();
  return syscall(SYS_setgroups, 1UL, &group);
}
static long ambient(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 12, 0, 0); }
static long secure_bits(void) { return prctl(PR_SET_SECUREBITS, 0); }
static long interface_flags(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq request = {.ifr_name = "lo"};
  request.ifr_flags = IFF_UP;
  return ioctl(fd, SIOCSIFFLAGS, &request);
}

// The numbers of a kernel whose headers have none of them.
static long snapshot(void) { return syscall(SYS_ioctl, open(".", O_RDONLY), 0x50009401, word); }
static long snapshot_high(void) { return syscall(SYS_ioctl, open(".", O_RDONLY), 0x50009401 | HIGH, word); }
static long subvolume(void) { return syscall(SYS_ioctl, open(".", O_RDONLY), 0x50009418, word); }
static long file_key(void) { return syscall(SYS_ioctl, open(".", O_RDONLY), 0xc0406618, word); }
static long lease_by(unsigned long command) {
  char path[] = "/tmp/sbox-lease-XXXXXX";
  int fd = mkstemp(path);
  fchmod(fd, 0600);  // whatever the umask
  close(fd);
  fd = open(path, O_RDONLY);
  unlink(path);
  return fd < 0 ? -1 : syscall(SYS_fcntl, fd, command, F_RDLCK);
}
static long lease(void) { return lease_by(1024); }
static long lease_high(void) { return lease_by(1024 | HIGH); }

static const struct {
  const char* name;
  Probe probe;
} calls[] = {
    {"snapshot", snapshot},
    {"snapshot-high", snapshot_high},
    {"subvolume", subvolume},
    {"file-key", file_key},
    {"lease", lease},
    {"lease-high", lease_high},
    {"tiocsti", tiocsti},
    {"tiocsti-high", tiocsti_high},
    {"tiocsti-all-high", tiocsti_all_high},
    {"tiocsti-dev-tty", tiocsti_dev_tty},
    {"tiocsti-reopened", tiocsti_reopened},
    {"tiocsetd", tiocsetd},
    {"tiocsetd-high", tiocsetd_high},
    {"tiocsetd-all-high", tiocsetd_all_high},
    {"tioccons", tioccons},
    {"tioclinux", tioclinux},
    {"tioclinux-high", tioclinux_high},
    {"kdgkbtype", kdgkbtype},
    {"kdskbent", kdskbent},
    {"kdskbent-high", kdskbent_high},
    {"kdsetmode", kdsetmode},
    {"pio-font", pio_font},
    {"vt-openqry", vt_openqry},
    {"vt-activate", vt_activate},
    {"vt-activate-high", vt_activate_high},
    {"clone-high", clone_high},
    {"clone-net", clone_net},
    {"unshare-all-high", unshare_all_high},
    {"personality-high", personality_high},
    {"personality-all-high", personality_all_high},
    {"no-randomize", no_randomize},
    {"vsock", vsock},
    {"vsock-high", vsock_high},
    {"vsock-all-high", vsock_all_high},
    {"netlink-diag", netlink_diag},
    {"netlink-diag-high", netlink_diag_high},
    {"netlink-netfilter", netlink_netfilter},
    {"netlink-xfrm", netlink_xfrm},
    {"netlink-uevent", netlink_uevent},
    {"netlink-audit", netlink_audit},
    {"netlink-generic", netlink_generic},
    {"netlink-crypto", netlink_crypto},
#ifdef __x86_64__
    {"entry32-getpid", getpid_32},
    {"entry32-unshare", unshare_32},
    {"entry32-clone", clone_32},
    {"entry32-mount", mount_32},
    {"entry32-ptrace", ptrace_32},
    {"entry32-keyctl", keyctl_32},
    {"entry32-socketcall", socketcall_32},
    {"entry32-socket", socket_32},
    {"entry32-open_tree", open_tree_32},
    {"entry32-io_uring", io_uring_32},
    {"entry32-personality", personality_32},
    {"x32-getpid", getpid_x32},
    {"x32-unshare", unshare_x32},
#endif
    {"keyctl-session-to-parent", session_to_parent},
    {"keyctl-join-session", join_session},
    {"keyctl-user-keyring", user_keyring},
    {"ptrace-traceme", trace_me},
    {"kcmp", compare},
    {"move_pages", pages},
    {"adjtimex", clock_state},
    {"modify_ldt", segments},
    {"iopl", ports},
    {"delete_module", modules},
    {"finit_module", module_file},
    {"reboot", restart},
    {"acct", accounting},
    {"swapoff", swap_off},
    {"sethostname", host_name},
    {"open_by_handle_at", by_handle},
    {"lookup_dcookie", cookie},
    {"dev-userfaultfd", userfault_device},
    {"dev-fuse", fuse_device},
    {"dev-kmsg", kernel_log},
    {"openat2", openat2_plain},
    {"setuid-root", become_root},
    {"another-group", another_group},
    {"setgroups", set_groups},
    {"ambient-capability", ambient},
    {"securebits", secure_bits},
    {"interface-flags", interface_flags},
};

// ------------------------------------------------------------------------------------------------- own namespaces

static long write_text(const char* path, const char* text) {
  int fd = open(path, O_WRONLY);
  return fd < 0 ? -1 : write(fd, text, strlen(text)) < 0 ? -1 : close(fd);
}

// User, mount and network namespaces with all capabilities in them; ends the probe where there are none.
static void enter_namespaces(void) {
  char map[64];
  snprintf(map, sizeof map, "%d %d 1", getuid(), getuid());
  if (syscall(SYS_unshare, NAMESPACES) < 0) _exit(errno);
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/uid_map", map);
}

static void enter_process_namespace(void) {
  enter_namespaces();
  if (syscall(SYS_unshare, CLONE_NEWPID) < 0) _exit(errno);
  pid_t child = fork();
  if (child == 0) return;
  int status = 0;
  waitpid(child, &status, 0);
  _exit(WEXITSTATUS(status));
}

static long in_namespace_mount(const char* type, const char* options) {
  enter_namespaces();
  return syscall(SYS_mount, "none", "/tmp", type, 0, options);
}
static long nested_unshare(void) { return enter_namespaces(), 0; }
static long nested_tmpfs(void) { return in_namespace_mount("tmpfs", ""); }
static long nested_overlay(void) { return in_namespace_mount("overlay", "lowerdir=/usr/lib:/usr/bin"); }
static long nested_proc(void) { return enter_process_namespace(), syscall(SYS_mount, "none", "/tmp", "proc", 0, ""); }
static long nested_sysfs(void) { return in_namespace_mount("sysfs", ""); }
static long nested_mqueue(void) { return in_namespace_mount("mqueue", ""); }
static long nested_cgroup(void) { return in_namespace_mount("cgroup2", ""); }
static long nested_binfmt(void) { return in_namespace_mount("binfmt_misc", ""); }
static long nested_bind(void) {
  return enter_namespaces(), syscall(SYS_mount, "/usr", "/tmp", NULL, MS_BIND | MS_REC, NULL);
}
static long nested_fsopen(void) { return enter_namespaces(), syscall(SYS_fsopen, "tmpfs", 0); }
static long nested_fsmount(void) {
  enter_namespaces();
  int context = (int)syscall(SYS_fsopen, "tmpfs", 0);
  if (context < 0 || syscall(SYS_fsconfig, context, 6 /* CMD_CREATE */, NULL, NULL, 0) < 0) return -1;
  int mount_fd = (int)syscall(SYS_fsmount, context, 0, 0);
  return mount_fd < 0 ? -1 : syscall(SYS_move_mount, mount_fd, "", AT_FDCWD, "/tmp", 4 /* F_EMPTY_PATH */);
}
static long nested_chroot(void) { return enter_namespaces(), syscall(SYS_chroot, "/tmp"); }
static long nested_netfilter(void) { return enter_namespaces(), netlink(NETLINK_NETFILTER); }
static long nested_xfrm(void) { return enter_namespaces(), netlink(NETLINK_XFRM); }
static long nested_packet(void) { return enter_namespaces(), syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0); }
static long nested_raw(void) { return enter_namespaces(), syscall(SYS_socket, AF_INET, SOCK_RAW, 255); }
static long nested_bpf(void) { return enter_namespaces(), syscall(SYS_bpf, 0, word, 72UL); }
static long nested_log(void) { return enter_namespaces(), syscall(SYS_syslog, 10, NULL, 0); }
static long nested_setuid(void) {
  return enter_namespaces(), getuid() == 0 ? (errno = EPERM, -1) : syscall(SYS_setuid, 0);
}
static long nested_fuse(void) { return enter_namespaces(), open("/dev/fuse", O_RDWR); }
static long nested_device(void) { return enter_namespaces(), mknod("/tmp/device", S_IFCHR | 0600, 0x103); }
static long nested_parent(void) {
  // Back into the namespaces that it came from.
  int fd = open("/proc/self/ns/net", O_RDONLY);
  if (fd < 0) return -1;
  enter_namespaces();
  return syscall(SYS_setns, fd, 0);
}

static const struct {
  const char* name;
  Probe probe;
} nested[] = {
    {"unshare", nested_unshare},
    {"mount-tmpfs", nested_tmpfs},
    {"mount-overlay", nested_overlay},
    {"mount-proc", nested_proc},
    {"mount-sysfs", nested_sysfs},
    {"mount-mqueue", nested_mqueue},
    {"mount-cgroup", nested_cgroup},
    {"bind", nested_bind},
    {"mount-binfmt", nested_binfmt},
    {"fsopen", nested_fsopen},
    {"fsmount", nested_fsmount},
    {"chroot", nested_chroot},
    {"netfilter", nested_netfilter},
    {"xfrm", nested_xfrm},
    {"packet", nested_packet},
    {"raw", nested_raw},
    {"bpf", nested_bpf},
    {"syslog", nested_log},
    {"setuid", nested_setuid},
    {"fuse", nested_fuse},
    {"device", nested_device},
    {"setns-back", nested_parent},
};

// ------------------------------------------------------------------------------------------------- set-id bits

static const int bits[] = {04755, 02755, 06755};

// Prints what each way did; that no file has such a bit is for the caller to see.
static void set_id(const char* directory) {
  if (chdir(directory) != 0) _exit(2);
  umask(0);
  int number = 0;
  char path[64];
#define MADE(name, call)                                    \
  do {                                                      \
    snprintf(path, sizeof path, "set-id-%d", number++);     \
    long done = (call);                                     \
    printf(done >= 0 ? "%s ok\n" : "%s %d\n", name, errno); \
  } while (0)
#define PLAIN(name, call)                                   \
  do {                                                      \
    snprintf(path, sizeof path, "set-id-%d", number++);     \
    int fd = open(path, O_CREAT | O_RDWR, 0644);            \
    long done = (call);                                     \
    printf(done >= 0 ? "%s ok\n" : "%s %d\n", name, errno); \
    close(fd);                                              \
  } while (0)
  for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
    unsigned long mode = (unsigned long)bits[i];
    struct open_how how = {.flags = O_CREAT | O_RDWR, .mode = mode};
    MADE("open", syscall(SYS_open, path, O_CREAT | O_RDWR, mode));
    MADE("open-high", syscall(SYS_open, path, O_CREAT | O_RDWR | ALL_HIGH, mode | ALL_HIGH));
    MADE("openat", syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, mode));
    MADE("openat2", syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
    MADE("creat", syscall(SYS_creat, path, mode));
    MADE("creat-high", syscall(SYS_creat, path, mode | HIGH));
    MADE("mkdir", syscall(SYS_mkdir, path, mode));
    MADE("mkdirat", syscall(SYS_mkdirat, AT_FDCWD, path, mode));
    MADE("mknod", syscall(SYS_mknod, path, S_IFREG | mode, 0));
    MADE("mknodat", syscall(SYS_mknodat, AT_FDCWD, path, S_IFREG | mode, 0));
    MADE("mknod-fifo", syscall(SYS_mknod, path, S_IFIFO | mode, 0));
    PLAIN("chmod", syscall(SYS_chmod, path, mode));
    PLAIN("chmod-high", syscall(SYS_chmod, path, mode | ALL_HIGH));
    PLAIN("chmod-type", syscall(SYS_chmod, path, mode | 0xffff0000));
    PLAIN("fchmod", syscall(SYS_fchmod, fd, mode));
    PLAIN("fchmodat", syscall(SYS_fchmodat, AT_FDCWD, path, mode));
    PLAIN("fchmodat2", syscall(NUMBER_FCHMODAT2, AT_FDCWD, path, mode, 0));
    int fd = (int)syscall(SYS_open, ".", O_TMPFILE | O_RDWR, mode);
    char link_path[64];
    snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    MADE("tmpfile", fd < 0 ? -1 : linkat(AT_FDCWD, link_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
#ifdef __x86_64__
    static char file_32[] = "set-id-entry32";
    close(open(file_32, O_CREAT | O_RDWR, 0644));
    fflush(stdout);
    if (fork() == 0) {
      long done = entry_32(15, low(file_32), bits[i], 0);
      printf(done >= 0 ? "%s ok\n" : "%s %d\n", "entry32-chmod", errno);
      fflush(stdout);
      _exit(0);
    }
    wait(NULL);
#endif
  }
}

// ------------------------------------------------------------------------------------------------- executable memory

#if defined(__x86_64__)
static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3};  // return 42
#else
static const unsigned char code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif
#define PAGE 4096

__attribute__((noinline, aligned(PAGE))) static int victim(void) {
  __asm__ volatile("" ::: "memory");
  return 7;
}

static long execute(void* at) {
  __builtin___clear_cache((char*)at, (char*)at + sizeof code);
  int (*function)(void);
  memcpy(&function, &at, sizeof function);
  return function() == 42 ? 0 : (errno = EIO, -1);
}
static void* map(int protection, int flags, int fd) {
  void* at = mmap(NULL, PAGE, protection, flags, fd, 0);
  if (at == MAP_FAILED) _exit(errno);
  return at;
}
static long both_at_once(void) {
  void* at = map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  memcpy(at, code, sizeof code);
  return execute(at);
}
static long written_then(int protection, long number) {
  void* at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  memcpy(at, code, sizeof code);
  return syscall(number, at, PAGE, protection, -1) < 0 ? -1 : execute(at);
}
static long mprotect_exec(void) { return written_then(PROT_READ | PROT_EXEC, SYS_mprotect); }
static long mprotect_all(void) { return written_then(PROT_READ | PROT_WRITE | PROT_EXEC, SYS_mprotect); }
static long pkey_mprotect_exec(void) { return written_then(PROT_READ | PROT_EXEC, SYS_pkey_mprotect); }
static long shared_memory(void) {
  int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
  if (id < 0) return -1;
  void *at = shmat(id, NULL, 0), *run_at = shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
  int error = errno;
  shmctl(id, IPC_RMID, NULL);
  errno = error;
  if (at == (void*)-1 || run_at == (void*)-1) return -1;
  memcpy(at, code, sizeof code);
  return execute(run_at);
}
static long from_file(int fd) {
  if (fd < 0 || ftruncate(fd, PAGE) != 0) return -1;
  memcpy(map(PROT_READ | PROT_WRITE, MAP_SHARED, fd), code, sizeof code);
  return execute(map(PROT_READ | PROT_EXEC, MAP_SHARED, fd));
}
static long memory_file(void) { return from_file((int)syscall(SYS_memfd_create, "code", 0)); }
static long secret_memory(void) { return from_file((int)syscall(447, 0)); }
static long plain_file(void) {
  char path[] = "/tmp/code-XXXXXX";
  return from_file(mkstemp(path));
}
static long shm_file(void) {
  char path[] = "/dev/shm/code-XXXXXX";
  return from_file(mkstemp(path));
}
static long by_personality(void) {
  if (personality(READ_IMPLIES_EXEC) < 0) return -1;
  void* at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  memcpy(at, code, sizeof code);
  return execute(at);
}
static long by_proc_mem(void) {
  int fd = open("/proc/self/mem", O_RDWR);
  void* at = (void*)(unsigned long)victim;
  if (fd < 0 || pwrite(fd, code, sizeof code, (off_t)(unsigned long)at) < 0) return -1;
  return execute(at);
}

static const struct {
  const char* name;
  Probe probe;
} memory[] = {
    {"mmap-both", both_at_once},           {"mprotect-exec", mprotect_exec}, {"mprotect-all", mprotect_all},
    {"pkey_mprotect", pkey_mprotect_exec}, {"shmat", shared_memory},         {"memfd", memory_file},
    {"memfd_secret", secret_memory},       {"file-tmp", plain_file},         {"file-shm", shm_file},
    {"personality", by_personality},       {"proc-mem", by_proc_mem},
};

// ------------------------------------------------------------------------------------------------- mounts

static char point[4096];
static int want_namespace;

struct Attributes {
  unsigned long long set, clear, propagation, userns;
};

static long with_mount(long (*change)(void)) {
  if (want_namespace) enter_namespaces();
  return change();
}
static long remount(void) { return syscall(SYS_mount, "none", point, NULL, MS_REMOUNT | MS_BIND, NULL); }
static long clear_read_only(void) {
  struct Attributes change = {.clear = 1};
  return syscall(SYS_mount_setattr, AT_FDCWD, point, 0, &change, sizeof change);
}
static long detach(void) { return syscall(SYS_umount2, point, MNT_DETACH); }
static long move(void) { return syscall(SYS_move_mount, AT_FDCWD, point, AT_FDCWD, "/tmp", 0); }
static long copy(void) { return syscall(SYS_open_tree, AT_FDCWD, point, 1 /* CLONE */ | AT_RECURSIVE); }
static long copy_alone(void) { return syscall(SYS_open_tree, AT_FDCWD, point, 1 /* CLONE */); }
static long over(void) { return syscall(SYS_mount, "/tmp", point, NULL, MS_BIND, NULL); }
static long share(void) { return syscall(SYS_mount, "none", point, NULL, MS_SHARED | MS_REC, NULL); }
static long pick(void) { return syscall(SYS_fspick, AT_FDCWD, point, 0); }

static long copy_writable(void) {
  struct Attributes change = {.clear = 1};
  int tree = (int)copy();
  return tree < 0 ? -1 : syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change);
}
static long reconfigure(void) {
  int context = (int)pick();
  if (context < 0 || syscall(SYS_fsconfig, context, 0 /* SET_FLAG */, "rw", NULL, 0) < 0) return -1;
  return syscall(SYS_fsconfig, context, 7 /* CMD_RECONFIGURE */, NULL, NULL, 0);
}

static const struct {
  const char* name;
  long (*change)(void);
} changes[] = {{"remount", remount},
               {"setattr", clear_read_only},
               {"umount", detach},
               {"move", move},
               {"copy", copy},
               {"copy-alone", copy_alone},
               {"copy-writable", copy_writable},
               {"bind-over", over},
               {"share", share},
               {"fspick", pick},
               {"reconfigure", reconfigure}};
static size_t current;
static long change_mount(void) { return with_mount(changes[current].change); }

static int change_mounts(void) {
  FILE* table = fopen("/proc/self/mountinfo", "re");
  static char line[8192];
  int points = 0;
  while (table && fgets(line, sizeof line, table)) {
    if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1) return 2;
    points++;
    for (current = 0; current < sizeof changes / sizeof *changes; current++) {
      for (want_namespace = 0; want_namespace < 2; want_namespace++) {
        char prefix[4200];
        snprintf(prefix, sizeof prefix, "%s %s", point, want_namespace ? "nested-" : "");
        run(prefix, changes[current].name, change_mount);
      }
    }
  }
  return points == 0;
}

// ------------------------------------------------------------------------------------------------- numbers

static long number_now;
static long raw_number(void) { return syscall(number_now, -1L, -1L, -1L, -1L, -1L, -1L); }

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "calls";
  if (strcmp(mode, "calls") == 0) {
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) run("", calls[i].name, calls[i].probe);
  } else if (strcmp(mode, "nested") == 0) {
    for (size_t i = 0; i < sizeof nested / sizeof *nested; i++) run("", nested[i].name, nested[i].probe);
  } else if (strcmp(mode, "memory") == 0) {
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) run("", memory[i].name, memory[i].probe);
  } else if (strcmp(mode, "set-id") == 0 && argc == 3) {
    set_id(argv[2]);
  } else if (strcmp(mode, "mounts") == 0) {
    return change_mounts();
  } else if (strcmp(mode, "numbers") == 0 && argc == 4) {
    for (number_now = atol(argv[2]); number_now <= atol(argv[3]); number_now++) {
      char name[32];
      snprintf(name, sizeof name, "%ld", number_now);
      run("", name, raw_number);
    }
  } else if (strcmp(mode, "denied") == 0 && argc == 3) {
    long refused = 0;
    for (long i = 0; i < atol(argv[2]); i++) refused += session_to_parent() < 0;
    printf("%ld\n", refused);
  } else {
    return 2;
  }
  return 0;
}
