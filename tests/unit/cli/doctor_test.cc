#include "cli/doctor.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "../plan/fake_host.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;

class Doctor : public ::testing::Test {
 protected:
  Doctor() { probes.kernel = {6, 12}; }

  Check check(const std::string& name) {
    std::vector<Check> checks = examine(host, probes);
    auto found = std::find_if(checks.begin(), checks.end(), [&](const Check& c) { return c.name == name; });
    return found == checks.end() ? Check{} : *found;
  }
  void fail_at(ProbeStage stage, int error) { probes.namespaces = {stage, error}; }

  FakeHost host;
  Probes probes;
};

TEST_F(Doctor, CanStartOnAHostWithoutDesktop) {
  EXPECT_TRUE(can_start(examine(host, probes)));
  EXPECT_EQ(check("display").health, Health::missing);
}

TEST_F(Doctor, TellsWhetherAnOverlayOfTheHomeCanBeMade) {
  EXPECT_EQ(check("overlay homes").health, Health::ok);
  probes.overlay = EINVAL;
  EXPECT_EQ(check("overlay homes").health, Health::missing);
  EXPECT_THAT(check("overlay homes").meaning, HasSubstr("the home holds a mount"));
  EXPECT_TRUE(can_start(examine(host, probes)));
}

TEST_F(Doctor, CannotStartWhatARefusalSaysNoTo) {
  probes.refusal = "/dev/tty: is not a device\033 on this host (mount a proper /dev)";
  EXPECT_EQ(check("start").meaning, "/dev/tty: is not a device\\x1b on this host (mount a proper /dev)");
  EXPECT_FALSE(can_start(examine(host, probes)));
}

TEST_F(Doctor, DoesNotBlameTheKernelForALimitOfMounts) {
  fail_at(ProbeStage::proc, ENOSPC);
  EXPECT_THAT(check("mounts").meaning, HasSubstr("no further ones are allowed"));
  EXPECT_THAT(check("mounts").remedy, HasSubstr("max_mnt_namespaces"));
}

TEST_F(Doctor, DoesNotBlameTheHomeWhereNamespacesAreRefused) {
  fail_at(ProbeStage::user_namespace, EPERM);
  probes.overlay = EPERM;
  EXPECT_EQ(check("overlay homes").meaning, "not tried: there are no user namespaces");
  EXPECT_EQ(check("overlay homes").health, Health::missing);
  probes.has_granter = true;
  EXPECT_EQ(check("overlay homes").health, Health::ok);
}

TEST_F(Doctor, RefusesAnOldKernel) {
  probes.kernel = {5, 13};
  EXPECT_EQ(check("kernel").health, Health::missing);
  EXPECT_FALSE(can_start(examine(host, probes)));
}

