#include "cli/doctor.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/strings.h"
#include "cli/grant.h"
#include "plan/paths.h"
#include "plan/places.h"

namespace sbox {
namespace {

constexpr const char* kProxy = "/usr/bin/xdg-dbus-proxy";
constexpr KernelVersion kOldestKernel{5, 14};

Check good(const char* name, bool required, std::string meaning) {
  return {name, Health::ok, required, std::move(meaning), ""};
}

// A number below /proc/sys, or nothing.
std::optional<unsigned long long> sysctl(const Host& host, const std::string& path) {
  std::string text = host.read("/proc/sys/" + path).value_or("");
  return parse_number(text.substr(0, text.find('\n')));
}

Check check_kernel(const Host&, const Probes& probes) {
  std::string version = std::to_string(probes.kernel.major) + "." + std::to_string(probes.kernel.minor);
  if (probes.kernel >= kOldestKernel) return good("kernel", true, "Linux " + version);
  return {"kernel", Health::missing, true, "Linux " + version + "; 5.14 or newer is needed", "uname -r"};
}

// Who says no, when a namespace cannot be made.
Check refused_namespace(const Host& host, const Probes& probes) {
  const ProbeResult& result = probes.namespaces;
  Check check{"user namespaces", Health::missing, true, "", ""};
  std::string reason = std::string(" (") + strerror(result.error) + ")";
  if (sysctl(host, "kernel/unprivileged_userns_clone") == 0ULL) {
    check.meaning = "forbidden to ordinary users by a sysctl";
    check.remedy = "sudo sysctl -w kernel.unprivileged_userns_clone=1   # or install sbox-setuid";
  } else if (sysctl(host, "user/max_user_namespaces") == 0ULL) {
    check.meaning = "forbidden to all by a sysctl";
    check.remedy = "sudo sysctl -w user.max_user_namespaces=15000";
  } else if (sysctl(host, "kernel/apparmor_restrict_unprivileged_userns").value_or(0) != 0) {
    check.meaning = "AppArmor grants them only to programs with a profile that says so; sbox has none loaded";
    check.remedy = "sudo install -m 644 " + probes.prefix +
                   "/share/sbox/apparmor/sbox /etc/apparmor.d/sbox && sudo apparmor_parser -r /etc/apparmor.d/sbox";
  } else if (result.error == ENOSPC) {
    check.meaning = "too many there already, or nested too deeply" + reason;
    check.remedy = "cat /proc/sys/user/max_*_namespaces";
  } else if (result.error == EINVAL || result.error == ENOSYS) {
    check.meaning = "not built into this kernel" + reason;
    check.remedy = "zgrep -E '_NS=' /proc/config.gz";
  } else {
    check.meaning = "forbidden by something around this process: a container, a chroot, or another sandbox" + reason;
    check.remedy = "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL ...";
  }
  if (!probes.granter_refusal.empty()) check.meaning += "; sbox-userns: " + escape_control(probes.granter_refusal);
  return check;
}

// Whether the user's own attempt is refused and sbox-userns works.
bool is_granted(const Probes& probes) {
  return probes.namespaces.reached <= ProbeStage::namespaces && probes.has_granter && probes.granter_refusal.empty();
}

Check check_user_namespaces(const Host& host, const Probes& probes) {
  if (is_granted(probes)) {
    return good("user namespaces", true,
                "by sbox-userns: programs have no sandboxes of their own inside (browsers) and no portals");
  }
  if (probes.namespaces.reached <= ProbeStage::namespaces) return refused_namespace(host, probes);
  return good("user namespaces", true, "an ordinary user can make all that a sandbox needs");
}

Check check_mounts(const Host&, const Probes& probes) {
  ProbeStage reached = probes.namespaces.reached;
  Check check{"mounts", Health::missing, true, "", ""};
  std::string reason = std::string(" (") + strerror(probes.namespaces.error) + ")";
  if (is_granted(probes)) return good("mounts", true, "not tried: only the launcher can make them here");
  if (reached <= ProbeStage::namespaces) {
    check.meaning = "not tried: there are no user namespaces";
  } else if (reached == ProbeStage::mount_api || reached == ProbeStage::tmpfs) {
    check.meaning = "the new mount calls are refused" + reason + ": an older kernel, or the filter of a container";
    check.remedy = "podman run --security-opt seccomp=unconfined ...";
  } else if (reached == ProbeStage::proc) {
    check.meaning = "no /proc of its own" + reason + ": parts of the one here are covered, as in most containers";
    check.remedy = "podman run --security-opt unmask=ALL ... (docker: --security-opt systempaths=unconfined)";
  } else {
    return good("mounts", true, "copies of host directories, tmpfs, and a /proc of its own");
  }
  return check;
}

Check check_seccomp(const Host&, const Probes& probes) {
  if (probes.seccomp) return good("seccomp", true, "system calls can be filtered");
  return {"seccomp", Health::missing, true, "this kernel takes no system call filter", "zgrep SECCOMP /proc/config.gz"};
}

struct LandlockLoss {
  uint32_t since_abi;
  const char* what;
};

constexpr LandlockLoss kLandlockLosses[] = {
    {2, "moving files between directories (Linux 5.19)"},
    {3, "truncating files (6.2)"},
    {4, "TCP ports (6.7)"},
    {5, "device control (6.10)"},
    {6, "abstract sockets and signals to the host, which matters with the host's network (6.12)"},
};

Check check_landlock(const Host& host, const Probes&) try {
  uint32_t abi = host.landlock_abi();
  Check check{"Landlock", Health::limited, false, "", ""};
  if (abi == 0) {
    check.meaning = "off: the mount view stands without its second wall";
    check.remedy = "cat /sys/kernel/security/lsm   # add landlock to lsm= on the kernel command line";
    return check;
  }
  std::string lost;
  for (const LandlockLoss& loss : kLandlockLosses) {
    if (abi < loss.since_abi) lost += (lost.empty() ? "" : "; ") + std::string(loss.what);
  }
  std::string version = "ABI " + std::to_string(abi);
  if (lost.empty()) return good("Landlock", false, version);
  check.meaning = version + ": not covered are " + lost;
  check.remedy = "uname -r   # a newer kernel has more";
  return check;
} catch (const Error& error) {
  return {"Landlock", Health::missing, true, "the kernel refuses to say what it offers: " + error.why(), ""};
}

// The version of a Debian package, "" where there is none.
std::string package_version(const Host& host, const std::string& package) {
  constexpr size_t kLargestDatabase = 64 << 20;
  std::string status = "\n" + host.read("/var/lib/dpkg/status", kLargestDatabase).value_or("");
  size_t entry = status.find("\nPackage: " + package + "\n");
  if (entry == std::string::npos) return "";
  std::string paragraph = status.substr(entry, status.find("\n\n", entry) - entry);
  constexpr std::string_view kField = "\nVersion: ";
  size_t version = paragraph.find(kField);
  if (version == std::string::npos) return "";
  version += kField.size();
  return paragraph.substr(version, paragraph.find('\n', version) - version);
}

// Packages that carry the fixes of 0.1.8 in an older version: the number after the prefix, and newer.
bool is_patched(const std::string& package) {
  constexpr std::string_view kPrefix = "0.1.4-3+deb12u";
  constexpr unsigned long long kFirst = 2;
  return package.starts_with(kPrefix) && parse_number(package.substr(kPrefix.size())).value_or(0) >= kFirst;
}

Check check_proxy(const Host& host, const Probes& probes) {
  Check check{"xdg-dbus-proxy", Health::missing, false, "", "sudo apt install xdg-dbus-proxy"};
  if (host.status(kProxy).kind == FileKind::missing) {
    check.meaning = "not installed: profiles with a filtered session bus do not start";
    return check;
  }
  int version[3] = {};
  std::string package = package_version(host, "xdg-dbus-proxy");
  if (sscanf(probes.proxy_version.c_str(), "xdg-dbus-proxy %d.%d.%d", &version[0], &version[1], &version[2]) != 3) {
    check.health = Health::limited;
    check.meaning = "installed, but of no known version: whether its filter has known holes cannot be told";
    return check;
  }
  std::string shown = escape_control(probes.proxy_version.substr(probes.proxy_version.find(' ') + 1));
  constexpr int kFixed[3] = {0, 1, 8};
  bool is_fixed = !std::lexicographical_compare(version, version + 3, kFixed, kFixed + 3);
  if (is_fixed || is_patched(package)) return good("xdg-dbus-proxy", false, is_fixed ? shown : escape_control(package));
  check.health = Health::limited;
  check.meaning = shown + ": ways around its filter were closed in 0.1.7 (CVE-2026-34080) and 0.1.8, and in " +
                  "packages of older versions that name them in their change log";
  check.remedy = "sudo apt install --only-upgrade xdg-dbus-proxy";
  return check;
}

Check check_home(const Host& host, const Probes&) {
  try {
    return good("home directory", true, escape_control(find_places(host).home));
  } catch (const Error& error) {
    return {"home directory", Health::missing, true, escape_control(error.why()), "ls -ld \"$HOME\""};
  }
}

std::string runtime_directory(const Host& host) {
  try {
    return find_places(host).host_runtime;
  } catch (const Error&) {
    return "";
  }
}

Check check_overlay(const Host&, const Probes& probes) {
  if (probes.overlay == 0) return good("overlay homes", false, "changes of a program can be kept from the home");
  return {"overlay homes", Health::missing, false,
          std::string("profiles with home.mode = overlay do not start (") + strerror(probes.overlay) +
              "): the home holds a mount, or its file system or the kernel has no overlays for ordinary users",
          "findmnt --submounts --target \"$HOME\""};
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

Check check_limits(const Host&, const Probes& probes) {
  switch (probes.limits) {
    case LimitsBy::systemd:
      return good("limits", false, "memory and processor, by systemd's user manager");
    case LimitsBy::delegated_cgroup:
      return good("limits", false, "by a cgroup that is delegated to this user");
    case LimitsBy::nothing:
      break;
  }
  return {"limits", Health::missing, false,
          "no cgroup to be had: profiles with limits of memory, processor or disks do not start",
          "systemctl --user status   # start sbox from a session that systemd manages"};
}

Check check_private_network(const Host& host, const Probes&) {
  Check check{"private network", Health::missing, false, "", "sudo apt install passt"};
  if (host.status("/usr/bin/pasta").kind == FileKind::missing) {
    check.meaning = "pasta is not installed: profiles with a private network do not start";
    return check;
  }
  FileStatus tun = host.status("/dev/net/tun");
  constexpr uint32_t kForAll = 06;
  if (tun.kind != FileKind::character_device) {
    check.meaning = "there is no /dev/net/tun, which pasta needs";
    check.remedy = "sudo modprobe tun";
  } else if ((tun.mode & kForAll) != kForAll) {
    check.meaning = "/dev/net/tun is not for all users, so pasta cannot use it";
    check.remedy = "sudo chmod 666 /dev/net/tun";
  } else {
    return good("private network", false, "pasta can connect sandboxes to the network");
  }
  return check;
}

using Examine = Check (*)(const Host&, const Probes&);
constexpr Examine kChecks[] = {
    check_kernel,  check_user_namespaces, check_mounts,   check_seccomp, check_home,
    check_overlay, check_landlock,        check_runtime,  check_display, check_bus,
    check_proxy,   check_sound,           check_graphics, check_limits,  check_private_network};

const char* word(Health health) {
  constexpr const char* kWords[] = {"ok", "limited", "missing"};
  return kWords[static_cast<int>(health)];
}

}  // namespace

Probes probe(const Host& host, const std::string& prefix) {
  Probes probes;
  probes.prefix = prefix;
  probes.namespaces = probe_namespaces();
  probes.has_granter = host.status(granter_path(prefix)).kind == FileKind::file;
  if (probes.has_granter) probes.granter_refusal = ask_granter(granter_path(prefix));
  probes.seccomp = probe_seccomp();
  try {
    probes.overlay = probe_overlay(find_places(host).home_canonical);
  } catch (const Error&) {
    probes.overlay = ENOENT;  // there is a row for the home by itself
  }
  probes.kernel = kernel_version();
  probes.limits = limits_by(host);
  if (host.status(kProxy).kind == FileKind::file) probes.proxy_version = first_line_of(kProxy, "--version");
  return probes;
}

std::vector<Check> examine(const Host& host, const Probes& probes) {
  std::vector<Check> checks;
  for (Examine each : kChecks) checks.push_back(each(host, probes));
  return checks;
}

bool can_start(const std::vector<Check>& checks) {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.required && check.health == Health::missing; });
}

