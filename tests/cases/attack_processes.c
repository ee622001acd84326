// attack_processes MODE ...: what one process can do to others and to what surrounds it; one line each: NAME, and "ok"
// where it had its way, else the errno.
//   target                     prints "PID ADDRESS" of a process to attack, with a descriptor of a file open, and waits
//   for
//                              the end of its input
//   reach PID ADDRESS          attacks it
//   connect NAME...            connects to sockets: paths, or @NAME for abstract ones
//   descriptors                lists the open descriptors: NUMBER TARGET DEVICE:INODE
//   enter NAME...              opens NAME below every open directory descriptor, and below what they lead to
//   streams NAME               tries to change or read the files behind 0, 1 and 2; the report goes to the file NAME
//   ipc KEY [make | remove]    System V objects of that key, a POSIX queue and a shared file of that name: finds them
//   touch PATH                 what Landlock does not see: changes of PATH that need no open for writing
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static FILE* report;

static void say(const char* name, long done) {
  int error = errno;
  if (done >= 0) fprintf(report, "%s ok\n", name);
  if (done < 0) fprintf(report, "%s %d\n", name, error);
}

// ------------------------------------------------------------------------------------------------- another process

static char secret[16] = "secret";
static pid_t other;
static void* address;

static int own_pidfd(void) { return (int)syscall(SYS_pidfd_open, other, 0); }
static long seize(void) { return syscall(SYS_ptrace, PTRACE_SEIZE, other, 0, 0); }
static long attach(void) { return syscall(SYS_ptrace, PTRACE_ATTACH, other, 0, 0); }
static long readv_other(void) {
  char here[8];
  struct iovec local = {here, sizeof here}, remote = {address, sizeof here};
  return syscall(SYS_process_vm_readv, other, &local, 1UL, &remote, 1UL, 0UL);
}
static long writev_other(void) {
  struct iovec local = {secret, 1}, remote = {address, 1};
  return syscall(SYS_process_vm_writev, other, &local, 1UL, &remote, 1UL, 0UL);
}
static long open_of(const char* name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", other, name);
  return open(path, flags);
}
static long memory_file(void) {
  char byte;
  int fd = (int)open_of("mem", O_RDWR);
  return fd < 0 ? -1 : pread(fd, &byte, 1, (off_t)(uintptr_t)address);
}
static long proc_directory(void) { return open_of("", O_RDONLY | O_DIRECTORY); }
static long proc_environment(void) { return open_of("environ", O_RDONLY); }
static long proc_descriptors(void) { return open_of("fd", O_RDONLY | O_DIRECTORY); }
static long proc_root(void) { return open_of("root", O_RDONLY | O_DIRECTORY); }
static long proc_namespace(void) { return open_of("ns/mnt", O_RDONLY); }
static long proc_score(void) { return open_of("oom_score_adj", O_WRONLY); }
static long pidfd_open_other(void) { return own_pidfd(); }
static long pidfd_getfd_other(void) { return syscall(SYS_pidfd_getfd, own_pidfd(), 0, 0); }
static long pidfd_signal(void) { return syscall(SYS_pidfd_send_signal, own_pidfd(), 0, NULL, 0); }
static long pidfd_of_directory(void) { return syscall(SYS_pidfd_send_signal, proc_directory(), 0, NULL, 0); }
static long pidfd_setns(void) {
  // Without privileges over the namespaces it is EPERM outside, too; of our own user namespace it is EINVAL.
  long done = syscall(SYS_setns, own_pidfd(), 0x10000000 /* NEWUSER */);
  return done < 0 && errno == EINVAL ? 0 : done;
}
static long madvise_other(void) {
  struct iovec remote = {(void*)((uintptr_t)address & ~4095UL), 4096};
  return syscall(SYS_process_madvise, own_pidfd(), &remote, 1UL, MADV_COLD, 0);
}
static long release_other(void) {
  long done = syscall(SYS_process_mrelease, own_pidfd(), 0);
  return done < 0 && errno == EINVAL ? 0 : done;  // it is not dying, but it was found
}
static long signal_0(void) { return kill(other, 0); }
static long signal_group(void) { return kill(-other, 0); }
static long signal_thread(void) { return syscall(SYS_tgkill, other, other, 0); }
static long signal_any_thread(void) { return syscall(SYS_tkill, other, 0); }
static long queue_signal(void) {
  siginfo_t info = {.si_code = SI_QUEUE};
  return syscall(SYS_rt_sigqueueinfo, other, 0, &info);
}
static long limit_of(void) {
  struct rlimit64 limit;
  return syscall(SYS_prlimit64, other, RLIMIT_CORE, NULL, &limit);
}
static long processors(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(other, sizeof set, &set) < 0) return -1;
  return sched_setaffinity(other, sizeof set, &set);
}
static long scheduler(void) {
  struct sched_param parameter = {0};
  return sched_setscheduler(other, SCHED_OTHER, &parameter);
}
static long priority(void) { return setpriority(PRIO_PROCESS, (id_t)other, 1); }
static long priority_group(void) { return setpriority(PRIO_PGRP, (id_t)other, 1); }
static long input_priority(void) { return syscall(SYS_ioprio_set, 1, other, 2 << 13 | 4); }
static long group_of(void) { return getpgid(other); }
static long session_of(void) { return getsid(other); }
static long lock_list(void) {
  void* head;
  size_t size;
  return syscall(SYS_get_robust_list, other, &head, &size);
}
static long compare(void) { return syscall(SYS_kcmp, getpid(), other, 0, 0, 0); }
static long move_pages_of(void) { return syscall(SYS_move_pages, other, 0UL, NULL, NULL, NULL, 0); }
static long migrate(void) {
  unsigned long nodes = 1;
  return syscall(SYS_migrate_pages, other, 8UL, &nodes, &nodes);
}
static long count_events(void) {
  struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .exclude_kernel = 1};
  return syscall(SYS_perf_event_open, &attr, other, -1, -1, 0UL);
}