TEST_F(Doctor, TellsApartWhoForbidsUserNamespaces) {
  fail_at(ProbeStage::user_namespace, EPERM);
  EXPECT_THAT(check("user namespaces").meaning, HasSubstr("container"));
  host.file("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
  EXPECT_THAT(check("user namespaces").remedy, HasSubstr("/usr/local/share/sbox/apparmor/sbox /etc/apparmor.d"));
  host.file("/proc/sys/user/max_user_namespaces", "0\n");
  EXPECT_THAT(check("user namespaces").remedy, HasSubstr("user.max_user_namespaces"));
  host.file("/proc/sys/kernel/unprivileged_userns_clone", "0\n");
  EXPECT_THAT(check("user namespaces").remedy, HasSubstr("kernel.unprivileged_userns_clone=1"));
  EXPECT_FALSE(can_start(examine(host, probes)));
}

TEST_F(Doctor, TellsWhichProfileOfAppArmorForbidsUserNamespaces) {
  fail_at(ProbeStage::user_namespace, EACCES);
  for (const char* free : {"unconfined\n", "sbox (unconfined)\n", "sbox (complain)\n"}) {
    host.file("/proc/self/attr/apparmor/current", free);
    EXPECT_THAT(check("user namespaces").meaning, HasSubstr("something around")) << free;
  }
  host.file("/proc/self/attr/apparmor/current", "all\033 (enforce)\n");
  EXPECT_THAT(check("user namespaces").meaning,
              HasSubstr("a profile without them: all\\x1b (enforce) (Permission denied)"));
  EXPECT_THAT(check("user namespaces").remedy, HasSubstr("/usr/local/share/sbox/apparmor/sbox /etc/apparmor.d"));
  fail_at(ProbeStage::namespaces, ENOSPC);
  EXPECT_THAT(check("user namespaces").meaning, HasSubstr("too many"));
  // There the profile is the container's.
  fail_at(ProbeStage::user_namespace, EACCES);
  host.file("/.dockerenv");
  EXPECT_THAT(check("user namespaces").remedy, HasSubstr("docker run"));
}

TEST_F(Doctor, CountsOnSboxUsernsOnlyWhereItWorksAndIsNeeded) {
  probes.has_granter = true;
  EXPECT_THAT(check("user namespaces").meaning, HasSubstr("an ordinary user"));
  fail_at(ProbeStage::user_namespace, EPERM);
  EXPECT_EQ(check("user namespaces").health, Health::ok);
  EXPECT_THAT(check("user namespaces").meaning, HasSubstr("by sbox-userns"));
  EXPECT_TRUE(can_start(examine(host, probes)));
  probes.granter_refusal = "it has no privilege\033";
  EXPECT_THAT(check("user namespaces").meaning, HasSubstr("sbox-userns: it has no privilege\\x1b"));
  EXPECT_FALSE(can_start(examine(host, probes)));
}

TEST_F(Doctor, KnowsAContainerThatCoversProc) {
  fail_at(ProbeStage::proc, EPERM);
  EXPECT_EQ(check("user namespaces").health, Health::ok);
  EXPECT_THAT(check("mounts").remedy, HasSubstr("unmask"));
}

TEST_F(Doctor, SaysWhatAnOlderLandlockLeavesOpen) {
  EXPECT_EQ(check("Landlock").health, Health::ok);
  host.set_landlock(5);
  EXPECT_EQ(check("Landlock").health, Health::limited);
  EXPECT_THAT(check("Landlock").meaning, HasSubstr("abstract sockets"));
  host.set_landlock(0);
  EXPECT_TRUE(can_start(examine(host, probes)));
}

TEST_F(Doctor, KnowsProxiesWithHolesAndPackagesThatClosedThem) {
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::missing);
  host.program("/usr/bin/xdg-dbus-proxy");
  probes.proxy_version = "xdg-dbus-proxy 0.1.9";
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::ok);
  probes.proxy_version = "xdg-dbus-proxy 0.1.4";
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::missing);
  host.file("/var/lib/dpkg/status", "Package: a\nVersion: 1\n\nPackage: xdg-dbus-proxy\nVersion: 0.1.4-3+deb12u2\n\n");
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::ok);
  host.file("/var/lib/dpkg/status", "Package: xdg-dbus-proxy\nVersion: 0.1.4-3+deb12u1\n");
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::missing);
  probes.proxy_version = "xdg-dbus-proxy 0.1.6";
  host.file("/var/lib/dpkg/status", "Package: xdg-dbus-proxy\nVersion: 0.1.6-1+deb13u2\n");
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::missing);
  host.file("/var/lib/dpkg/status", "Package: xdg-dbus-proxy\nVersion: 0.1.6-1+deb13u3\n");
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::ok);
  probes.proxy_version = "xdg-dbus-proxy 0.1.8";
  host.file("/var/lib/dpkg/status", "");
  EXPECT_EQ(check("xdg-dbus-proxy").health, Health::missing);
}

TEST_F(Doctor, FindsTheSocketsOfASession) {
  host.set("WAYLAND_DISPLAY", "wayland-0");
  host.socket("/run/user/1000/wayland-0");
  host.socket("/run/user/1000/bus");
  host.socket("/run/user/1000/pipewire-0");
  for (const char* name : {"display", "session bus", "sound"}) EXPECT_EQ(check(name).health, Health::ok) << name;
}

TEST_F(Doctor, CallsX11AloneLimited) {
  host.set("DISPLAY", ":7.0");
  host.socket("/tmp/.X11-unix/X7", 0);
  EXPECT_EQ(check("display").health, Health::limited);
}

