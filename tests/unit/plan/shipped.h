// The shipped profiles, and a desktop for them, for golden tests.
#pragma once

#include <filesystem>
#include <string>

#include "fake_host.h"
#include "plan/xauthority.h"
#include "profile/reader.h"

namespace sbox::testing {

// Relative to the directory of this source, which the compiler was given relative to the top of the tree.
inline std::string top() {
  std::string source = __FILE__;
  return source.substr(0, source.rfind("tests/unit/"));
}

// Those of the build, which nobody else can write whatever the umask of the checkout was.
inline std::string profiles() {
  return std::filesystem::canonical("/proc/self/exe").parent_path().parent_path() / "share/sbox/profiles";
}

inline SearchPath shipped() { return {{profiles()}}; }

// A desktop with everything that a shipped profile asks for.
inline void furnish(FakeHost& host) {
  host.program("/usr/bin/xdg-dbus-proxy");
  for (const char* name : {"wayland-0", "bus", "pulse/native", "pipewire-0"}) {
    host.socket(std::string("/run/user/1000/") + name);
  }
  host.socket("/tmp/.X11-unix/X0", 0);
  host.file("/home/ann/.Xauthority", write_xauthority({{XauthorityEntry::kWild, "", "0", "MIT-MAGIC-COOKIE-1", "c"}}));
  host.node("/dev/dri/renderD128", FileKind::character_device);
  for (const char* name : {"Documents", "Downloads", "Music", "Pictures", "Videos", "project", ".fonts", ".icons"}) {
    host.directory(std::string("/home/ann/") + name);
  }
  for (const char* name : {"fonts", "ssl/certs", "X11", "gtk-3.0", "pulse", "firefox-esr"}) {
    host.directory(std::string("/etc/") + name, 0);
  }
  host.directory("/home/ann/.mozilla/firefox");
  host.file("/etc/resolv.conf", "nameserver 192.0.2.1\n", 0);
  host.file("/proc/kcore", "", 0);
  host.change_to("/home/ann/project");
  host.set("WAYLAND_DISPLAY", "wayland-0");
  host.set("DISPLAY", ":0");
  host.set("LANG", "en_US.UTF-8");
}

}  // namespace sbox::testing