static const struct {
  const char* name;
  long (*probe)(void);
} attacks[] = {
    {"seize", seize},
    {"attach", attach},
    {"process_vm_readv", readv_other},
    {"process_vm_writev", writev_other},
    {"mem", memory_file},
    {"proc", proc_directory},
    {"environ", proc_environment},
    {"fd", proc_descriptors},
    {"root", proc_root},
    {"ns", proc_namespace},
    {"oom_score_adj", proc_score},
    {"pidfd_open", pidfd_open_other},
    {"pidfd_getfd", pidfd_getfd_other},
    {"pidfd_send_signal", pidfd_signal},
    {"pidfd-of-proc", pidfd_of_directory},
    {"setns-pidfd", pidfd_setns},
    {"process_madvise", madvise_other},
    {"process_mrelease", release_other},
    {"kill", signal_0},
    {"kill-group", signal_group},
    {"tgkill", signal_thread},
    {"tkill", signal_any_thread},
    {"sigqueue", queue_signal},
    {"prlimit", limit_of},
    {"affinity", processors},
    {"scheduler", scheduler},
    {"priority", priority},
    {"priority-group", priority_group},
    {"ioprio", input_priority},
    {"getpgid", group_of},
    {"getsid", session_of},
    {"robust-list", lock_list},
    {"kcmp", compare},
    {"move_pages", move_pages_of},
    {"migrate_pages", migrate},
    {"perf", count_events},
};

static void reach(void) {
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
    // Whoever traces lets go by its end; who was stopped by that goes on.
    int result[2];
    if (pipe(result) != 0) _exit(2);
    pid_t child = fork();
    if (child == 0) {
      long done = attacks[i].probe();
      int error = done < 0 ? errno : 0;
      _exit(write(result[1], &error, sizeof error) != sizeof error);
    }
    int error = 0, status = 0;
    close(result[1]);
    if (read(result[0], &error, sizeof error) != sizeof error) error = -1;
    close(result[0]);
    waitpid(child, &status, 0);
    errno = error;
    say(attacks[i].name, error == 0 ? 0 : -1);
  }
  // To all of the user's: nothing tells who was met. The caller looks at the priority of the target.
  setpriority(PRIO_USER, getuid(), 2);
  syscall(SYS_ioprio_set, 3, getuid(), 2 << 13 | 5);
  fputs("end ok\n", report);
}

