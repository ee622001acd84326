#include "cli/document_portal.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>

#include "plan/paths.h"

namespace sbox {

void wake_document_portal(const Profile& profile, const Host& host) {
  std::string runtime = host.variable("XDG_RUNTIME_DIR").value_or("");
  if (!profile.flag(Key::desktop_portals) || !normalise(runtime)) return;
  if (host.status(join(runtime, "doc/by-app")).kind == FileKind::directory) return;
  std::string address = "DBUS_SESSION_BUS_ADDRESS=" +
                        host.variable("DBUS_SESSION_BUS_ADDRESS").value_or("unix:path=" + join(runtime, "bus"));
  std::string path = "/usr/bin/dbus-send";
  std::vector<std::string> words = {path,
                                    "--session",
                                    "--print-reply",
                                    "--reply-timeout=2000",
                                    "--dest=org.freedesktop.portal.Documents",
                                    "/org/freedesktop/portal/documents",
                                    "org.freedesktop.portal.Documents.GetMountPoint"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  char* environment[] = {address.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; ++fd) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t child = 0;
  int failed = posix_spawn(&child, path.c_str(), &actions, nullptr, arguments.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return;
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace sbox
