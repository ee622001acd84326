#include "cli/ephemeral.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/error.h"
#include "base/handover.h"
#include "base/unique_fd.h"
#include "cli/background.h"
#include "cli/deadline.h"
#include "cli/keep.h"
#include "cli/recover.h"
#include "overlay/throw_away.h"

namespace sbox {
namespace {

constexpr int kSignalled = 128;

// Who listens there waits until all have closed it.
void let_go_of_errors() {
  struct stat status {};
  if (fstat(kErrorsDescriptor, &status) == 0 && S_ISSOCK(status.st_mode)) close(kErrorsDescriptor);
}

// The one that waits has stopped with the program, and would not see the end of the run.
void continue_at_end(const UniqueFd& waiting, const UniqueFd& run) {
  pollfd ends[] = {{waiting.get(), POLLIN, 0}, {run.get(), POLLIN, 0}};
  while (poll(ends, 2, -1) < 0) continue;
  if (ends[1].revents != 0) syscall(SYS_pidfd_send_signal, waiting.get(), SIGCONT, nullptr, 0);
}

// Waits for the end of the one that waits for the run. When that left the run behind it was killed: then all goes.
[[noreturn]] void sweep(const Context& context, const Places& places, const UniqueFd& waiting, const UniqueFd& run) {
  go_into_background();
  continue_at_end(waiting, run);
  while (!has_ended(waiting, -1)) continue;
  constexpr int kPatience = 100;
  // A set-user-ID program takes no signal before it has given its privilege up.
  while (!has_ended(run, 0)) {
    syscall(SYS_pidfd_send_signal, run.get(), SIGKILL, nullptr, 0);
    has_ended(run, kPatience);
  }
  try {
    remove_stale_throw_aways(context.host, places);
  } catch (const Error&) {
    _exit(kExitFailure);
  }
  _exit(0);
}

pid_t start_sweeper(const Context& context, const Places& places, pid_t run, ThrowAway& place) {
  UniqueFd waiting_process = open_pidfd(getpid()), run_process = open_pidfd(run);
  pid_t sweeper = new_process();
  if (sweeper > 0) return sweeper;
  place.disown();
  sweep(context, places, waiting_process, run_process);
}

// It has nothing to do any more. Without this it ends with this process.
void end_sweeper(pid_t sweeper) {
  constexpr int kPatience = 1000;
  UniqueFd process = open_pidfd(sweeper);
  kill(sweeper, SIGKILL);
  if (has_ended(process, kPatience)) waitpid(sweeper, nullptr, WNOHANG);
}

// What somebody sends to this process is for the program. What the kernel sends for the terminal, it sends to both.
void pass_on(const signalfd_siginfo& signal, pid_t run) {
  bool is_sent = signal.ssi_code <= 0 && signal.ssi_pid != static_cast<uint32_t>(run) && signal.ssi_signo != SIGCHLD;
  if (is_sent) kill(run, static_cast<int>(signal.ssi_signo));
}

// All signals are blocked; `signals` has them.
int wait_for(pid_t run, const UniqueFd& signals) {
  UniqueFd process = open_pidfd(run);
  for (;;) {
    int status = 0;
    pid_t changed = waitpid(run, &status, WNOHANG | WUNTRACED);
    if (changed < 0) throw system_error("wait for the run", errno);
    if (changed == run && WIFEXITED(status)) return WEXITSTATUS(status);
    if (changed == run && WIFSIGNALED(status)) return kSignalled + WTERMSIG(status);
    // The program has stopped: so does the caller's whole job.
    if (changed == run && WIFSTOPPED(status) && !has_ended(process, 0)) raise(SIGSTOP);
    pollfd events[] = {{signals.get(), POLLIN, 0}, {process.get(), POLLIN, 0}};
    poll(events, 2, -1);
    signalfd_siginfo signal{};
    if ((events[0].revents & POLLIN) != 0 && read(signals.get(), &signal, sizeof signal) == sizeof signal) {
      pass_on(signal, run);
    }
  }
}

void print_thrown_away(const OverlayStore& store) {
  std::vector<Change> changes = find_changes(store.layers());
  std::vector<Item> items = items_of(changes);
  if (!items.empty()) fputs("sbox: changed in this run, and thrown away:\n", stderr);
  for (const Item& item : items) fprintf(stderr, "%s\n", item_line(item).c_str());
}

// Nobody who started the run waits for the answer.
void offer_in_background(ThrowAway& place, OverlayStore store, const Context& context, const Places& places,
                         const std::string& program) {
  std::vector<std::string> directories = place.recover();
  if (directories.empty() || !has_something_to_offer(store, directories)) return;
  run_in_background([&] {
    {
      OverlayStore offered = std::move(store);
      offer_of_throw_away(offered, directories, program);
    }
    place.remove(context.host, places);
  });
  place.disown();
}

void tell_and_ask(ThrowAway& place, const Context& context, const Places& places, const std::string& program) {
  std::optional<OverlayStore> store = place.wait_for_end(context.host, places);
  if (!store) return;
  if (isatty(0) == 1 && isatty(2) == 1) return ask_what_to_keep(*store);
  print_thrown_away(*store);
  offer_in_background(place, std::move(*store), context, places, program);
}

}  // namespace

std::optional<int> wait_for_throw_away_run(const Context& context, const RunOptions& options, std::string& directory) {
  Deadline deadline;
  Places places = find_places(context.host);
  mode_t callers_umask = change_umask(077);
  ThrowAway place = ThrowAway::make(context.host, places);
  deadline.cancel();
  sigset_t all, callers;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, &callers) != 0) throw system_error("signals", errno);
  UniqueFd signals(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) throw system_error("signals", errno);
  pid_t run = new_process();
  if (run == 0) {
    place.disown();
    change_umask(callers_umask);
    if (sigprocmask(SIG_SETMASK, &callers, nullptr) != 0) throw system_error("signals", errno);
    directory = place.directory();
    return std::nullopt;
  }
  let_go_of_errors();
  pid_t sweeper = start_sweeper(context, places, run, place);
  int status = wait_for(run, signals);
  sigprocmask(SIG_SETMASK, &callers, nullptr);
  change_umask(callers_umask);
  if (!options.quiet) tell_and_ask(place, context, places, options.command[0]);
  if (place.is_owned()) place.remove(context.host, places);
  end_sweeper(sweeper);
  return status;
}

void clean_up_throw_aways(const Context& context, const Places& places) {
  if (!has_throw_aways(data_directory(context.host, places))) return;
  run_in_background([&] { remove_stale_throw_aways(context.host, places); });
}

}  // namespace sbox
