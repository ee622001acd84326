#include "cli/grant.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "cli/background.h"

namespace sbox {
namespace {

// 0, or the errno of what the kernel says to an ordinary user. The other namespace shows whether the first came with
// its capabilities: AppArmor takes them away in some systems.
int try_user_namespace() {
  pid_t child = vfork();
  if (child < 0) throw fork_error(errno);
  if (child == 0) _exit(unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0 ? 0 : errno);
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw system_error("wait", errno);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

}  // namespace

std::string granter_path(const std::string& prefix) { return prefix + "/libexec/sbox/sbox-userns"; }

bool needs_grant(const std::string& prefix) {
  if (getuid() == 0 || access(granter_path(prefix).c_str(), X_OK) != 0) return false;
  int error = try_user_namespace();
  return error == EPERM || error == EACCES;
}

Profile fit_to_grant(Profile profile) {
  const Value& nested = profile.scalar(Key::process_nested_sandbox);
  if (nested.text != "no") {
    if (!profile.is_optional("nested-sandbox")) {
      throw Error("process nested-sandbox = " + nested.text,
                  "user namespaces come from sbox-userns, which gives programs none")
          .at(nested.origin)
          .hint("-s process.nested-sandbox=no, where the program can do without");
    }
    profile.assign(Key::process_nested_sandbox, {"no", nested.origin});
  }
  // They look at the root of who calls, and take whom they cannot look at for a program of the host.
  if (profile.flag(Key::desktop_portals)) {
    throw Error("desktop portals = yes", "portals cannot tell the programs of sbox-userns from those outside")
        .at(profile.scalar(Key::desktop_portals).origin)
        .hint("-s desktop.portals=no");
  }
  return profile;
}

}  // namespace sbox