TEST_F(Doctor, KnowsContainersAndHowTheyAllowSandboxes) {
  EXPECT_EQ(check("container").health, Health::ok);
  host.file("/run/systemd/container", "lxc\n");
  EXPECT_THAT(check("container").meaning, HasSubstr("lxc"));
  EXPECT_EQ(check("container").health, Health::ok);
  fail_at(ProbeStage::user_namespace, EPERM);
  EXPECT_EQ(check("container").health, Health::limited);
  EXPECT_THAT(check("container").remedy, HasSubstr("security.nesting"));
  host.file("/.dockerenv");
  EXPECT_THAT(check("user namespaces").remedy, HasSubstr("docker run"));
  host.file("/.flatpak-info");
  EXPECT_THAT(check("container").remedy, HasSubstr("flatpak-spawn --host"));
}

TEST_F(Doctor, TellsThatProcessesAreHidden) {
  host.file("/proc/self/mounts", "proc /proc proc rw,nosuid 0 0\nproc /mnt/proc proc rw,hidepid=2 0 0\n");
  EXPECT_EQ(check("process list").health, Health::ok);
  host.file("/proc/self/mounts", "proc /proc proc rw,hidepid=invisible,gid=7 0 0\n");
  EXPECT_EQ(check("process list").health, Health::limited);
  EXPECT_THAT(check("process list").meaning, HasSubstr("hidepid=invisible"));
  EXPECT_THAT(check("process list").remedy, HasSubstr("hidepid=0"));
}

TEST_F(Doctor, TellsThatCoreDumpsGoToASocket) {
  for (const char* kept : {"core\n", "|/usr/lib/systemd/systemd-coredump %P\n"}) {
    host.file("/proc/sys/kernel/core_pattern", kept);
    EXPECT_EQ(check("core dumps").health, Health::ok);
  }
  host.file("/proc/sys/kernel/core_pattern", "@/run/coredump.socket\n");
  EXPECT_EQ(check("core dumps").health, Health::limited);
  EXPECT_THAT(check("core dumps").remedy, HasSubstr("kernel.core_pattern"));
}

TEST_F(Doctor, SaysWhyThereIsNoUserManagerAndWhatOneLacks) {
  EXPECT_THAT(check("user manager").meaning, HasSubstr("systemd does not run here"));
  host.directory("/run/systemd/system", 0);
  EXPECT_THAT(check("user manager").remedy, HasSubstr("enable-linger"));
  host.socket("/run/user/1000/systemd/private");
  EXPECT_EQ(check("user manager").remedy, "export XDG_RUNTIME_DIR=/run/user/1000");
  probes.limits = LimitsBy::systemd;
  EXPECT_EQ(check("user manager").health, Health::ok);
  host.file("/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers", "cpu memory pids\n");
  EXPECT_EQ(check("user manager").health, Health::limited);
  EXPECT_THAT(check("user manager").meaning, HasSubstr("without io:"));
  EXPECT_THAT(check("user manager").remedy, HasSubstr("Delegate="));
}

TEST_F(Doctor, CallsAnOldPastaLimited) {
  host.program("/usr/bin/pasta");
  host.node("/dev/net/tun", FileKind::character_device);
  EXPECT_EQ(check("private network").health, Health::ok);
  host.file("/var/lib/dpkg/status", "Package: passt\nVersion: 0.0~git20230309.7c7625d-1\n");
  EXPECT_EQ(check("private network").health, Health::ok);
  host.file("/var/lib/dpkg/status", "Package: passt\nVersion: 0.0~git20220929.06aa26f-1\n");
  EXPECT_EQ(check("private network").health, Health::limited);
}

