#include "cli/deadline.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/error.h"
#include "base/handover.h"
#include "cli/background.h"

namespace sbox {
namespace {

constexpr time_t kSeconds = 20, kMore = 2;

template <bool notifies>
[[noreturn]] void end_late(int) {
  constexpr std::string_view kLine =
      "sbox: start: it took too long, more than 20 s (see whether a mount or a server does not answer)\n";
  (void)!write(2, kLine.data(), kLine.size());
  if (notifies) say_and_wait(kErrorsDescriptor, kLine);
  _exit(kExitFailure);
}

bool has_notifier() {
  struct stat errors {};
  return fstat(kErrorsDescriptor, &errors) == 0 && S_ISSOCK(errors.st_mode);
}

// Timers end with this program: the launcher has a deadline of its own.
timer_t signal_in(time_t seconds, int signal_number) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal_number;
  timer_t timer{};
  itimerspec when{{0, 0}, {seconds, 0}};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &when, nullptr) != 0) {
    throw system_error("timer", errno);
  }
  return timer;
}

}  // namespace

Deadline::Deadline() {
  signal(SIGALRM, has_notifier() ? end_late<true> : end_late<false>);
  late_ = signal_in(kSeconds, SIGALRM);
  stuck_ = signal_in(kSeconds + kMore, SIGKILL);
  is_set_ = true;
}

void Deadline::cancel() {
  if (!is_set_) return;
  timer_delete(late_);
  timer_delete(stuck_);
  is_set_ = false;
}

}  // namespace sbox