std::string doctor_table(const std::vector<Check>& checks) {
  std::string table;
  for (const Check& check : checks) {
    std::string name = check.name + std::string(19 - std::min<size_t>(18, check.name.size()), ' ');
    std::string health = word(check.health);
    table += name + health + std::string(9 - health.size(), ' ') + check.meaning + "\n";
    if (!check.remedy.empty()) table += std::string(28, ' ') + "-> " + check.remedy + "\n";
  }
  return table + (can_start(checks) ? "\nsbox can start programs here.\n" : "\nsbox cannot start programs here.\n");
}

std::string doctor_json(const std::vector<Check>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name},
                    {"state", word(check.health)},
                    {"required", check.required},
                    {"meaning", check.meaning},
                    {"remedy", check.remedy}});
  }
  nlohmann::ordered_json all = {{"can_start", can_start(checks)}, {"checks", list}};
  return all.dump(2, ' ', true) + "\n";
}

int run_doctor(const Host& host, const std::string& prefix, const std::vector<std::string>& arguments) {
  bool as_json = arguments == std::vector<std::string>{"--json"};
  if (!arguments.empty() && !as_json) throw Error("doctor", "takes nothing but --json").hint("sbox doctor [--json]");
  std::vector<Check> checks = examine(host, probe(host, prefix));
  fputs((as_json ? doctor_json(checks) : doctor_table(checks)).c_str(), stdout);
  return can_start(checks) ? 0 : 1;
}

}  // namespace sbox