// ------------------------------------------------------------------------------------------------- sockets

static long connect_to(const char* name, int type) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length >= sizeof to.sun_path) return errno = ENAMETOOLONG, -1;
  memcpy(to.sun_path, name, length);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  if (name[0] == '@') to.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, type, 0);
  long done = connect(fd, (struct sockaddr*)&to, size);
  if (done < 0 && type == SOCK_DGRAM && sendto(fd, "x", 1, 0, (struct sockaddr*)&to, size) == 1) done = 0;
  int error = errno;
  close(fd);
  errno = error;
  return done;
}

// Of the wrong type is refused after it was found.
static void connect_all(char** names) {
  for (; *names; names++) {
    long done = connect_to(*names, SOCK_STREAM);
    if (done < 0 && (errno == EPROTOTYPE || errno == ECONNREFUSED)) done = connect_to(*names, SOCK_DGRAM);
    say(*names, done);
  }
}

// ------------------------------------------------------------------------------------------------- descriptors

enum { kMost = 4096 };

static void list_descriptors(void) {
  for (int fd = 0; fd < kMost; fd++) {
    struct stat status;
    char path[64], target[512] = "?";
    if (fcntl(fd, F_GETFD) < 0) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length >= 0) target[length] = '\0';
    if (fstat(fd, &status) != 0) memset(&status, 0, sizeof status);
    fprintf(report, "%d %s %lu:%lu\n", fd, target, (unsigned long)status.st_dev, (unsigned long)status.st_ino);
  }
}

static void enter(char** names) {
  for (; *names; names++) {
    long done = -1;
    for (int fd = 0; fd < kMost && done < 0; fd++) {
      if (fd == fileno(report)) continue;
      char up[4096] = "";
      for (int level = 0; level < 4 && done < 0; level++) {
        char path[8192];
        snprintf(path, sizeof path, "%s%s", up, *names);
        done = openat(fd, path, O_RDONLY);
        snprintf(path, sizeof path, "/proc/self/fd/%d/%s%s", fd, up, *names);
        if (done < 0) done = open(path, O_RDONLY);
        strcat(up, "../");
      }
      if (done < 0 && fchdir(fd) == 0) done = open(*names, O_RDONLY);
    }
    say(*names, done);
  }
}

static long rewritten(int fd, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int again = open(path, flags | O_NONBLOCK);
  if (again < 0) return -1;
  long done = flags == O_RDONLY ? read(again, path, 1) : write(again, "#", 1);
  int error = errno;
  close(again);
  errno = error;
  return done;
}

