// inject: runs a command and either records the system calls that it and its children make, or lets one of them fail,
// or lets one seem to succeed without being made. x86_64 only.
//   inject REPORT SECONDS record -- COMMAND...
//   inject REPORT SECONDS ROLE CALL OCCURRENCE VALUE -- COMMAND...
// A process is known by its ROLE: "0" is the command (across its execs), "0.1" its second child, "0.0.0" the first
// child of its first child. Children are watched until they exec what is no part of sbox: a program whose name is
// neither "sbox" nor begins with "sbox-". CALL is a number, OCCURRENCE counts from 1 in the role, VALUE is what the call returns (-1 is
// EPERM). REPORT is written at the end: in the first mode one line "ROLE CALL RESULT" for each call, in the second
// "injected N"; then in both "status N" of the command as a shell would say it, "hang ROLE..." when it was not over in
// time and "left N" for the processes that outlived it by two seconds. All of them are killed.
#ifdef __x86_64__
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 4096, LEFT_AFTER_SECONDS = 2 };
#define EVENT(status) ((unsigned)(status) >> 16)

// `has_exec`: in the command itself, whose calls count from its first exec on.
typedef struct {
  pid_t pid;
  char role[64];
  int children, has_exec, is_stopped, is_faked, is_free;
  long call;
} Tracee;

static Tracee tracees[MOST];
static int tracee_count;
static FILE *report;
static int is_recording, injected, wanted_call, wanted_occurrence, seen;
static const char *wanted_role;
static long value;
static volatile sig_atomic_t is_over;

static void die(const char *what) {
  fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
  exit(99);
}

static void on_alarm(int number) {
  (void)number;
  is_over = 1;
}

static void set_alarm(double seconds) {
  struct itimerval timer = {{0, 0}, {(time_t)seconds, (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)}};
  is_over = 0;
  setitimer(ITIMER_REAL, &timer, NULL);
}

static Tracee *find(pid_t pid) {
  for (int i = 0; i < tracee_count; ++i) {
    if (tracees[i].pid == pid) return &tracees[i];
  }
  if (tracee_count == MOST) die("too many processes");
  Tracee *made = &tracees[tracee_count++];
  memset(made, 0, sizeof *made);
  made->pid = pid;
  made->call = -1;
  return made;
}

// Once the fault is made nobody needs to be watched any longer.
static void resume(Tracee *tracee, int signal_number) {
  int is_done = tracee->is_free || (injected && !tracee->is_faked);
  ptrace(is_done ? PTRACE_DETACH : PTRACE_SYSCALL, tracee->pid, 0, (long)signal_number);
}

static void enter(Tracee *tracee, struct user_regs_struct *registers) {
  tracee->call = (long)registers->orig_rax;
  if (is_recording || injected || tracee->call != wanted_call || strcmp(tracee->role, wanted_role) != 0) return;
  if (++seen != wanted_occurrence) return;
  // Any filter lets this one through; what it returns is replaced.
  registers->orig_rax = SYS_getpid;
  if (ptrace(PTRACE_SETREGS, tracee->pid, 0, registers) == 0) injected = tracee->is_faked = 1;
}

static void leave(Tracee *tracee, struct user_regs_struct *registers) {
  if (is_recording && tracee->call >= 0) {
    fprintf(report, "%s %ld %ld\n", tracee->role, tracee->call, (long)registers->rax);
  }
  if (!tracee->is_faked) return;
  registers->rax = (unsigned long)value;
  ptrace(PTRACE_SETREGS, tracee->pid, 0, registers);
  tracee->is_faked = 0;
}

static void system_call(Tracee *tracee) {
  struct __ptrace_syscall_info info;
  struct user_regs_struct registers;
  if (!tracee->has_exec || ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof info, &info) <= 0) return;
  if (ptrace(PTRACE_GETREGS, tracee->pid, 0, &registers) != 0) return;
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) enter(tracee, &registers);
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) leave(tracee, &registers);
}

static void new_child(Tracee *parent) {
  unsigned long pid = 0;
  if (ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid) != 0) return;
  Tracee *child = find((pid_t)pid);
  snprintf(child->role, sizeof child->role, "%.50s.%d", parent->role, parent->children++);
  child->has_exec = 1;
  // It may have stopped before its parent said who it is.
  if (child->is_stopped) resume(child, 0);
}

