// syscalls NAME: makes one system call that a sandbox must deny, by its raw number, and prints "ok" or the errno.
// With no libc wrapper in between, and linked statically, nothing but the kernel decides.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBER_IO_URING_SETUP 425
#define NUMBER_OPEN_TREE_ATTR 467
#define NUMBER_LISTMOUNT 458
#define NUMBER_STATMOUNT 457
#define NUMBER_FCHMODAT2 452

static long try_unshare(void) { return syscall(SYS_unshare, CLONE_NEWUSER); }

static long try_unshare_high_bits(void) { return syscall(SYS_unshare, CLONE_NEWUSER | 1UL << 32); }

static long try_unshare_mount(void) { return syscall(SYS_unshare, CLONE_NEWNS); }

static long reap(long child) {
  if (child == 0) _exit(0);
  if (child > 0) waitpid((pid_t)child, NULL, __WALL);
  return child;
}

static long try_clone(void) { return reap(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }

static long try_clone3(void) {
  struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  return reap(syscall(SYS_clone3, &args, sizeof args));
}

static long try_setns(void) {
  int fd = open("/proc/self/ns/user", O_RDONLY);
  if (fd < 0) return -1;
  long done = syscall(SYS_setns, fd, 0);
  // The own user namespace is EINVAL where the call is let through: that is "ok" for this test.
  return done < 0 && errno == EINVAL ? 0 : done;
}

static long try_mount(void) { return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, ""); }

static long try_umount(void) { return syscall(SYS_umount2, "/tmp", MNT_DETACH); }

static long try_open_tree(void) { return syscall(SYS_open_tree, AT_FDCWD, "/tmp", 0); }

static long try_open_tree_attr(void) { return syscall(NUMBER_OPEN_TREE_ATTR, AT_FDCWD, "/tmp", 0, NULL, 0UL); }

static long try_fsopen(void) { return syscall(SYS_fsopen, "tmpfs", 0); }

static long try_fspick(void) { return syscall(SYS_fspick, AT_FDCWD, "/tmp", 0); }

static long try_mount_setattr(void) {
  struct {
    unsigned long long set, clear, propagation, userns;
  } nothing = {0};
  return syscall(SYS_mount_setattr, AT_FDCWD, "/tmp", 0, &nothing, sizeof nothing);
}

static long try_move_mount(void) { return syscall(SYS_move_mount, AT_FDCWD, "/tmp", AT_FDCWD, "/dev/shm", 0); }

static long try_pivot_root(void) { return syscall(SYS_pivot_root, "/tmp", "/tmp"); }

static long try_chroot(void) { return syscall(SYS_chroot, "/tmp"); }

static long try_statmount(void) {
  unsigned long long request[4] = {32, 0, 1, 0};
  char buffer[4096];
  return syscall(NUMBER_STATMOUNT, request, buffer, sizeof buffer, 0);
}

static long try_listmount(void) {
  unsigned long long request[4] = {24, ~0ULL, 0, 0}, ids[16];
  return syscall(NUMBER_LISTMOUNT, request, ids, 16UL, 0);
}

// With an own child, which every host allows that allows ptrace at all.
static long with_child(long (*probe)(pid_t)) {
  int gate[2];
  if (pipe(gate) < 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(gate[1]);
    ssize_t ended = read(gate[0], &byte, 1);
    _exit((int)ended);
  }
  long done = probe(child);
  int error = errno;
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  errno = error;
  return done;
}

static long seize(pid_t child) { return syscall(SYS_ptrace, PTRACE_SEIZE, (long)child, 0L, 0L); }

static long try_ptrace(void) { return with_child(seize); }

static long read_memory(pid_t child) {
  static char there[8], here[8];
  struct iovec local = {here, sizeof here}, remote = {there, sizeof there};
  return syscall(SYS_process_vm_readv, (long)child, &local, 1UL, &remote, 1UL, 0UL);
}

static long try_process_vm_readv(void) { return with_child(read_memory); }

static long steal_descriptor(pid_t child) {
  long pidfd = syscall(SYS_pidfd_open, (long)child, 0);
  return pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 0, 0);
}

static long try_pidfd_getfd(void) { return with_child(steal_descriptor); }

static long try_keyctl(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }

static long try_add_key(void) { return syscall(SYS_add_key, "user", "sbox-probe", "x", 1UL, KEY_SPEC_PROCESS_KEYRING); }

