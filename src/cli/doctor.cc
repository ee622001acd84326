#include "cli/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/strings.h"
#include "cli/bus_proxy.h"
#include "cli/doctor_rows.h"
#include "cli/explain.h"
#include "cli/grant.h"
#include "cli/print.h"
#include "cli/words.h"
#include "plan/paths.h"
#include "plan/places.h"
#include "profile/reader.h"

namespace sbox {
namespace {

constexpr KernelVersion kOldestKernel{5, 14};

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

// The profile by which AppArmor confines this process, with its mode; "" where it does not.
std::string confining_profile(const Host& host) {
  std::string label = host.read("/proc/self/attr/apparmor/current").value_or("");
  label = label.substr(0, label.find('\n'));
  bool is_free = label == "unconfined" || label.ends_with(" (unconfined)") || label.ends_with(" (complain)");
  return is_free ? "" : label;
}

// What lets AppArmor grant user namespaces to sbox.
std::string load_profile(const std::string& prefix) {
  return "sudo install -m 644 " + prefix +
         "/share/sbox/apparmor/sbox /etc/apparmor.d/sbox && sudo apparmor_parser -r /etc/apparmor.d/sbox";
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
    check.remedy = load_profile(probes.prefix);
  } else if (result.error == ENOSPC) {
    check.meaning = "too many there already, or nested too deeply" + reason;
    check.remedy = "cat /proc/sys/user/max_*_namespaces";
  } else if (result.error == EINVAL || result.error == ENOSYS) {
    check.meaning = "not built into this kernel" + reason;
    check.remedy = "zgrep -E '_NS=' /proc/config.gz";
  } else if (container_kind(host).empty() && !confining_profile(host).empty()) {
    check.meaning =
        "AppArmor confines sbox by a profile without them: " + escape_control(confining_profile(host)) + reason;
    check.remedy = load_profile(probes.prefix) + "   # or `userns,` into that one, where it is sbox's own";
  } else {
    check.meaning = "forbidden by something around this process: a container, a chroot, or another sandbox" + reason;
    check.remedy = container_remedy(host);
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

constexpr char kLauncherAlone[] = "not tried: only the launcher can make them here";
constexpr char kNoNamespaces[] = "not tried: there are no user namespaces";

Check check_mounts(const Host& host, const Probes& probes) {
  ProbeStage reached = probes.namespaces.reached;
  Check check{"mounts", Health::missing, true, "", ""};
  std::string reason = std::string(" (") + strerror(probes.namespaces.error) + ")";
  if (is_granted(probes)) return good("mounts", true, kLauncherAlone);
  if (reached <= ProbeStage::namespaces) {
    check.meaning = kNoNamespaces;
  } else if (probes.namespaces.error == ENOSPC) {
    check.meaning = "no further ones are allowed" + reason;
    check.remedy = "cat /proc/sys/fs/mount-max /proc/sys/user/max_mnt_namespaces";
  } else if (reached == ProbeStage::mount_api || reached == ProbeStage::tmpfs) {
    check.meaning = "the new mount calls are refused" + reason + ": an older kernel, or the filter of a container";
    check.remedy = container_remedy(host);
  } else if (reached == ProbeStage::proc) {
    check.meaning = "no /proc of its own" + reason + ": parts of the one here are covered, as in most containers";
    check.remedy = container_remedy(host);
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

Check check_home(const Host& host, const Probes&) {
  try {
    return good("home directory", true, escape_control(find_places(host).home));
  } catch (const Error& error) {
    return {"home directory", Health::missing, true, escape_control(error.why()), "ls -ld \"$HOME\""};
  }
}

Check check_start(const Host&, const Probes& probes) {
  if (probes.refusal.empty()) return good("start", true, "programs without a profile of their own have a plan");
  return {"start", Health::missing, true, escape_control(probes.refusal), ""};
}

Check check_overlay(const Host&, const Probes& probes) {
  if (is_granted(probes)) return good("overlay homes", false, kLauncherAlone);
  if (probes.namespaces.reached <= ProbeStage::namespaces) {
    return {"overlay homes", Health::missing, false, kNoNamespaces, ""};
  }
  if (probes.overlay == 0) return good("overlay homes", false, "changes of a program can be kept from the home");
  return {"overlay homes", Health::missing, false,
          std::string("profiles with home.mode = overlay do not start (") + strerror(probes.overlay) +
              "): the home holds a mount, or its file system or the kernel has no overlays for ordinary users",
          "findmnt --submounts --target \"$HOME\""};
}

constexpr Examine kChecks[] = {check_kernel, check_user_namespaces, check_mounts,  check_seccomp,
                               check_home,   check_start,           check_overlay, check_landlock};

const char* word(Health health) {
  constexpr const char* kWords[] = {"ok", "limited", "missing"};
  return kWords[static_cast<int>(health)];
}

std::string refusal_of_start(const Context& context) try {
  plan_for_some_program(context, read_profile(context.search, "default"));
  std::string launcher = context.prefix + "/libexec/sbox/sbox-launch";
  if (access(launcher.c_str(), X_OK) == 0) return "";
  throw system_error(launcher, errno).hint("the installation is not complete");
} catch (const Error& error) {
  if (error.exit_status() != kExitFailure) return "";  // a host without /bin/true
  return error.line().substr(std::string_view("sbox: ").size());
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
  probes.network = probe_network();
  probes.kernel = kernel_version();
  probes.limits = limits_by(host);
  if (host.status(kDBusProxy).kind == FileKind::file) probes.proxy_version = first_line_of(kDBusProxy, "--version");
  return probes;
}

std::vector<Check> examine(const Host& host, const Probes& probes) {
  std::vector<Check> checks;
  for (Examine each : kChecks) checks.push_back(each(host, probes));
  for (Examine each : machine_rows()) checks.push_back(each(host, probes));
  for (Examine each : session_rows()) checks.push_back(each(host, probes));
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
  return json_text(all);
}

int run_doctor(const Context& context, const std::vector<std::string>& arguments) {
  bool as_json = parse_words("doctor", arguments, {"--json"}, 0).has("--json");
  Probes probes = probe(context.host, context.prefix);
  probes.refusal = refusal_of_start(context);
  std::vector<Check> checks = examine(context.host, probes);
  print(as_json ? doctor_json(checks) : doctor_table(checks));
  return can_start(checks) ? 0 : 1;
}

}  // namespace sbox
