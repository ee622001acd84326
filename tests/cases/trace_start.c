// trace_start NAMES PROGRAM ARGUMENT: starts PROGRAM again and again and stops it at ever other moments; each time another
// process of the same user tries every way into it. For each name that the process then has a line "NAME TRIED GOT"; it ends
// when there are NAMES of them and each was tried often enough.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NAMES = 8, NAME = 32, ENOUGH = 20, MOST_ROUNDS = 5000, MOMENTS = 61, LONGEST_OF = 3 };
static struct {
  char name[NAME];
  int tried, got;
} names[NAMES];

static void tell(const char *name, int got) {
  int i = 0;
  while (i < NAMES - 1 && names[i].name[0] && strcmp(names[i].name, name) != 0) ++i;
  snprintf(names[i].name, NAME, "%s", name);
  ++names[i].tried;
  names[i].got += got;
}

// "NAME (STATE": world readable, whatever the process.
static char read_state(pid_t pid, char *name) {
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) return 'X';
  close(fd);
  char *begin = strchr(text, '('), *end = strrchr(text, ')');
  snprintf(name, NAME, "%.*s", (int)(end - begin - 1), begin + 1);
  return end[2];
}

// An id map of one's own making; what is written to /proc/PID/uid_map counts once only.
static int maps(pid_t pid) {
  char path[64], map[64];
  snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
  snprintf(map, sizeof map, "0 %d 1", getuid());
  int fd = open(path, O_WRONLY), written = fd >= 0 && write(fd, map, strlen(map)) > 0;
  if (fd >= 0) close(fd);
  return written;
}

static int opens(pid_t pid, const char *file, int how) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  int fd = open(path, how);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

static int get_in(pid_t pid) {
  char byte;
  struct iovec here = {&byte, 1}, there = {(void *)&byte, 1};
  int got = opens(pid, "mem", O_RDWR) + opens(pid, "ns/user", O_RDONLY) + opens(pid, "root", O_PATH | O_DIRECTORY) +
            maps(pid) + opens(pid, "maps", O_RDONLY);
  if (process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT) ++got;
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
    ++got;
    ptrace(PTRACE_DETACH, pid, 0, 0);
  }
  return got;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static pid_t start(char *program, char *argument) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 3; ++fd) dup2(null, fd);
  char *arguments[] = {"sbox", argument, "1", "1", NULL}, *environment[] = {NULL};
  execve(program, arguments, environment);
  _exit(98);
}

int main(int argc, char **argv) {
  if (argc != 4) return 99;
  int wanted = atoi(argv[1]);
  const char *base = strrchr(argv[2], '/') + 1;
  double lifetime = 0;
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    if (names[0].tried >= ENOUGH && names[wanted - 1].tried >= ENOUGH / 4) break;
    pid_t pid = start(argv[2], argv[3]);
    char name[NAME] = "", state = 'R';
    // The moment of the exec: the name becomes that of the program.
    while (state != 'Z' && strncmp(name, base, 15) != 0) state = read_state(pid, name);
    double began = now();
    if (round < LONGEST_OF) {
      while (read_state(pid, name) != 'Z' && now() < began + 0.1) continue;
      if (now() - began > lifetime) lifetime = now() - began;
    } else {
      while (now() < began + lifetime * (round % MOMENTS) / MOMENTS) continue;
      kill(pid, SIGSTOP);
      do state = read_state(pid, name);
      while (state != 'T' && state != 'Z' && state != 'X');
      if (state == 'T') tell(name, get_in(pid));
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
  }
  for (int i = 0; i < NAMES && names[i].name[0]; ++i) printf("%s %d %d\n", names[i].name, names[i].tried, names[i].got);
  return 0;
}
