// What a hot system call costs, in nanoseconds a call: prints "NAME NANOSECONDS" a line. Each figure is the best of
// many short blocks: whatever else runs on the machine only adds.
//
//   hot            measure under whatever filter is already there
//   hot one-rule   first load a filter with a single rule
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { kBlocks = 100, kCalls = 2000 };

static int zero;
static uint32_t word;

static void call_getppid(void) { syscall(SYS_getppid); }
static void call_futex(void) { syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
static void call_read(void) {
  char byte;
  syscall(SYS_read, zero, &byte, 1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void measure(const char* name, void (*call)(void)) {
  double best = 1e18;
  for (int block = 0; block < kBlocks; ++block) {
    double start = now();
    for (int i = 0; i < kCalls; ++i) call();
    double time = (now() - start) / kCalls;
    if (time < best) best = time;
  }
  printf("%s %.2f\n", name, best);
}

static int load_one_rule(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_reboot, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "one-rule") == 0 && load_one_rule() != 0) return perror("hot: seccomp"), 1;
  zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  if (zero < 0) return perror("hot: /dev/zero"), 1;
  measure("getppid", call_getppid);
  measure("read", call_read);
  measure("futex", call_futex);
  return 0;
}
