#include "cli/doctor_rows.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/strings.h"
#include "cli/bus_proxy.h"
#include "plan/agents.h"
#include "plan/paths.h"
#include "plan/places.h"

// What a desktop session offers to those inside: none of it is needed to start a program.
namespace sbox {
namespace {

Check check_proxy(const Host& host, const Probes& probes) {
  Check check{"xdg-dbus-proxy", Health::missing, false, "", "sudo apt install xdg-dbus-proxy"};
  if (host.status(kDBusProxy).kind == FileKind::missing) {
    check.meaning = "not installed: profiles with a filtered session bus do not start";
    return check;
  }
  std::string package = package_version(host, "xdg-dbus-proxy");
  std::string fault = fault_of_proxy(probes.proxy_version, package);
  if (fault.empty()) {
    std::string shown = package.empty() ? probes.proxy_version.substr(probes.proxy_version.find(' ') + 1) : package;
    return good("xdg-dbus-proxy", false, escape_control(shown));
  }
  check.meaning = "profiles with a filtered session bus do not start; " + fault;
  check.remedy = "sudo apt install --only-upgrade xdg-dbus-proxy";
  return check;
}

std::string runtime_directory(const Host& host) {
  try {
    return find_places(host).host_runtime;
  } catch (const Error&) {
    return "";
  }
}

Check check_runtime(const Host& host, const Probes&) {
  std::string directory = runtime_directory(host);
  if (!directory.empty()) return good("runtime directory", false, escape_control(directory));
  return {"runtime directory", Health::missing, false,
          "none that can be trusted: no Wayland, no sound, no session bus (XDG_RUNTIME_DIR: mode 0700, your own)",
          "ls -ld \"$XDG_RUNTIME_DIR\""};
}

bool is_socket(const Host& host, const std::string& path) { return host.resolve(path).status.kind == FileKind::socket; }

std::string wayland_socket(const Host& host) {
  std::string name = host.variable("WAYLAND_DISPLAY").value_or("");
  std::string path = name.starts_with("/") ? name : runtime_directory(host) + "/" + name;
  return !name.empty() && normalise(path) && is_socket(host, path) ? path : "";
}

// "NUMBER" of DISPLAY=:NUMBER[.SCREEN], "" for displays on other machines.
std::string x11_socket(const Host& host) {
  std::string display = host.variable("DISPLAY").value_or("");
  if (!display.starts_with(":")) return "";
  std::string number = display.substr(1, display.find('.') - 1);
  std::string path = "/tmp/.X11-unix/X" + number;
  return parse_number(number) && is_socket(host, path) ? path : "";
}

Check check_display(const Host& host, const Probes&) {
  std::string wayland = wayland_socket(host), x11 = x11_socket(host);
  if (!wayland.empty()) return good("display", false, "Wayland, " + escape_control(wayland));
  if (!x11.empty()) {
    return {"display", Health::limited, false,
            "X11 only, " + escape_control(x11) + ": it keeps no program apart from another", "use a Wayland session"};
  }
  return {"display", Health::missing, false, "neither a Wayland nor an X11 socket: programs with windows do not start",
          "echo \"$WAYLAND_DISPLAY $DISPLAY\"   # start sbox from a desktop session"};
}

std::string bus_socket(const Host& host) {
  std::string address = host.variable("DBUS_SESSION_BUS_ADDRESS").value_or("");
  constexpr std::string_view kPath = "unix:path=";
  std::string path = runtime_directory(host) + "/bus";
  if (address.starts_with(kPath)) path = address.substr(kPath.size(), address.find_first_of(",;") - kPath.size());
  return normalise(path) && is_socket(host, path) ? path : "";
}

Check check_bus(const Host& host, const Probes&) {
  std::string path = bus_socket(host);
  if (!path.empty()) return good("session bus", false, escape_control(path));
  return {"session bus", Health::missing, false, "none: no notifications",
          "echo \"$DBUS_SESSION_BUS_ADDRESS\"   # start sbox from a desktop session"};
}

Check check_sound(const Host& host, const Probes&) {
  std::string runtime = runtime_directory(host);
  for (const char* socket : {"pipewire-0", "pulse/native"}) {
    if (!runtime.empty() && is_socket(host, join(runtime, socket))) {
      return good("sound", false, escape_control(join(runtime, socket)));
    }
  }
  return {"sound", Health::missing, false, "no sound server: programs are silent",
          "systemctl --user start pipewire pipewire-pulse"};
}

Check check_graphics(const Host& host, const Probes&) {
  for (const std::string& name : host.list("/dev/dri")) {
    if (name.starts_with("renderD")) return good("graphics", false, "/dev/dri/" + escape_control(name));
  }
  return {"graphics", Health::missing, false, "no render node in /dev/dri: programs draw without acceleration",
          "ls -l /dev/dri"};
}

// The first directory of data, as in XDG_DATA_DIRS, in which `name` is; "" where it is in none.
std::string data_file(const Host& host, const std::string& name) {
  for (const std::string& directory :
       split(host.variable("XDG_DATA_DIRS").value_or("/usr/local/share:/usr/share"), ':')) {
    std::optional<std::string> path = normalise(join(directory, name));
    if (path && host.resolve(*path).status.kind != FileKind::missing) return *path;
  }
  return "";
}

Check check_portals(const Host& host, const Probes&) {
  Check check{"portals", Health::missing, false, "", "sudo apt install xdg-desktop-portal xdg-desktop-portal-gtk"};
  std::string backends = data_file(host, "xdg-desktop-portal/portals");
  FileStatus fuse = host.status("/dev/fuse");
  constexpr uint32_t kForAll = 06;
  if (bus_socket(host).empty()) {
    check.meaning = "they need the session bus";
    check.remedy = "echo \"$DBUS_SESSION_BUS_ADDRESS\"   # start sbox from a desktop session";
  } else if (data_file(host, "dbus-1/services/org.freedesktop.portal.Desktop.service").empty()) {
    check.meaning = "not installed: programs cannot ask for files, links and settings (desktop.portals)";
  } else if (backends.empty() || host.list(backends).empty()) {
    check.health = Health::limited;
    check.meaning = "installed without a backend, so that no dialog comes";
    check.remedy = "sudo apt install xdg-desktop-portal-gtk   # or the one of your desktop";
  } else if (fuse.kind != FileKind::character_device || (fuse.mode & kForAll) != kForAll) {
    check.health = Health::limited;
    check.meaning = "no /dev/fuse for all users: files that are picked in a dialog do not reach the program";
    check.remedy = "sudo modprobe fuse && sudo chmod 666 /dev/fuse";
  } else if (host.status("/usr/bin/fusermount3").kind != FileKind::file) {
    check.health = Health::limited;
    check.meaning = "no fusermount3: files that are picked in a dialog do not reach the program";
    check.remedy = "sudo apt install fuse3";
  } else {
    return good("portals", false, "files by a dialog, links, settings: " + escape_control(backends));
  }
  return check;
}

struct Service {
  const char* name;
  std::string socket;
  const char* without;
  const char* remedy;
};

Check check_service(const Host& host, const Service& service) {
  try {
    if (auto found = service_socket(host, service.socket)) return good(service.name, false, escape_control(*found));
  } catch (const Error&) {
    // What cannot be looked at is not to be had either: its mount may be dead.
  }
  return {service.name, Health::missing, false, service.without, service.remedy};
}

Check check_printing(const Host& host, const Probes&) {
  std::string server = print_server(host);
  if (!server.starts_with('/')) return good("printing", false, "the server " + escape_control(server) + ", by network");
  return check_service(host, {"printing", server, "no print server: desktop.printing gives nothing",
                              "sudo apt install cups-daemon && sudo systemctl start cups.socket"});
}

Check check_smart_cards(const Host& host, const Probes&) {
  return check_service(host, {"smart cards", card_socket(host), "no pcscd: devices.smart-cards gives nothing",
                              "sudo apt install pcscd && sudo systemctl start pcscd.socket"});
}

Check check_ssh_agent(const Host& host, const Probes&) {
  return check_service(host,
                       {"SSH agent", ssh_agent_socket(host), "none in SSH_AUTH_SOCK: desktop.ssh-agent gives nothing",
                        "eval \"$(ssh-agent)\" && ssh-add"});
}

Check check_gpg_agent(const Host& host, const Probes&) {
  std::string socket;
  try {
    socket = gpg_agent_socket(host, find_places(host));
  } catch (const Error&) {
    socket.clear();  // there is a row for the home by itself
  }
  return check_service(
      host, {"GnuPG agent", socket, "it does not run: desktop.gpg-agent gives nothing", "gpgconf --launch gpg-agent"});
}

}  // namespace

std::vector<Examine> session_rows() {
  return {check_runtime,  check_display,  check_bus,         check_proxy,     check_portals,  check_sound,
          check_graphics, check_printing, check_smart_cards, check_ssh_agent, check_gpg_agent};
}

}  // namespace sbox