TEST_F(Doctor, SaysWhatOfPrivateNetworksTheKernelLacks) {
  host.program("/usr/bin/pasta");
  host.node("/dev/net/tun", FileKind::character_device);
  for (const char* name : {"private network", "network log", "bandwidth"}) EXPECT_EQ(check(name).health, Health::ok);
  probes.network.tells = false;
  EXPECT_EQ(check("network log").health, Health::limited);
  EXPECT_THAT(check("network log").remedy, HasSubstr("nfnetlink_log"));
  probes.network.bandwidth = {"ifb", EOPNOTSUPP, true};
  EXPECT_EQ(check("bandwidth").health, Health::missing);
  EXPECT_THAT(check("bandwidth").meaning, HasSubstr("ifb (Operation not supported)"));
  EXPECT_THAT(check("bandwidth").remedy, HasSubstr("modprobe -a ifb"));
  EXPECT_EQ(check("private network").health, Health::ok);
  probes.network.firewall = EINVAL;
  EXPECT_EQ(check("private network").health, Health::missing);
  probes.network = NetworkProbe{.tried = false, .firewall = 0, .tells = true, .bandwidth = {}};
  for (const char* name : {"network log", "bandwidth"}) EXPECT_THAT(check(name).meaning, HasSubstr("not tried"));
  EXPECT_TRUE(can_start(examine(host, probes)));
}

TEST_F(Doctor, SaysWhatLearningLacks) {
  EXPECT_EQ(check("learning").remedy, "sudo apt install strace");
  host.program("/usr/bin/strace");
  host.file("/proc/sys/kernel/yama/ptrace_scope", "1\n");
  EXPECT_EQ(check("learning").health, Health::ok);
  host.file("/proc/sys/kernel/yama/ptrace_scope", "2\n");
  EXPECT_EQ(check("learning").health, Health::limited);
}

TEST_F(Doctor, FindsWhatPortalsNeed) {
  EXPECT_THAT(check("portals").meaning, HasSubstr("session bus"));
  host.socket("/run/user/1000/bus");
  EXPECT_THAT(check("portals").remedy, HasSubstr("apt install xdg-desktop-portal"));
  host.file("/usr/share/dbus-1/services/org.freedesktop.portal.Desktop.service", "", 0);
  EXPECT_THAT(check("portals").meaning, HasSubstr("backend"));
  host.file("/usr/share/xdg-desktop-portal/portals/gtk.portal", "", 0);
  EXPECT_THAT(check("portals").remedy, HasSubstr("/dev/fuse"));
  host.node("/dev/fuse", FileKind::character_device);
  EXPECT_THAT(check("portals").remedy, HasSubstr("fuse3"));
  EXPECT_EQ(check("portals").health, Health::limited);
  host.program("/usr/bin/fusermount3");
  EXPECT_EQ(check("portals").health, Health::ok);
}

TEST_F(Doctor, FindsTheServicesThatProfilesMayAskFor) {
  for (const char* name : {"printing", "smart cards", "SSH agent", "GnuPG agent"}) {
    EXPECT_EQ(check(name).health, Health::missing) << name;
    EXPECT_NE(check(name).remedy, "") << name;
  }
  host.socket("/run/cups/cups.sock", 0);
  host.socket("/run/pcscd/pcscd.comm", 0);
  host.socket("/home/ann/agent");
  host.set("SSH_AUTH_SOCK", "/home/ann/agent");
  host.socket("/run/user/1000/gnupg/S.gpg-agent.extra");
  for (const char* name : {"printing", "smart cards", "SSH agent", "GnuPG agent"}) {
    EXPECT_EQ(check(name).health, Health::ok) << name;
  }
  host.socket("/home/stranger/agent", kStranger);
  host.set("SSH_AUTH_SOCK", "/home/stranger/agent");
  EXPECT_EQ(check("SSH agent").health, Health::missing);
}

TEST_F(Doctor, PrintsJsonThatNamesEachCheckAndState) {
  std::vector<Check> checks = examine(host, probes);
  nlohmann::json json = nlohmann::json::parse(doctor_json(checks));
  EXPECT_EQ(json["can_start"], true);
  EXPECT_EQ(json["checks"].size(), checks.size());
  EXPECT_EQ(json["checks"][0]["name"], "kernel");
  EXPECT_EQ(json["checks"][0]["state"], "ok");
}

TEST_F(Doctor, ProbesThisMachineWithoutHarm) {
  ProbeResult first = probe_namespaces(), second = probe_namespaces();
  EXPECT_EQ(first.reached, second.reached);
  EXPECT_EQ(first_line_of("/bin/echo", "word"), "word");
  EXPECT_EQ(first_line_of("/nonexistent", "word"), "");
}

}  // namespace
}  // namespace sbox::testing
