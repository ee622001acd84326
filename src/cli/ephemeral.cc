#include "cli/ephemeral.h"

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

// Waits for the end of the one that waits for the run. When that left the run behind it was killed: then all goes.
[[noreturn]] void sweep(const Context& context, const Places& places, const UniqueFd& waiting, const UniqueFd& run) {
  go_into_background();
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
  pid_t sweeper = fork();
  if (sweeper < 0) throw system_error("fork", errno);
  if (sweeper > 0) return sweeper;
  place.disown();
  signal(SIGCHLD, SIG_DFL);
  sweep(context, places, waiting_process, run_process);
}

// What somebody sends to this process is for the program. What the kernel sends for the terminal, it sends to both.
void pass_on(const siginfo_t& signal, pid_t run) {
  bool is_sent = signal.si_code <= 0 && signal.si_pid != run && signal.si_signo != SIGCHLD;
  if (is_sent) kill(run, signal.si_signo);
}

// All signals are blocked.
int wait_for(pid_t run) {
  sigset_t all;
  sigfillset(&all);
  for (;;) {
    int status = 0;
    pid_t changed = waitpid(run, &status, WNOHANG | WUNTRACED);
    if (changed < 0) throw system_error("wait for the run", errno);
    if (changed == run && WIFEXITED(status)) return WEXITSTATUS(status);
    if (changed == run && WIFSIGNALED(status)) return kSignalled + WTERMSIG(status);
    // The program has stopped: so does the caller's whole job.
    if (changed == run && WIFSTOPPED(status)) raise(SIGSTOP);
    siginfo_t signal{};
    if (changed == 0 && sigwaitinfo(&all, &signal) > 0) pass_on(signal, run);
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
  pid_t child = fork();
  if (child > 0) place.disown();
  if (child != 0) return;
  go_into_background();
  try {
    {
      OverlayStore offered = std::move(store);
      offer_of_throw_away(offered, directories, program);
    }
    place.remove(context.host, places);
  } catch (const Error&) {
    _exit(kExitFailure);
  }
  _exit(0);
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
  Places places = find_places(context.host);
  mode_t callers_umask = umask(077);
  ThrowAway place = ThrowAway::make(context.host, places);
  sigset_t all, callers;
  sigfillset(&all);
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_SETMASK, &all, &callers);
  pid_t run = fork();
  if (run < 0) throw system_error("fork", errno);
  if (run == 0) {
    place.disown();
    umask(callers_umask);
    sigprocmask(SIG_SETMASK, &callers, nullptr);
    directory = place.directory();
    return std::nullopt;
  }
  let_go_of_errors();
  pid_t sweeper = start_sweeper(context, places, run, place);
  int status = wait_for(run);
  sigprocmask(SIG_SETMASK, &callers, nullptr);
  umask(callers_umask);
  if (!options.quiet) tell_and_ask(place, context, places, options.command[0]);
  if (place.is_owned()) place.remove(context.host, places);
  kill(sweeper, SIGKILL);
  waitpid(sweeper, nullptr, 0);
  return status;
}

void clean_up_throw_aways(const Context& context, const Places& places) {
  if (!has_throw_aways(data_directory(context.host, places))) return;
  pid_t child = fork();
  if (child == 0) {
    // The launcher is to have no child that it does not know.
    if (fork() != 0) _exit(0);
    go_into_background();
    try {
      remove_stale_throw_aways(context.host, places);
    } catch (const Error&) {
      _exit(kExitFailure);
    }
    _exit(0);
  }
  if (child > 0) waitpid(child, nullptr, 0);
}

}  // namespace sbox