static long try_request_key(void) { return syscall(SYS_request_key, "user", "sbox-probe", NULL, KEY_SPEC_PROCESS_KEYRING); }

static long try_bpf(void) {
  union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static long try_io_uring(void) {
  char parameters[256] = {0};
  return syscall(NUMBER_IO_URING_SETUP, 1, parameters);
}

static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* USER_MODE_ONLY */); }

static long try_perf_event_open(void) {
  struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .exclude_kernel = 1};
  return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL);
}

static long try_name_to_handle(void) {
  struct file_handle *handle = calloc(1, sizeof *handle + 128);
  int mount;
  handle->handle_bytes = 128;
  return syscall(SYS_name_to_handle_at, AT_FDCWD, "/usr", handle, &mount, 0);
}

static long try_fchmodat2_setuid(void) {
  char path[] = "/tmp/probe-XXXXXX";
  int fd = mkstemp(path);
  if (fd < 0) return -1;
  long done = syscall(NUMBER_FCHMODAT2, AT_FDCWD, path, 04755, 0);
  int error = errno;
  unlink(path);
  errno = error;
  return done;
}

static long open_socket(int domain, int type, int protocol) { return syscall(SYS_socket, domain, type, protocol); }

static long try_socket_vsock(void) { return open_socket(AF_VSOCK, SOCK_STREAM, 0); }
static long try_socket_alg(void) { return open_socket(AF_ALG, SOCK_SEQPACKET, 0); }
static long try_socket_packet(void) { return open_socket(AF_PACKET, SOCK_RAW, 0); }
static long try_socket_bluetooth(void) { return open_socket(AF_BLUETOOTH, SOCK_RAW, 1); }
static long try_socket_raw(void) { return open_socket(AF_INET, SOCK_RAW, 1); }

static long try_kexec(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long try_init_module(void) { return syscall(SYS_init_module, "", 0UL, ""); }
static long try_swapon(void) { return syscall(SYS_swapon, "/tmp", 0); }
static long try_syslog(void) { return syscall(SYS_syslog, 10, NULL, 0); }
static long try_fanotify(void) { return syscall(SYS_fanotify_init, 0x200 /* REPORT_FID */, O_RDONLY); }
static long try_personality(void) { return syscall(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */); }
static long try_getpid(void) { return syscall(SYS_getpid); }

static const struct {
  const char *name;
  long (*probe)(void);
} probes[] = {
    {"unshare", try_unshare},
    {"unshare-high-bits", try_unshare_high_bits},
    {"unshare-mount", try_unshare_mount},
    {"clone", try_clone},
    {"clone3", try_clone3},
    {"setns", try_setns},
    {"mount", try_mount},
    {"umount", try_umount},
    {"open_tree", try_open_tree},
    {"open_tree_attr", try_open_tree_attr},
    {"fsopen", try_fsopen},
    {"fspick", try_fspick},
    {"mount_setattr", try_mount_setattr},
    {"move_mount", try_move_mount},
    {"pivot_root", try_pivot_root},
    {"chroot", try_chroot},
    {"statmount", try_statmount},
    {"listmount", try_listmount},
    {"ptrace", try_ptrace},
    {"process_vm_readv", try_process_vm_readv},
    {"pidfd_getfd", try_pidfd_getfd},
    {"keyctl", try_keyctl},
    {"add_key", try_add_key},
    {"request_key", try_request_key},
    {"bpf", try_bpf},
    {"io_uring", try_io_uring},
    {"userfaultfd", try_userfaultfd},
    {"perf_event_open", try_perf_event_open},
    {"name_to_handle_at", try_name_to_handle},
    {"fchmodat2-setuid", try_fchmodat2_setuid},
    {"socket-vsock", try_socket_vsock},
    {"socket-alg", try_socket_alg},
    {"socket-packet", try_socket_packet},
    {"socket-bluetooth", try_socket_bluetooth},
    {"socket-raw", try_socket_raw},
    {"kexec_load", try_kexec},
    {"init_module", try_init_module},
    {"swapon", try_swapon},
    {"syslog", try_syslog},
    {"fanotify_init", try_fanotify},
    {"personality", try_personality},
    {"getpid", try_getpid},
};

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
    if (argc == 1) puts(probes[i].name);
    if (argc == 2 && strcmp(argv[1], probes[i].name) == 0) {
      long done = probes[i].probe();
      if (done >= 0) return puts("ok") < 0;
      return printf("%d\n", errno) < 0;
    }
  }
  return argc == 1 ? 0 : 2;
}
