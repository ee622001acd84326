#include "cli/run.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "base/handover.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "base/write_all.h"
#include "cli/background.h"
#include "cli/bus_proxy.h"
#include "cli/cgroup.h"
#include "cli/deadline.h"
#include "cli/document_portal.h"
#include "cli/ephemeral.h"
#include "cli/grant.h"
#include "cli/join.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/recover.h"
#include "cli/request.h"
#include "instance/registry.h"
#include "log/store.h"
#include "overlay/directory.h"
#include "overlay/store.h"
#include "overlay/throw_away.h"
#include "plan/encode.h"
#include "plan/json.h"
#include "plan/paths.h"
#include "plan/places.h"

namespace sbox {
namespace {

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

void say_decided(const Profile& profile, const Plan& plan) {
  std::string text = "sbox: " + plan.program + " as " + plan.instance + ", by profile " + profile.name() + " (" +
                     profile.path() + "): home " + profile.text(Key::home_mode) + ", network " +
                     profile.text(Key::network_mode);
  fprintf(stderr, "%s\n", escape_control(text).c_str());
}

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
  print(text);
  return 0;
}

// The plan in a memory file that nobody can change any more.
UniqueFd sealed_file(const std::string& bytes) {
  UniqueFd file(memfd_create("sbox-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (!file || !write_all(file.get(), bytes) || fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) {
    throw system_error("memory file for the plan", errno);
  }
  return file;
}

// For the launcher, each at its number. First all go out of the way of these.
struct Handed {
  UniqueFd& file;
  int number;
};
void hand_over(std::initializer_list<Handed> all) {
  for (const Handed& each : all) {
    if (!each.file) continue;
    each.file.reset(fcntl(each.file.get(), F_DUPFD_CLOEXEC, kLastDescriptor + 1));
    if (!each.file) throw system_error("descriptors", errno).hint("let more files be open: `ulimit -n 1024`");
  }
  for (const Handed& each : all) {
    if (each.file && dup2(each.file.get(), each.number) != each.number)
      throw system_error("descriptor for the launcher", errno);
  }
}

// A log that cannot be had is less than asked for and no weaker sandbox: denied calls fail all the same.
UniqueFd open_log(Plan& plan, const LogHeader& header, const std::string& home, bool is_verbose) {
  if (!keeps_log(plan)) return {};
  try {
    return new_log(home, header);
  } catch (const Error& error) {
    plan.log = false;
    for (Helper& helper : plan.helpers) helper.log = false;
    if (is_verbose) fprintf(stderr, "%s\n", error.line().c_str());
    return {};
  }
}

// `registry` holds the name of the instance from here on until the launcher ends. `path`: of the launcher, or of
// sbox-userns, which becomes it. `home`: the user's, canonical.
[[noreturn]] void become_launcher(const Plan& plan, Registry registry, UniqueFd log, mode_t umask_of_program,
                                  const std::string& path, const std::string& home) {
  UniqueFd file = sealed_file(encode_plan(plan)), lock;
  if (!plan.overlay.lower.empty()) lock = begin_run(plan.overlay, home);
  hand_over({{file, kPlanDescriptor}, {lock, kLockDescriptor}, {log, kLogDescriptor}});
  fcntl(kErrorsDescriptor, F_SETFD, 0);  // where there is one
  if (registry.is_usable() && fcntl(std::move(registry).release(), F_SETFD, 0) != 0) {
    throw system_error("name of the instance", errno);
  }
  std::vector<std::string> words =
      command_line_of({.name = plan.instance, .profile = plan.profile, .program = plan.program});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  char* environment[] = {nullptr};
  change_umask(umask_of_program);
  execve(path.c_str(), arguments.data(), environment);
  throw system_error(path, errno).hint("the installation is not complete");
}

// The running one was started with settings of its own; these cannot be given to it any more.
void require_no_settings(const RunOptions& options, const Instance& instance, const Profile& profile) {
  bool same = !options.ephemeral && options.overrides.empty() && options.profile.find('/') == std::string::npos &&
              profile.name() == instance.profile;
  if (same) return;
  throw Error("instance " + quote(instance.name), "it runs already, by settings of its own")
      .hint("stop it, or start another one with --name");
}

// Takes the name. False when another sandbox has it that is to be joined.
bool claim(Registry& registry, const InstanceName& name, Plan& plan) {
  plan.instance = name.text;
  plan.listed = registry.is_usable();
  if (!plan.listed) {
    if (!name.is_fixed) return true;
    throw Error("instance " + quote(name.text),
                "there is no list of names: nothing can be made or locked in ~/.local/share/sbox/running")
        .hint("start it without a name");
  }
  if (!name.is_fixed) {
    plan.instance = registry.claim_one_of(name.text);
    return true;
  }
  if (registry.claim(name.text)) return true;
  if (name.is_single) return false;
  throw Error("instance " + quote(name.text), "it runs already").hint("join it by `sbox join " + name.text + "`");
}

void prepare_overlay(const Context& context, const RunOptions& options, const Places& places, const Plan& plan,
                     mode_t callers_umask) {
  if (options.ephemeral) {
    make_mount_points(plan, places.home_canonical);
    write_recover(plan);
  } else if (!plan.overlay.recover.empty()) {
    offer_after_run(context, places, plan, options.command[0], callers_umask);
  }
  clean_up_throw_aways(context, places);
}

// A directory that is never made, for a plan that is never carried out.
std::string place_of_no_run(const Context& context) {
  constexpr size_t kDigits = 16;
  std::string all = join(data_directory(context.host, find_places(context.host)), kThrowAways);
  return join(all, context.host.random_hex(kDigits));
}

// `throw_away`: the directory of an ephemeral run, or nothing.
int start(const Context& context, RunOptions& options, const std::string& throw_away) {
  Deadline deadline;
  Stopwatch watch(options.verbose);
  std::string tag = take_tag(options);
  Profile profile = read_profile(context.search, profile_for(context, options), options.overrides);
  bool by_grant = needs_grant(context.prefix);
  if (by_grant) profile = fit_to_grant(std::move(profile));
  watch.lap("profile");
  InstanceName name = name_of(options, tag, profile, context.search);
  auto join_running = [&](const Registry& registry) -> std::optional<int> {
    std::optional<RunningInstance> running = wait_for_instance(registry, name.text);
    if (!running) return std::nullopt;
    require_no_settings(options, running->instance, profile);
    deadline.cancel();
    return join_with_program(*running, options, context.host);
  };
  if (name.is_single && !options.dry_run) {
    if (auto status = join_running(Registry::open(context.host.home()))) return *status;
  }
  if (!options.dry_run) wake_document_portal(profile, context.host);
  Plan plan = plan_for(context, profile, request_of(context, options, name, throw_away));
  watch.lap("plan");
  if (options.dry_run) {
    print(plan_json(plan) + "\n");
    return 0;
  }
  mode_t callers_umask = change_umask(077);  // what sbox makes is the user's alone, whatever the program will make
  Registry registry = Registry::open_or_make(context.host.home());
  while (!claim(registry, name, plan)) {
    if (auto status = join_running(registry)) return *status;
  }
  if (options.verbose) say_decided(profile, plan);
  Places places = find_places(context.host);
  require_sound_proxy(context, places, plan);
  prepare_overlay(context, options, places, plan, callers_umask);
  enter_cgroup(plan, context.host);
  UniqueFd log = open_log(plan, log_header(profile, plan), places.home, options.verbose);
  watch.lap("log");
  become_launcher(plan, std::move(registry), std::move(log), callers_umask,
                  by_grant ? granter_path(context.prefix) : context.prefix + "/libexec/sbox/sbox-launch",
                  places.home_canonical);
}

}  // namespace

int run_run(const Context& context, const std::vector<std::string>& arguments) {
  RunOptions options = parse_run_options(arguments);
  if (options.help) return print_help();
  if (options.version) {
    print("sbox " SBOX_VERSION "\n");
    return 0;
  }
  require_program(options);
  std::string throw_away;
  if (options.ephemeral && options.dry_run) throw_away = place_of_no_run(context);
  if (options.ephemeral && !options.dry_run) {
    if (auto status = wait_for_throw_away_run(context, options, throw_away)) return *status;
  }
  return start(context, options, throw_away);
}

}  // namespace sbox
