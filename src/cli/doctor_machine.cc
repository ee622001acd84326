#include <cstring>

#include "base/strings.h"
#include "cli/doctor_rows.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// Kinds of which more is known than their names.
struct Container {
  const char* kind;
  const char* mark;    // a file that only these have
  const char* remedy;  // for those in which no sandbox can be made
};
constexpr Container kContainers[] = {
    {"flatpak", "/.flatpak-info", "flatpak-spawn --host sbox ..."},
    {"podman", "/run/.containerenv", "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL ..."},
    {"docker", "/.dockerenv",
     "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt "
     "systempaths=unconfined ..."},
    {"lxc", "", "lxc config set CONTAINER security.nesting true   # on its host"},
};

Check check_container(const Host& host, const Probes& probes) {
  std::string kind = container_kind(host);
  if (kind.empty()) return good("container", false, "none that is known: sbox runs on the machine itself");
  if (probes.namespaces.reached == ProbeStage::done) {
    return good("container", false, escape_control(kind) + ": sandboxes can be made inside of it");
  }
  return {"container", Health::limited, false, escape_control(kind) + ": it lets no sandboxes be made inside of it",
          container_remedy(host)};
}

// The value of hidepid of /proc, "" where it shows all processes.
std::string hidden_processes(const Host& host) {
  for (const std::string& line : split(host.read("/proc/self/mounts").value_or(""), '\n')) {
    std::vector<std::string> words = split(line, ' ');
    constexpr size_t kPath = 1, kType = 2, kOptions = 3;
    if (words.size() <= kOptions || words[kPath] != "/proc" || words[kType] != "proc") continue;
    for (const std::string& option : split(words[kOptions], ',')) {
      if (option.starts_with("hidepid=") && option != "hidepid=0" && option != "hidepid=off") return option;
    }
  }
  return "";
}

Check check_process_list(const Host& host, const Probes&) {
  std::string hidden = hidden_processes(host);
  if (hidden.empty()) return good("process list", false, "/proc shows what runs");
  return {
      "process list", Health::limited, false,
      "/proc hides processes (" + escape_control(hidden) + "): programs start, `sbox top` counts less than there is",
      "sudo mount -o remount,hidepid=0 /proc"};
}

// A pipe and a file keep to the limit of a sandbox (RLIMIT_CORE), a socket does not.
Check check_core_dumps(const Host& host, const Probes&) {
  std::string pattern = host.read("/proc/sys/kernel/core_pattern").value_or("");
  if (!pattern.starts_with('@')) return good("core dumps", false, "none of sandboxes, but where limits.core allows it");
  return {
      "core dumps", Health::limited, false,
      "a socket takes them (kernel.core_pattern), those of sandboxes too: what listens there reads what a sandboxed "
      "program has made",
      "sudo sysctl kernel.core_pattern=core"};
}

std::string user_directory(const Host& host) { return "/run/user/" + std::to_string(host.uid()); }

Check no_user_manager(const Host& host) {
  Check check{"user manager", Health::missing, false, "", ""};
  if (host.status("/run/systemd/system").kind != FileKind::directory) {
    check.meaning = "systemd does not run here: limits need a cgroup that is delegated to you";
    check.remedy = "ps -o comm= -p 1   # what runs this machine: it can delegate one";
  } else if (host.status(join(user_directory(host), "systemd/private")).kind == FileKind::socket) {
    check.meaning = "it runs, and XDG_RUNTIME_DIR does not lead to it: no limits of memory and processor";
    check.remedy = "export XDG_RUNTIME_DIR=" + user_directory(host);
  } else {
    check.meaning = "systemd has none for this user: no limits of memory and processor";
    check.remedy = "sudo apt install libpam-systemd dbus-user-session && sudo loginctl enable-linger \"$USER\"";
  }
  return check;
}

