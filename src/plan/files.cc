#include <algorithm>

#include "base/strings.h"
#include "plan/arguments.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

void grant_list(const Inputs& in, Draft& draft, Key key, Access access) {
  uint64_t size = in.profile.number(Key::system_tmp_size);
  for (const Value& value : in.profile.list(key)) {
    draft.view.grant({host_path(value, in.places, in.host), access, Strength::written, value.origin, size});
  }
}

bool is_of_kernel(const std::string& path) {
  constexpr const char* kDirectories[] = {"/proc", "/sys", "/dev"};
  return std::any_of(std::begin(kDirectories), std::end(kDirectories),
                     [&](const char* directory) { return is_at_or_below(path, directory); });
}

// Directories that are more than a document: naming one on a command line does not mean to hand it over.
bool is_too_wide(const Inputs& in, const std::string& path, FileKind kind) {
  if (is_of_kernel(path)) return true;
  bool is_runtime = path == in.places.runtime || path == in.places.host_runtime;
  if (is_runtime || is_at_or_below(in.places.home_canonical, path)) return true;
  if (kind != FileKind::directory) return false;
  bool is_top = parent_of(path) == "/";
  return is_top || path == "/run/user" || path == "/var/run" || path == "/var/tmp" || path == "/usr/local";
}

// A path of the command line. Inside it is walked again, so what it walks through must be there too.
struct Named {
  std::string path;                 // without ".."; its links are left for the view to judge
  std::vector<std::string> passed;  // directories that ".." leaves again, canonical
};

// Nothing where ".." follows a link: the words would mean another place inside.
std::optional<Named> name_of(const Host& host, std::string_view path) {
  Named named{"/", {}};
  for (std::string_view part; !(part = take_component(path)).empty();) {
    if (part != "..") {
      named.path = join(named.path, part);
      continue;
    }
    Resolved left = host.resolve(named.path);
    if (left.status.kind != FileKind::directory || !left.links.empty()) return std::nullopt;
    named.passed.push_back(named.path);
    named.path = parent_of(named.path);
  }
  return named;
}

void pass(const Inputs& in, Draft& draft, const std::string& directory) {
  const std::string& runtime = in.places.host_runtime;
  bool is_moved = !runtime.empty() && is_at_or_below(directory, runtime);
  if (is_moved || is_of_kernel(directory)) return;
  draft.passed.push_back(directory);
  draft.view.pass(directory);
}

void grant_argument(const Inputs& in, Draft& draft, const std::string& word, Access access) {
  bool is_relative = !word.starts_with('/');
  std::string start = is_relative ? in.host.directory() : "/";
  if (start.empty()) return;
  std::optional<Named> named = name_of(in.host, join(start, word));
  if (!named) return;
  Resolved found = in.host.resolve(named->path);
  bool is_document = found.status.kind == FileKind::directory || found.status.kind == FileKind::file;
  if (!is_document || is_too_wide(in, found.path, found.status.kind)) return;
  draft.view.grant({named->path, access, Strength::argument, {"command line", 0}});
  for (const std::string& directory : named->passed) pass(in, draft, directory);
  if (is_relative) pass(in, draft, in.host.resolve(start).path);
}

}  // namespace

void plan_files(const Inputs& in, Draft& draft) {
  grant_list(in, draft, Key::files_read_only, Access::read_only);
  grant_list(in, draft, Key::files_read_write, Access::read_write);
  grant_list(in, draft, Key::files_hide, Access::hide);
  grant_list(in, draft, Key::files_tmpfs, Access::tmpfs);
  const std::string& arguments = in.profile.text(Key::files_arguments);
  if (arguments == "no") return;
  Access access = arguments == "read-write" ? Access::read_write : Access::read_only;
  for (const std::string& word : readings(in.request.arguments)) grant_argument(in, draft, word, access);
}

}  // namespace sbox
