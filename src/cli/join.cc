#include "cli/join.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include "base/strings.h"
#include "instance/process.h"
#include "instance/session.h"
#include "plan/arguments.h"
#include "plan/instance_name.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr int kLongestWaitMs = 20'000, kStepMs = 5;

std::optional<SameFile> identity(const std::string& path) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0) return std::nullopt;
  return SameFile{path, status.st_dev, status.st_ino};
}

JoinRequest request_from(const Host& host, std::vector<std::string> argv) {
  JoinRequest request;
  request.argv = std::move(argv);
  if (auto terminal = host.variable("TERM"); terminal && is_safe_to_show(*terminal)) request.terminal = *terminal;
  if (auto here = identity(host.directory())) request.directory = {*here};
  return request;
}

Door door_of(const RunningInstance& running) {
  Door door = open_door(running);
  if (door.connection) return door;
  // Its directory fd can be read all the same, and only what that holds cannot.
  bool is_closed = read_link_of(running.process.get(), "ns/pid").empty() && may_not_look();
  throw Error("instance " + quote(running.instance.name), "it takes nobody in")
      .hint(is_closed ? "sandboxes by sbox-userns cannot be joined" : "it is still being started, or just ended");
}

void pause_a_moment() { poll(nullptr, 0, kStepMs); }

}  // namespace

Error does_not_run(const Registry& registry, const std::string& name) {
  std::vector<std::string> names;
  for (const Instance& instance : registry.list()) names.push_back(instance.name);
  std::optional<std::string> near = nearest(name, names);
  return Error("instance " + quote(name), "no running sandbox has this name")
      .hint(near ? "did you mean " + *near + "?" : "see `sbox list`");
}

std::optional<RunningInstance> wait_for_instance(const Registry& registry, const std::string& name) {
  for (int waited = 0; registry.is_taken(name); waited += kStepMs) {
    std::optional<RunningInstance> running = registry.find(name);
    if (running && open_door(*running).connection) return running;
    if (running && waited > kLongestWaitMs) return running;  // joining it will say why not
    if (waited > kLongestWaitMs) throw Error("instance " + quote(name), "it runs, but it takes nobody in");
    pause_a_moment();
  }
  return std::nullopt;
}

int join_with_program(const RunningInstance& running, const RunOptions& options, const Host& host) {
  std::vector<std::string> argv = options.command;
  // What the running one was found as: its PATH inside need not lead to it.
  if (argv[0] == base_name(running.instance.program)) argv[0] = running.instance.program;
  JoinRequest request = request_from(host, argv);
  for (const std::string& path : files_named_by({argv.begin() + 1, argv.end()}, host)) {
    if (auto file = identity(path)) request.files.push_back(*file);
  }
  return run_in_session(door_of(running), request);
}

int run_join(const Context& context, const std::vector<std::string>& arguments) {
  if (arguments.empty() || !is_instance_name(arguments[0])) {
    throw Error("join", "the first word must be the name of an instance").hint("see `sbox list`");
  }
  const std::string& name = arguments[0];
  bool has_dashes = arguments.size() > 1 && arguments[1] == "--";
  std::vector<std::string> argv(arguments.begin() + (has_dashes ? 2 : 1), arguments.end());
  if (!has_dashes && !argv.empty() && argv[0].starts_with('-')) {
    throw Error("option " + quote(argv[0]), "unknown").hint("a program stands behind --");
  }
  if (!argv.empty() && argv[0].empty()) throw Error("join", "the name of the program is empty");
  Registry registry = Registry::open(context.host.home());
  std::optional<RunningInstance> running = registry.find(name);
  if (!running) throw does_not_run(registry, name);
  return run_in_session(door_of(*running), request_from(context.host, std::move(argv)));
}

}  // namespace sbox