// Helpers of sbox go on with the set-up after their exec.
static int is_of_sbox(pid_t pid) {
  char path[64], name[32] = "";
  snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
  FILE *file = fopen(path, "r");
  int is = file && fgets(name, sizeof name, file) && (strcmp(name, "sbox\n") == 0 || strncmp(name, "sbox-", 5) == 0);
  if (file) fclose(file);
  return is;
}

static void stopped(Tracee *tracee, int status) {
  switch (EVENT(status)) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      new_child(tracee);
      return resume(tracee, 0);
    case PTRACE_EVENT_EXEC:
      if (strcmp(tracee->role, "0") != 0 && !is_of_sbox(tracee->pid)) tracee->is_free = 1;
      if (tracee->is_free && is_recording) fprintf(report, "%s %ld 0\n", tracee->role, tracee->call);
      tracee->has_exec = 1;
      return resume(tracee, 0);
    case PTRACE_EVENT_STOP:
      tracee->is_stopped = 1;
      if (tracee->role[0] == '\0') return;  // its parent's event is still to come
      if (WSTOPSIG(status) == SIGTRAP) return resume(tracee, 0);
      ptrace(PTRACE_LISTEN, tracee->pid, 0, 0);
      return;
    default:
      break;
  }
  if (WSTOPSIG(status) != (SIGTRAP | 0x80)) return resume(tracee, WSTOPSIG(status));
  system_call(tracee);
  resume(tracee, 0);
}

// Children of ours, as orphans become; not their children, which are killed with them or come to us next.
static int kill_children(void) {
  int found = 0;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  FILE *file = fopen(path, "r");
  int pid;
  while (file && fscanf(file, "%d", &pid) == 1) {
    ++found;
    kill(pid, SIGKILL);
  }
  if (file) fclose(file);
  return found;
}

static void name_the_living(void) {
  fprintf(report, "hang");
  for (int i = 0; i < tracee_count; ++i) {
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)tracees[i].pid);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    fprintf(report, " %s in %s;", tracees[i].role, fgets(text, sizeof text, file) ? strtok(text, " ") : "?");
    fclose(file);
  }
  fprintf(report, "\n");
}

static int watch(pid_t command, double seconds) {
  int command_status = -1, status = 0, left = 0;
  set_alarm(seconds);
  for (;;) {
    pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == ECHILD) break;
    if (pid < 0 && is_over) {
      if (command_status < 0) name_the_living();
      left += kill_children();
      set_alarm(0.1);  // for children of what was killed
      continue;
    }
    if (pid < 0) continue;
    if (WIFSTOPPED(status)) {
      stopped(find(pid), status);
      continue;
    }
    if (pid != command) continue;
    command_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (left == 0) set_alarm(LEFT_AFTER_SECONDS);
  }
  if (!is_recording) fprintf(report, "injected %d\n", injected);
  fprintf(report, "status %d\nleft %d\n", command_status, left);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 5) return 98;
  int command_at = 5;
  is_recording = strcmp(argv[3], "record") == 0;
  if (!is_recording) {
    if (argc < 9) return 98;
    wanted_role = argv[3];
    wanted_call = atoi(argv[4]);
    wanted_occurrence = atoi(argv[5]);
    value = atol(argv[6]);
    command_at = 8;
  }
  report = fopen(argv[1], "we");
  if (!report) die(argv[1]);
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) die("subreaper");
  int go[2];
  if (pipe(go) != 0) die("pipe");
  pid_t pid = fork();
  if (pid == 0) {
    char byte;
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(99);
    close(go[0]);
    execvp(argv[command_at], argv + command_at);
    _exit(127);
  }
  close(go[0]);
  Tracee *tracee = find(pid);
  strcpy(tracee->role, "0");
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SEIZE, pid, 0, options) != 0) die("ptrace");
  ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  if (write(go[1], "", 1) != 1) die("pipe");
  close(go[1]);
  return watch(pid, atof(argv[2]));
}
#else
int main(void) { return 97; }
#endif
