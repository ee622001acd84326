#include "cli/document_portal.h"

#include "cli/tool.h"
#include "plan/paths.h"

namespace sbox {

void wake_document_portal(const Profile& profile, const Host& host) {
  std::string runtime = host.variable("XDG_RUNTIME_DIR").value_or("");
  if (!profile.flag(Key::desktop_portals) || !normalise(runtime)) return;
  if (host.status(join(runtime, "doc/by-app")).kind == FileKind::directory) return;
  std::string address = "DBUS_SESSION_BUS_ADDRESS=" +
                        host.variable("DBUS_SESSION_BUS_ADDRESS").value_or("unix:path=" + join(runtime, "bus"));
  const char* environment[] = {address.c_str(), nullptr};
  constexpr long kPatience = 2000;
  run_tool({"/usr/bin/dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.portal.Documents",
            "/org/freedesktop/portal/documents", "org.freedesktop.portal.Documents.GetMountPoint"},
           environment, kPatience);
}

}  // namespace sbox
