#include "cli/deadline.h"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>

#include "base/error.h"
#include "base/handover.h"
#include "cli/background.h"

namespace sbox {
namespace {

constexpr time_t kSeconds = 20;
constexpr std::string_view kLine =
    "sbox: start: it took too long, more than 20 s (see whether a mount or a server does not answer)\n";

char* top_of_stack() {
  alignas(16) static char stack[32 * 1024];
  return stack + sizeof stack;
}

std::atomic<bool>& is_cancelled() {
  static std::atomic<bool> flag;
  return flag;
}

// Beside the C library, which does not know of it: it has the other thread's errno, and takes no lock.
int watch_the_clock(void* notifies) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  timespec end{now.tv_sec + kSeconds, now.tv_nsec};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR) continue;
  if (is_cancelled()) return 0;
  (void)!write(2, kLine.data(), kLine.size());
  if (notifies != nullptr) say_and_wait(kErrorsDescriptor, kLine);
  _exit(kExitFailure);
}

bool has_notifier() {
  struct stat errors {};
  return fstat(kErrorsDescriptor, &errors) == 0 && S_ISSOCK(errors.st_mode);
}

}  // namespace

void set_deadline() {
  constexpr int kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  static char yes;
  is_cancelled() = false;
  sigset_t all, callers;
  sigfillset(&all);
  // Signals are for the other one.
  if (sigprocmask(SIG_SETMASK, &all, &callers) != 0) throw system_error("signals", errno);
  int thread = clone(watch_the_clock, top_of_stack(), kThread, has_notifier() ? &yes : nullptr);
  int errnum = errno;
  if (sigprocmask(SIG_SETMASK, &callers, nullptr) != 0) throw system_error("signals", errno);
  if (thread <= 0) throw fork_error(thread < 0 ? errnum : EINVAL);
}

void cancel_deadline() { is_cancelled() = true; }

}  // namespace sbox