static void streams(void) {
  signal(SIGPIPE, SIG_IGN);
  for (int fd = 0; fd < 3; fd++) {
    char name[64], byte;
    struct timespec times[2] = {{1, 0}, {1, 0}};
    int flags = FS_NOATIME_FL, again;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
#define TRY(what, call)                             \
  do {                                              \
    snprintf(name, sizeof name, "%d-%s", fd, what); \
    say(name, call);                                \
  } while (0)
    TRY("reopen-write", rewritten(fd, O_WRONLY));
    TRY("reopen-both", rewritten(fd, O_RDWR));
    TRY("reopen-read", rewritten(fd, O_RDONLY));
    TRY("reopen-truncate", rewritten(fd, O_WRONLY | O_TRUNC));
    TRY("pread", pread(fd, &byte, 1, 0));
    TRY("pwrite", pwrite(fd, "#", 1, 0));
    TRY("seek", lseek(fd, 0, SEEK_SET));
    TRY("map", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
    TRY("ftruncate", ftruncate(fd, 0));
    TRY("fallocate", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1));
    TRY("fchmod", fchmod(fd, 0777));
    TRY("fchown", fchown(fd, (uid_t)-1, getgid()));
    TRY("futimens", futimens(fd, times));
    TRY("fsetxattr", fsetxattr(fd, "user.attack", "x", 1, 0));
    TRY("setflags", ioctl(fd, FS_IOC_SETFLAGS, &flags));
    TRY("flock", flock(fd, LOCK_EX | LOCK_NB));
    TRY("seals", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    TRY("openat", (again = openat(fd, ".", O_RDONLY)));
    TRY("fchdir", fchdir(fd));
    TRY("link", linkat(fd, "", AT_FDCWD, "/tmp/linked", AT_EMPTY_PATH));
  }
}

// ------------------------------------------------------------------------------------------------- System V, POSIX

static void ipc(const char* key_text, const char* what) {
  key_t key = (key_t)atoi(key_text);
  int flags = strcmp(what, "make") == 0 ? IPC_CREAT | 0666 : 0;
  char queue[64], file[64];
  snprintf(queue, sizeof queue, "/sbox-%s", key_text);
  snprintf(file, sizeof file, "/dev/shm/sbox-%s", key_text);
  int memory = shmget(key, 64, flags), semaphore = semget(key, 1, flags), messages = msgget(key, flags);
  say("shm", memory);
  say("sem", semaphore);
  say("msg", messages);
  say("mq", mq_open(queue, flags ? O_RDWR | O_CREAT : O_RDWR, 0600, NULL));
  say("dev-shm", open(file, flags ? O_RDWR | O_CREAT : O_RDWR, 0600));
  if (strcmp(what, "remove") != 0) return;
  shmctl(memory, IPC_RMID, NULL);
  semctl(semaphore, 0, IPC_RMID);
  msgctl(messages, IPC_RMID, NULL);
  mq_unlink(queue);
  unlink(file);
}

// ------------------------------------------------------------------------------------------------- a path

static void touch(const char* path) {
  struct stat status;
  struct timespec times[2] = {{1, 0}, {1, 0}};
  int fd;
  say("stat", stat(path, &status));
  say("o_path", open(path, O_PATH));
  say("access", access(path, F_OK));
  say("chmod", chmod(path, 0777));
  say("chown", chown(path, (uid_t)-1, getgid()));
  say("utimens", utimensat(AT_FDCWD, path, times, 0));
  say("setxattr", setxattr(path, "user.attack", "x", 1, 0));
  say("truncate", truncate(path, 0));
  say("flock", (fd = open(path, O_RDONLY)) < 0 ? -1 : flock(fd, LOCK_SH | LOCK_NB));
  say("rename", rename(path, "/tmp/renamed"));
  say("link", link(path, "/tmp/linked"));
  say("unlink", unlink(path));
  say("inotify", syscall(SYS_inotify_add_watch, syscall(SYS_inotify_init1, 0), path, 0x2 /* MODIFY */));
  say("chdir", chdir(path));
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  report = stdout;
  if (strcmp(mode, "target") == 0) {
    printf("%d %p\n", getpid(), (void*)secret);
    fflush(stdout);
    char byte;
    return read(0, &byte, 1) < 0;
  }
  if (strcmp(mode, "reach") == 0 && argc == 4) {
    other = atoi(argv[2]);
    address = (void*)strtoul(argv[3], NULL, 0);
    reach();
  } else if (strcmp(mode, "connect") == 0) {
    connect_all(argv + 2);
  } else if (strcmp(mode, "descriptors") == 0) {
    list_descriptors();
  } else if (strcmp(mode, "enter") == 0) {
    enter(argv + 2);
  } else if (strcmp(mode, "streams") == 0 && argc == 3) {
    report = fopen(argv[2], "we");
    if (!report) return 2;
    streams();
  } else if (strcmp(mode, "ipc") == 0 && argc >= 3) {
    ipc(argv[2], argc == 4 ? argv[3] : "find");
  } else if (strcmp(mode, "touch") == 0 && argc == 3) {
    touch(argv[2]);
  } else {
    return 2;
  }
  return fflush(report) != 0;
}
