#include "plan/draft.h"
#include "plan/paths.h"
#include "plan/seccomp.h"

namespace sbox {

std::optional<std::string> trusted_program(const Inputs& in, const std::string& name) {
  for (const char* directory : {"/usr/bin", "/usr/local/bin"}) {
    std::string path = join(directory, name);
    FileStatus status = in.host.resolve(path).status;
    constexpr uint32_t kExecute = 01, kOthersWrite = 022;
    bool sound = status.uid == 0 && (status.mode & kExecute) && !(status.mode & kOthersWrite);
    if (status.kind == FileKind::file && sound) return path;
  }
  return std::nullopt;
}

Helper new_helper(const Inputs& in, const std::string& name, std::vector<std::string> argv) {
  Helper helper;
  helper.name = name;
  helper.argv = std::move(argv);
  helper.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};  // other locales are many files to load
  SeccompPolicy policy;
  policy.architecture = in.host.architecture();
  helper.filters = load_filters(policy, join(in.request.prefix, "lib/sbox/filters"));
  return helper;
}

Helper own_helper(const Inputs& in, const std::string& name, const std::string& server,
                  const std::vector<std::string>& arguments) {
  constexpr char kServer[] = "/server";
  std::string program = "/" + name;
  Helper helper = new_helper(in, name, {program, "{ready}", kServer});
  helper.argv.insert(helper.argv.end(), arguments.begin(), arguments.end());
  MountView view(in.host, in.places, "");
  Resolved prefix = in.host.resolve(in.request.prefix);
  view.place(make_bind(join(join(prefix.path, prefix.rest), "libexec/sbox/" + name), program, false, true));
  view.place(make_bind(server, kServer, false, true));
  helper.nodes = std::move(view).nodes();
  return helper;
}

MountView view_for_helper(const Inputs& in) {
  MountView view(in.host, in.places, in.request.prefix);
  for (const char* path : kSystemDirectories) view.grant({path, Access::read_only, Strength::offered});
  view.grant({"/etc/ld.so.cache", Access::read_only, Strength::offered});
  return view;
}

}  // namespace sbox
