#include "cli/run.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "base/handover.h"
#include "base/unique_fd.h"
#include "cli/cgroup.h"
#include "cli/document_portal.h"
#include "cli/options.h"
#include "desktop/exec.h"
#include "plan/encode.h"
#include "plan/json.h"
#include "plan/planner.h"

namespace sbox {
namespace {

constexpr char kDefaultProfile[] = "default";

// Says how long each part took, with -v.
class Stopwatch {
 public:
  explicit Stopwatch(bool on) : on_(on), began_(now()) {}
  void lap(const char* what) {
    if (!on_) return;
    double end = now();
    fprintf(stderr, "sbox: %8.3f ms  %s\n", end - began_, what);
    began_ = end;
  }

 private:
  static double now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  }
  bool on_;
  double began_;
};

int print_help() {
  std::string text = "usage: sbox [OPTIONS] [--] PROGRAM [ARG...]\n\n" + run_options_help() + "\ncommands:\n";
  for (const Command& command : commands()) {
    std::string line = "  sbox " + std::string(command.name) + " " + std::string(command.arguments);
    constexpr size_t kColumn = 46;
    text += line + (line.size() < kColumn ? "" : "\n");
    text.append(line.size() < kColumn ? kColumn - line.size() : kColumn, ' ');
    text += std::string(command.summary) + "\n";
  }
  text += "\nsbox(1) and sbox-profile(5) say more.\n";
  fputs(text.c_str(), stdout);
  return 0;
}

// Planning takes some milliseconds. The timer ends with this program: the launcher has a deadline of its own.
void set_deadline() {
  constexpr time_t kSeconds = 20;
  signal(SIGALRM, [](int) {
    constexpr char kLine[] = "sbox: the start took too long\n";
    (void)!write(2, kLine, sizeof kLine - 1);
    _exit(kExitFailure);
  });
  timer_t timer{};
  itimerspec when{{0, 0}, {kSeconds, 0}};
  if (timer_create(CLOCK_MONOTONIC, nullptr, &timer) != 0 || timer_settime(timer, 0, &when, nullptr) != 0) {
    throw system_error("timer", errno);
  }
}

// The plan in a memory file that nobody can change any more.
UniqueFd sealed_file(const std::string& bytes) {
  UniqueFd file(memfd_create("sbox-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) throw system_error("memory file for the plan", errno);
  for (size_t done = 0; done < bytes.size();) {
    ssize_t size = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (size <= 0) throw system_error("memory file for the plan", size < 0 ? errno : ENOSPC);
    done += static_cast<size_t>(size);
  }
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    throw system_error("memory file for the plan", errno);
  }
  return file;
}

[[noreturn]] void become_launcher(const Plan& plan, const std::string& prefix) {
  UniqueFd file = sealed_file(encode_plan(plan));
  // dup2 onto itself would leave close-on-exec set.
  bool placed = file.get() == kPlanDescriptor ? fcntl(kPlanDescriptor, F_SETFD, 0) == 0
                                              : dup2(file.get(), kPlanDescriptor) == kPlanDescriptor;
  if (!placed) throw system_error("descriptor for the plan", errno);
  fcntl(kErrorsDescriptor, F_SETFD, 0);  // where there is one
  std::string path = prefix + "/libexec/sbox/sbox-launch";
  std::string name = "sbox", instance = plan.instance;
  char* arguments[] = {name.data(), instance.data(), nullptr};
  char* environment[] = {nullptr};
  execve(path.c_str(), arguments, environment);
  throw system_error(path, errno).hint("the installation is not complete");
}

std::string profile_for(const Context& context, const RunOptions& options) {
  if (!options.profile.empty()) return options.profile;
  return find_profile_for(context.search, program_of(options.command)).value_or(kDefaultProfile);
}

}  // namespace

int run_run(const Context& context, const std::vector<std::string>& arguments) {
  RunOptions options = parse_run_options(arguments);
  if (options.help) return print_help();
  if (options.version) return puts("sbox " SBOX_VERSION) < 0 ? kExitFailure : 0;
  if (options.command.empty() || options.command[0].empty()) {
    throw Error("sbox", "no program is named").hint("try `sbox firefox`, or `sbox --help`");
  }
  set_deadline();
  Stopwatch watch(options.verbose);
  Profile profile = read_profile(context.search, profile_for(context, options), options.overrides);
  watch.lap("profile");
  if (!options.dry_run) wake_document_portal(profile, context.host);
  Request request;
  request.program = options.command[0];
  request.arguments.assign(options.command.begin() + 1, options.command.end());
  request.instance = options.instance;
  request.prefix = context.prefix;
  request.verbose = options.verbose;
  Plan plan = make_plan(profile, request, context.host);
  watch.lap("plan");
  if (options.dry_run) return fputs((plan_json(plan) + "\n").c_str(), stdout) < 0 ? kExitFailure : 0;
  enter_cgroup(plan, context.host);
  become_launcher(plan, context.prefix);
}

}  // namespace sbox
