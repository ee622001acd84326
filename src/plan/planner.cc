#include "plan/planner.h"

#include "base/strings.h"
#include "plan/agents.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// The host's name goes into generated files and into the kernel.
void name_the_run(const Inputs& in, Plan& plan) {
  plan.profile = in.profile.name();
  plan.instance = in.request.instance.empty() ? plan.profile : in.request.instance;
  plan.uid = in.host.uid();
  plan.gid = in.host.gid();
  const Value& hostname = in.profile.scalar(Key::system_hostname);
  plan.hostname = hostname.text == "host" ? in.host.hostname() : hostname.text;
  constexpr size_t kLongestHostname = 64;
  constexpr const char* kHostnameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  bool valid = !plan.hostname.empty() && plan.hostname.size() <= kLongestHostname &&
               plan.hostname.find_first_not_of(kHostnameCharacters) == std::string::npos;
  if (!valid) {
    throw Error("host name " + quote(plan.hostname), "not 1 to 64 letters, digits, '.', '-' or '_'")
        .at(hostname.origin)
        .hint("set [system] hostname");
  }
  plan.nested_sandbox = in.profile.text(Key::process_nested_sandbox) != "no";
  plan.verbose = in.request.verbose;
}

std::vector<std::string> as_list(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> list;
  for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
  return list;
}

// A file that is mapped is memory: what can be written must not be executed.
void separate_writing_from_execution(Plan& plan) {
  for (Node& node : plan.nodes) node.executable = node.executable && !node.writable;
}

}  // namespace

Plan make_plan(const Profile& profile, const Request& request, const Host& host) {
  Places places = find_places(host);
  Inputs in{profile, request, host, places};
  Draft draft{{}, MountView(host, places, request.prefix), {}, {}};
  name_the_run(in, draft.plan);
  plan_system(in, draft);
  plan_etc(in, draft);
  plan_home(in, draft);
  plan_files(in, draft);
  plan_devices(in, draft);
  plan_display(in, draft);
  plan_audio(in, draft);
  plan_desktop(in, draft);
  plan_agents(in, draft);
  plan_portals(in, draft);
  plan_dbus(in, draft);
  plan_network(in, draft);
  plan_sockets(in, draft);
  plan_limits(in, draft);
  plan_seccomp(in, draft);
  plan_environment(in, draft);
  plan_program(in, draft);

  Plan plan = std::move(draft.plan);
  plan.nodes = std::move(draft.view).nodes();
  if (profile.flag(Key::process_write_xor_execute)) separate_writing_from_execution(plan);
  make_own_directories(in, plan);
  make_passed_directories(draft.passed, plan);
  check_program(in, plan);
  plan.directory = directory_inside(in, draft.passed, plan);
  plan.landlock = landlock_for(in, plan.nodes);
  check_protected(in, plan);
  plan.environment = as_list(draft.environment);
  return plan;
}

}  // namespace sbox
