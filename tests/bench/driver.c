// Runs competing commands in turn and prints how long each run took, so that a ratio compares runs that saw the same
// machine.
//
//   driver ROUNDS FILE...
//
// Each FILE is one competitor: one argument a line, the first an absolute path. Every round runs each of them once,
// with /dev/null as standard input, output and error. Prints "INDEX NANOSECONDS NANOSECONDS" a line: the time that
// passed, and the processor's, of all processes that were waited for. The first round warms up and is not printed. Ends
// with status 1 as soon as a command ends with another status than 0.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

enum { kMaxCompetitors = 16 };

static void die(const char* what, const char* which) {
  fprintf(stderr, "driver: %s: %s: %s\n", what, which, strerror(errno));
  exit(2);
}

// The lines of a file as a null-terminated vector.
static char** read_command(const char* path) {
  FILE* file = fopen(path, "re");
  if (file == NULL) die("open", path);
  char** argv = NULL;
  size_t count = 0;
  for (;;) {
    char* line = NULL;
    size_t capacity = 0;
    ssize_t length = getline(&line, &capacity, file);
    argv = realloc(argv, (count + 1) * sizeof *argv);
    if (argv == NULL) die("realloc", path);
    if (length < 0) break;
    if (length > 0 && line[length - 1] == '\n') line[length - 1] = '\0';
    argv[count++] = line;
  }
  argv[count] = NULL;
  fclose(file);
  if (count == 0) die("empty command", path);
  return argv;
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long nanoseconds(struct timeval time) { return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL; }

static long long run(char** argv, const posix_spawn_file_actions_t* actions, long long* processor) {
  long long start = now();
  pid_t pid;
  int status;
  int error = posix_spawn(&pid, argv[0], actions, NULL, argv, environ);
  if (error != 0) {
    errno = error;
    die("spawn", argv[0]);
  }
  struct rusage usage;
  if (wait4(pid, &status, 0, &usage) < 0) die("wait4", argv[0]);
  long long end = now();
  if (status != 0) {
    fprintf(stderr, "driver: %s ended with wait status 0x%x\n", argv[0], status);
    exit(1);
  }
  *processor = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
  return end - start;
}

int main(int argc, char** argv) {
  int competitors = argc - 2;
  if (competitors < 1 || competitors > kMaxCompetitors) return fprintf(stderr, "usage: driver ROUNDS FILE...\n"), 2;
  char** commands[kMaxCompetitors];
  for (int i = 0; i < competitors; ++i) commands[i] = read_command(argv[i + 2]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);

  int rounds = atoi(argv[1]);
  for (int round = 0; round <= rounds; ++round)
    for (int i = 0; i < competitors; ++i) {
      long long processor, time = run(commands[i], &actions, &processor);
      if (round > 0) printf("%d %lld %lld\n", i, time, processor);
    }
  return 0;
}
