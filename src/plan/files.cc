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

// Directories that are more than a document: naming one on a command line does not mean to hand it over.
bool is_too_wide(const Inputs& in, const std::string& path, FileKind kind) {
  for (const char* system : {"/proc", "/sys", "/dev"}) {
    if (is_at_or_below(path, system)) return true;
  }
  bool is_runtime = path == in.places.runtime || path == in.places.host_runtime;
  if (is_runtime || is_at_or_below(in.places.home_canonical, path)) return true;
  if (kind != FileKind::directory) return false;
  bool is_top = parent_of(path) == "/";
  return is_top || path == "/run/user" || path == "/var/run" || path == "/var/tmp" || path == "/usr/local";
}

void grant_argument(const Inputs& in, Draft& draft, const std::string& word, Access access) {
  std::string path = word;
  if (!path.starts_with('/')) {
    if (in.host.directory().empty()) return;
    path = join(in.host.directory(), path);
  }
  Resolved found = in.host.resolve(path);
  bool is_document = found.status.kind == FileKind::directory || found.status.kind == FileKind::file;
  if (!is_document || is_too_wide(in, found.path, found.status.kind)) return;
  // With ".." there is no telling what the words mean inside; the place itself is granted.
  std::string named = normalise(path).value_or(found.path);
  draft.view.grant({named, access, Strength::argument, {"command line", 0}});
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
  for (const std::string& argument : in.request.arguments) {
    for (const std::string& word : readings(argument)) grant_argument(in, draft, word, access);
  }
}

}  // namespace sbox