// Controllers of cgroups that limits need, and that the manager has not been given.
std::string missing_controllers(const Host& host) {
  std::string user = std::to_string(host.uid());
  auto given =
      host.read("/sys/fs/cgroup/user.slice/user-" + user + ".slice/user@" + user + ".service/cgroup.controllers");
  if (!given) return "";
  std::string missing, words = " " + given->substr(0, given->find('\n')) + " ";
  for (const char* name : {"cpu", "io", "memory"}) {
    if (words.find(" " + std::string(name) + " ") == std::string::npos)
      missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  return missing;
}

Check check_user_manager(const Host& host, const Probes& probes) {
  if (probes.limits != LimitsBy::systemd) return no_user_manager(host);
  std::string missing = missing_controllers(host);
  if (missing.empty()) return good("user manager", false, "systemd's");
  return {"user manager", Health::limited, false,
          "systemd's, without " + missing + ": limits that need it do not start",
          "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu io memory pids\\n' | "
          "sudo tee "
          "/etc/systemd/system/user@.service.d/sbox.conf && sudo systemctl daemon-reload   # then log in anew"};
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

// "0.0~gitYYYYMMDD.HASH-1": pasta itself does not say in every package what it is.
Check check_pasta(const Host& host) {
  constexpr std::string_view kMark = "~git";
  constexpr size_t kDigits = 8;
  constexpr unsigned long long kOldest = 20230309;  // has each option that sbox gives it
  std::string version = package_version(host, "passt");
  size_t mark = version.find(kMark);
  auto day = mark == std::string::npos ? std::nullopt : parse_number(version.substr(mark + kMark.size(), kDigits));
  if (!day || *day >= kOldest) return good("private network", false, "pasta can connect sandboxes to the network");
  return {
      "private network", Health::limited, false,
      "pasta " + escape_control(version) + " is older than sbox knows: profiles with a private network may not start",
      "sudo apt install --only-upgrade passt"};
}

Check check_private_network(const Host& host, const Probes& probes) {
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
  } else if (probes.network.firewall != 0) {
    check.meaning = std::string("this kernel takes no rules of nftables (") + strerror(probes.network.firewall) + ")";
    check.remedy = "sudo modprobe -a nf_tables nft_reject_inet nft_ct";
  } else {
    return check_pasta(host);
  }
  return check;
}

constexpr char kNotTried[] = "not tried: no network namespace can be made to try it in";

Check check_bandwidth(const Host&, const Probes& probes) {
  const network::Fault& fault = probes.network.bandwidth;
  if (!probes.network.tried) return {"bandwidth", Health::limited, false, kNotTried, ""};
  if (!fault) return good("bandwidth", false, "that of a private network can be limited");
  std::string reason = fault.error != 0 ? std::string(" (") + strerror(fault.error) + ")" : "";
  return {"bandwidth", Health::missing, false,
          "profiles with network.bandwidth do not start: " + std::string(fault.what) + reason,
          network::kBandwidthRemedy};
}

Check check_network_log(const Host&, const Probes& probes) {
  if (!probes.network.tried) return {"network log", Health::limited, false, kNotTried, ""};
  if (probes.network.tells) return good("network log", false, "the kernel tells what a private network refuses");
  return {"network log", Health::limited, false,
          "this kernel does not tell what a private network refuses (nfnetlink_log): sbox log names no connections",
          "sudo modprobe -a nfnetlink_log nft_log"};
}

Check check_learning(const Host& host, const Probes&) {
  if (host.status("/usr/bin/strace").kind == FileKind::missing) {
    return {"learning", Health::missing, false, "strace is not installed: sbox learn cannot watch programs",
            "sudo apt install strace"};
  }
  constexpr unsigned long long kAdministratorOnly = 2;
  std::string scope = host.read("/proc/sys/kernel/yama/ptrace_scope").value_or("0");
  if (parse_number(scope.substr(0, scope.find('\n'))).value_or(0) >= kAdministratorOnly) {
    return {"learning", Health::limited, false, "the kernel lets users trace nothing: sbox learn cannot watch programs",
            "sudo sysctl kernel.yama.ptrace_scope=1"};
  }
  return good("learning", false, "strace can watch programs for sbox learn");
}

}  // namespace

std::string container_kind(const Host& host) {
  for (const Container& container : kContainers) {
    if (*container.mark != '\0' && host.status(container.mark).kind == FileKind::file) return container.kind;
  }
  std::string named = host.read("/run/systemd/container").value_or("");
  return named.substr(0, named.find('\n'));
}

std::string container_remedy(const Host& host) {
  std::string kind = container_kind(host);
  for (const Container& container : kContainers) {
    if (kind == container.kind) return container.remedy;
  }
  return kContainers[1].remedy;
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

std::vector<Examine> machine_rows() {
  return {check_container,       check_process_list, check_core_dumps, check_user_manager, check_limits,
          check_private_network, check_network_log,  check_bandwidth,  check_learning};
}

}  // namespace sbox
