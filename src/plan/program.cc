#include <algorithm>

#include "base/contains.h"
#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"
#include "plan/shim.h"
#include "plan/tree.h"

namespace sbox {
namespace {

constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin:/usr/games";
constexpr uint32_t kAnyExecute = 0111, kOthersWrite = 02;

Error not_found(const std::string& program) { return Error(quote(program), "program not found").status(kExitNotFound); }

constexpr char kMakeExecutable[] = "`chmod +x` makes a program of it";

Error not_executable(const std::string& program, const char* why, const char* hint) {
  return Error(quote(program), why).status(kExitNotExecutable).hint(hint);
}

bool may_execute(const Inputs& in, const FileStatus& status) {
  if (in.host.uid() == 0) return status.mode & kAnyExecute;
  // The group's counts for everyone else: which supplementary groups the caller has is not known here.
  uint32_t bits = status.uid == in.host.uid() ? 0100 : status.gid == in.host.gid() ? 0010 : 0011;
  return status.mode & bits;
}

// A directory in which anyone may put a program is no place to look for one.
bool is_sound(const Inputs& in, const std::string& directory) {
  std::optional<std::string> path = normalise(directory);
  if (!path) return false;
  FileStatus status = in.host.resolve(*path).status;
  return status.kind == FileKind::directory && !(status.mode & kOthersWrite);
}

// As it is called, absolute on the host.
std::string find_in_path(const Inputs& in, const std::string& name) {
  std::string unusable;
  for (const std::string& directory : split(in.host.variable("PATH").value_or(kDefaultPath), ':')) {
    if (!is_sound(in, directory)) continue;
    std::string path = join(*normalise(directory), name);
    Resolved found = in.host.resolve(path);
    if (found.status.kind == FileKind::file && is_shim(in.host, found.path)) continue;
    if (found.status.kind == FileKind::file && may_execute(in, found.status)) return path;
    if (found.status.kind == FileKind::file) unusable = path;
  }
  if (!unusable.empty()) throw not_executable(unusable, "permission denied", kMakeExecutable);
  throw not_found(name);
}

std::string find_program(const Inputs& in) {
  const std::string& program = in.request.program;
  if (program.empty() || program.find('\0') != std::string::npos) throw not_found(program);
  if (program.find('/') == std::string::npos) {
    if (program == "." || program == "..") throw not_found(program);
    return find_in_path(in, program);
  }
  if (program[0] != '/' && in.host.directory().empty()) {
    throw not_found(program).hint("the current directory is gone");
  }
  std::string path = program[0] == '/' ? program : join(in.host.directory(), program);
  Resolved found = in.host.resolve(path);
  if (found.status.kind == FileKind::missing) throw not_found(program);
  if (found.status.kind == FileKind::directory) {
    throw not_executable(program, "is a directory", "name a program in it");
  }
  if (found.status.kind == FileKind::unreachable) {
    throw not_executable(program, "cannot be reached",
                         "look at the path: a directory that is closed to you, or a loop of links");
  }
  if (found.status.kind != FileKind::file) throw not_executable(program, "is no file", "look at the path");
  if (!may_execute(in, found.status)) throw not_executable(program, "permission denied", kMakeExecutable);
  return normalise(path).value_or(found.path);
}

bool is_visible(const Plan& plan, const std::string& host_path) {
  const Node* node = node_showing(plan, host_path);
  bool shows_host = node && (node->kind == NodeKind::bind || node->kind == NodeKind::overlay);
  return shows_host && shown_at(*node, host_path) == host_path;
}

}  // namespace

void plan_program(const Inputs& in, Draft& draft) {
  draft.plan.program = find_program(in);
  draft.plan.argv = {in.request.program};
  draft.plan.argv.insert(draft.plan.argv.end(), in.request.arguments.begin(), in.request.arguments.end());
  draft.view.grant({draft.plan.program, Access::read_only, Strength::offered});
  // What is installed below /opt is one directory for each program, with its libraries.
  std::vector<std::string> parts = split(in.host.resolve(draft.plan.program).path, '/');
  constexpr size_t kBelowProgramDirectory = 4;  // "", "opt", NAME, ...
  if (parts.size() >= kBelowProgramDirectory && parts[1] == "opt") {
    draft.view.grant({"/opt/" + parts[2], Access::read_only, Strength::offered});
  }
}

void check_program(const Inputs& in, const Plan& plan) {
  std::string canonical = in.host.resolve(plan.program).path;
  if (is_visible(plan, canonical)) return;
  throw not_executable(in.request.program, "the profile hides it", "see sbox explain");
}

std::string directory_inside(const Inputs& in, const std::vector<std::string>& passed, const Plan& plan) {
  std::string wanted = in.host.directory().empty() ? "" : in.host.resolve(in.host.directory()).path;
  bool is_passed = contains(passed, wanted);
  if (is_passed && wanted == "/") return wanted;
  for (const std::string& path : {wanted, in.places.home_canonical}) {
    if (path.empty()) continue;
    const Node* node = node_showing(plan, path);
    if (!node) continue;
    bool is_made = node->target == path && node->kind != NodeKind::hide && node->kind != NodeKind::symlink;
    bool is_there = is_passed && path == wanted && node->kind != NodeKind::hide;
    if (is_made || is_there || is_visible(plan, path)) return path;
  }
  return "/";
}

}  // namespace sbox
