// What every sandbox has: /etc, identity, environment, limits, Landlock, network.
#include <sys/resource.h>

#include "planning.h"
#include "shipped.h"

namespace sbox::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class System : public Planning {
 protected:
  System() { set(Key::seccomp_mode, "none"); }
};

TEST_F(System, ReplicatesTheHostsLinksToUsr) {
  Plan p = plan();
  EXPECT_EQ(find(p, "/bin")->content, "usr/bin");
  EXPECT_EQ(what(p, "/usr"), "ro");
  EXPECT_EQ(what(p, "/lib64"), "none");
}

TEST_F(System, BindsDirectoriesThatTheHostHasInsteadOfLinks) {
  host.remove("/bin");
  host.program("/bin/sh");
  EXPECT_EQ(what(plan(), "/bin"), "ro");
}

TEST_F(System, ALinkToUsrThatIsNotRootsRefuses) {
  constexpr uint32_t kNobody = 65534;  // as root is in a user namespace that does not know it
  host.link("/lib64", "usr/lib64", kNobody);
  EXPECT_THAT(fault(), HasSubstr("'/lib64': belongs to user 65534"));
}

TEST_F(System, ProcIsMasked) {
  host.file("/proc/kallsyms", "", 0);
  host.directory("/proc/acpi", 0);
  Plan p = plan();
  EXPECT_EQ(what(p, "/proc"), "proc");
  EXPECT_TRUE(find(p, "/proc/kallsyms")->is_file);
  EXPECT_FALSE(find(p, "/proc/acpi")->is_file);
  EXPECT_EQ(what(p, "/proc/kcore"), "none");
  EXPECT_EQ(what(p, "/proc/sys"), "pin");
  EXPECT_FALSE(find(p, "/proc/sys")->writable);
}

TEST_F(System, ProcIsBareWhereAnInnerSandboxMountsItsOwn) {
  host.file("/proc/kallsyms", "", 0);
  set(Key::process_nested_sandbox, "yes");
  EXPECT_EQ(what(plan(), "/proc/kallsyms"), "hide");
  set(Key::process_nested_sandbox, "mounts");
  Plan p = plan();
  EXPECT_EQ(what(p, "/proc"), "proc");
  EXPECT_EQ(what(p, "/proc/kallsyms"), "none");
  EXPECT_EQ(what(p, "/proc/sys"), "none");
  EXPECT_EQ(what(p, "/sys/class"), "directory");
}

TEST_F(System, TheBootIdIsHidden) {
  host.file("/proc/sys/kernel/random/boot_id");
  EXPECT_EQ(what(plan(), "/proc/sys/kernel/random/boot_id"), "hide");
}

TEST_F(System, DevicesAreUsedAndNotChanged) {
  Plan p = plan();
  EXPECT_EQ(what(p, "/dev/null"), "ro");
  EXPECT_TRUE(find(p, "/dev/null")->device);
}

TEST_F(System, WithWriteXorExecuteNothingThatCanBeWrittenCanBeExecuted) {
  host.directory("/data");
  set(Key::files_read_write, "/data");
  set(Key::process_write_xor_execute, "yes");
  set(Key::seccomp_mode, "default");
  Plan p = plan();
  for (const Node& node : p.nodes) EXPECT_FALSE(node.writable && node.executable) << node.target;
  EXPECT_FALSE(find(p, "/data")->executable);
  EXPECT_TRUE(find(p, "/usr")->executable);
  // Whoever writes to /proc/self/mem writes to code.
  constexpr uint64_t kWriteFile = 1 << 1;
  for (const LandlockRule& rule : p.landlock.rules) {
    EXPECT_FALSE(rule.path == "/proc" && (rule.access & kWriteFile));
  }
}

TEST_F(System, WithWriteXorExecuteThereIsAFilter) {
  set(Key::seccomp_mode, "none");
  set(Key::process_write_xor_execute, "yes");
  EXPECT_THAT(fault(), HasSubstr("write-xor-execute = yes: without a filter"));
}

TEST_F(System, TmpfsHaveTheirModesAndSizes) {
  set(Key::system_tmp_size, "3M");
  Plan p = plan();
  EXPECT_EQ(find(p, "/tmp")->mode, 01777u);
  EXPECT_EQ(find(p, "/tmp")->size, uint64_t{3} << 20);
  EXPECT_EQ(find(p, "/dev/shm")->mode, 01777u);
  EXPECT_EQ(find(p, "/run/user/1000")->mode, 0700u);
  for (const char* path : {"/tmp", "/var/tmp", "/dev/shm", "/run/user/1000", "/home/ann"}) {
    EXPECT_GT(find(p, path)->inodes, 0u) << path;
  }
}

TEST_F(System, UsersAreTheOneAndNobody) {
  Plan p = plan();
  EXPECT_EQ(find(p, "/etc/passwd")->content,
            "ann:x:1000:1000:ann:/home/ann:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
  EXPECT_EQ(find(p, "/etc/group")->content, "ann:x:1000:\nnogroup:x:65534:\n");
}

TEST_F(System, NamesOfTheHostStayOutside) {
  host.file("/etc/machine-id", "0123\n", 0);
  Plan p = plan();
  EXPECT_EQ(p.hostname, "sbox");
  EXPECT_EQ(find(p, "/etc/hostname")->content, "sbox\n");
  EXPECT_EQ(find(p, "/etc/machine-id")->content, std::string(32, 'a') + "\n");
  set(Key::system_hostname, "host");
  set(Key::system_machine_id, "host");
  p = plan();
  EXPECT_EQ(p.hostname, "workshop");
  EXPECT_EQ(find(p, "/etc/machine-id")->content, "0123\n");
}

TEST_F(System, ABadHostNameIsRefused) {
  host.set_hostname("a b\n10.0.0.1 bank");
  set(Key::system_hostname, "host");
  EXPECT_THAT(fault(), HasSubstr("host name"));
}

TEST_F(System, TheTimeZoneIsTheHostsOrNamed) {
  EXPECT_EQ(find(plan(), "/etc/localtime")->content, "/usr/share/zoneinfo/Europe/Berlin");
  host.file("/usr/share/zoneinfo/UTC", "TZif", 0);
  set(Key::system_time_zone, "UTC");
  Plan p = plan();
  EXPECT_EQ(find(p, "/etc/localtime")->content, "/usr/share/zoneinfo/UTC");
  EXPECT_EQ(find(p, "/etc/timezone")->content, "UTC\n");
  for (const char* zone : {"Mars/Base", "Europe"}) {
    set(Key::system_time_zone, zone);
    EXPECT_THAT(fault(), HasSubstr("time-zone")) << zone;
  }
}

TEST_F(System, PrivateKeysOfTheHostAreNeverGranted) {
  host.directory("/etc/ssl/certs", 0);
  host.directory("/etc/ssl/private", 0);
  Plan p = plan();
  EXPECT_EQ(what(p, "/etc/ssl"), "directory");
  EXPECT_EQ(what(p, "/etc/ssl/certs"), "ro");
}

TEST_F(System, AProgramInJavaHasItsSettingsUnderThePresetsForTools) {
  for (const char* name : {"java-17-openjdk", "maven", "sudoers.d"}) host.directory(std::string("/etc/") + name, 0);
  host.directory("/home/ann/project");
  host.change_to("/home/ann/project");
  for (const char* name : {"agent", "default"}) {
    Plan p = make_plan(read_profile(shipped(), name), request, host);
    EXPECT_EQ(what(p, "/etc/java-17-openjdk"), "ro") << name;
    EXPECT_EQ(what(p, "/etc/maven"), "ro") << name;
    EXPECT_EQ(what(p, "/etc/sudoers.d"), "none") << name;
  }
}

TEST_F(System, FurtherEntriesOfEtcAreNamed) {
  for (const char* name : {"app-1", "app-2", "other", "sbox"}) host.directory(std::string("/etc/") + name, 0);
  set(Key::system_etc, "app-*");
  set(Key::system_etc, "missing");
  Plan p = plan();
  EXPECT_EQ(what(p, "/etc/app-1"), "ro");
  EXPECT_EQ(what(p, "/etc/app-2"), "ro");
  EXPECT_EQ(what(p, "/etc/other"), "none");
  set(Key::system_etc, "s*");
  EXPECT_EQ(what(plan(), "/etc/sbox"), "none");
  set(Key::system_etc, "sbox");
  EXPECT_NE(fault(), "");
}

TEST_F(System, ALinkInEtcIsKept) {
  host.file("/usr/lib/os-release", "", 0);
  host.link("/etc/os-release", "../usr/lib/os-release", 0);
  EXPECT_EQ(find(plan(), "/etc/os-release")->content, "../usr/lib/os-release");
}

TEST_F(System, WithoutANetworkThereAreNoNameServers) {
  host.file("/etc/resolv.conf", "nameserver 1.2.3.4\n", 0);
  Plan p = plan();
  EXPECT_TRUE(p.own_network);
  EXPECT_EQ(what(p, "/etc/resolv.conf"), "none");
  EXPECT_THAT(find(p, "/etc/nsswitch.conf")->content, Not(HasSubstr("dns")));
}

TEST_F(System, OnTheHostsNetworkTheNameServersFollow) {
  host.file("/run/resolve/resolv.conf", "nameserver 1.2.3.4\n", 0);
  host.link("/etc/resolv.conf", "/run/resolve/resolv.conf", 0);
  host.file("/etc/hosts", "10.0.0.1 printer\n", 0);
  set(Key::network_mode, "host");
  Plan p = plan();
  EXPECT_FALSE(p.own_network);
  EXPECT_EQ(find(p, "/etc/resolv.conf")->kind, NodeKind::follow);
  EXPECT_EQ(find(p, "/etc/resolv.conf")->source, "/etc/resolv.conf");
  EXPECT_THAT(find(p, "/etc/hosts")->content, HasSubstr("printer"));
  EXPECT_THAT(find(p, "/etc/nsswitch.conf")->content, HasSubstr("dns"));
}

TEST_F(System, OnTheHostsNetworkAbstractSocketsMustBeScoped) {
  host.set_landlock(5);
  EXPECT_EQ(fault(), "");
  set(Key::network_mode, "host");
  EXPECT_THAT(fault(), HasSubstr("abstract sockets"));
  set(Key::profile_optional, "abstract-sockets");
  EXPECT_EQ(fault(), "");
}

TEST_F(System, CoreFilesAreOffNoPriorityIsTakenAndLimitsAreSet) {
  set(Key::limits_open_files, "100");
  set(Key::limits_file_size, "1K");
  Plan p = plan();
  auto is = [&](size_t number, const char* name, uint64_t value) {
    return p.limits[number].name == name && p.limits[number].soft == value && p.limits[number].hard == value;
  };
  ASSERT_EQ(p.limits.size(), 5u);
  EXPECT_TRUE(is(0, "RLIMIT_CORE", 1));
  EXPECT_TRUE(is(1, "RLIMIT_NICE", 0));
  EXPECT_TRUE(is(2, "RLIMIT_RTPRIO", 0));
  EXPECT_TRUE(is(3, "RLIMIT_NOFILE", 100));
  EXPECT_TRUE(is(4, "RLIMIT_FSIZE", 1024));
}

TEST_F(System, RealTimePriorityIsWhatTheProfileSaysAndTheSessionHas) {
  set(Key::limits_realtime, "10");
  host.set_hard_limit(RLIMIT_RTPRIO, 9);
  EXPECT_THAT(fault(), ::testing::HasSubstr("limit of this session is 9"));
  host.set_hard_limit(RLIMIT_RTPRIO, 95);
  Plan p = plan();
  EXPECT_EQ(p.limits[2].name, "RLIMIT_RTPRIO");
  EXPECT_EQ(p.limits[2].hard, 10u);
  set(Key::limits_realtime, "100");
  EXPECT_THAT(fault(), ::testing::HasSubstr("is more than 99"));
}

TEST_F(System, ALimitAboveTheSessionsIsRefused) {
  host.set_hard_limit(RLIMIT_NOFILE, 100);
  set(Key::limits_open_files, "100");
  EXPECT_EQ(fault(), "");
  set(Key::limits_open_files, "101");
  EXPECT_THAT(fault(), AllOf(HasSubstr("test.profile:3"), HasSubstr("limits.open-files = 101"), HasSubstr("is 100")));
}

TEST_F(System, WhoIsHeldToNoCoreFilesIsNotAskedForOne) {
  host.set_hard_limit(RLIMIT_CORE, 0);
  EXPECT_EQ(plan().limits[0].hard, 0u);
}

TEST_F(System, TheSameInputsMakeTheSamePlan) { EXPECT_EQ(plan(), plan()); }

class Environment : public System {};

TEST_F(Environment, HoldsNothingOfTheCallersButTheHarmless) {
  for (const char* name : {"SECRET_TOKEN", "SSH_AUTH_SOCK", "LD_PRELOAD", "WAYLAND_SOCKET", "AT_SPI_BUS_ADDRESS",
                           "PYTHONPATH", "DISPLAY", "GTK_MODULES"}) {
    host.set(name, "x");
  }
  host.set("LC_TIME", "de_DE.UTF-8");
  host.set("TERM", "xterm");
  EXPECT_THAT(plan().environment,
              ElementsAre("HOME=/home/ann", "LC_TIME=de_DE.UTF-8", "LOGNAME=ann",
                          "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games", "SHELL=/bin/bash",
                          "TERM=xterm", "USER=ann", "XDG_RUNTIME_DIR=/run/user/1000"));
}

TEST_F(Environment, KeepsWhatIsNamedAndSetsWhatIsSaid) {
  host.set("APP_A", "1");
  host.set("APP_B", "2");
  set(Key::environment_keep, "APP_*");
  set(Key::environment_set, "APP_B=3=4");
  set(Key::environment_set, "LD_LIBRARY_PATH=/opt/x");
  Plan p = plan();
  EXPECT_EQ(variable(p, "APP_A"), "1");
  EXPECT_EQ(variable(p, "APP_B"), "3=4");
  EXPECT_EQ(variable(p, "LD_LIBRARY_PATH"), "/opt/x");
}

TEST_F(Environment, VariablesOfTheLoaderAreNotKept) {
  host.set("LD_PRELOAD", "/x.so");
  host.set("LD_DEBUG", "all");
  set(Key::environment_keep, "L*");
  EXPECT_EQ(variable(plan(), "LD_DEBUG"), "unset");
  set(Key::environment_keep, "LD_PRELOAD");
  EXPECT_THAT(fault(), HasSubstr("LD_PRELOAD"));
}

TEST_F(Environment, VariablesThatSboxSetsAreNotTheCallers) {
  host.set("XDG_RUNTIME_DIR", "/run/user/1000");
  host.set("DISPLAY", ":0");
  set(Key::environment_keep, "DISP*");
  EXPECT_EQ(variable(plan(), "DISPLAY"), "unset");
}

TEST_F(Environment, ControlCharactersAreDroppedOrRefused) {
  host.set("LANG", "de\n");
  host.set("APP", "a\033b");
  EXPECT_EQ(variable(plan(), "LANG"), "unset");
  set(Key::environment_keep, "APP");
  EXPECT_THAT(fault(), HasSubstr("control characters"));
}

class LandlockRules : public System {
 protected:
  static uint64_t access(const Plan& plan, const std::string& path) {
    for (const LandlockRule& rule : plan.landlock.rules) {
      if (rule.path == path) return rule.access;
    }
    return 0;
  }
  static constexpr uint64_t kExecute = 1, kWrite = 2, kRead = 4, kReadDirectory = 8, kMakeFile = 1 << 8,
                            kMakeDevice = 1 << 6 | 1 << 11, kDeviceIoctl = 1 << 15;
};

TEST_F(LandlockRules, FollowTheAbiOfTheKernel) {
  constexpr std::pair<uint32_t, uint64_t> kHandled[] = {{0, 0},      {1, 0x1fff}, {2, 0x3fff}, {3, 0x7fff},
                                                        {4, 0x7fff}, {5, 0xffff}, {6, 0xffff}, {9, 0xffff}};
  for (auto [abi, handled] : kHandled) {
    host.set_landlock(abi);
    Plan p = plan();
    EXPECT_EQ(p.landlock.abi, abi);
    EXPECT_EQ(p.landlock.handled, handled) << abi;
    EXPECT_EQ(p.landlock.scoped, abi >= 6 ? 3u : 0u) << abi;
    for (const LandlockRule& rule : p.landlock.rules) EXPECT_EQ(rule.access & ~handled, 0u) << rule.path;
  }
}

TEST_F(LandlockRules, TheRootCanOnlyBeListed) { EXPECT_EQ(access(plan(), "/"), kReadDirectory); }

TEST_F(LandlockRules, WhatARuleAboveGivesIsNotSaidAgain) {
  host.file("/etc/profile", "", 0);
  host.file("/data/a/f");
  set(Key::files_read_write, "/data");
  set(Key::files_hide, "/data/a");
  set(Key::files_read_only, "/data/a/f");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a/f"), "ro");
  EXPECT_EQ(access(p, "/data/a/f"), 0u);
}

TEST_F(LandlockRules, GiveWhatTheMountsGive) {
  host.directory("/data/rw");
  host.file("/data/file");
  set(Key::files_read_write, "/data/rw");
  set(Key::files_read_only, "/data/file");
  Plan p = plan();
  EXPECT_EQ(access(p, "/usr"), kExecute | kRead | kReadDirectory);
  EXPECT_EQ(access(p, "/data/rw") & (kWrite | kMakeFile), kWrite | kMakeFile);
  EXPECT_EQ(access(p, "/data/file"), kExecute | kRead);
  EXPECT_EQ(access(p, "/dev/null") & kDeviceIoctl, kDeviceIoctl);
  EXPECT_EQ(access(p, "/etc"), kExecute | kRead | kReadDirectory);
  for (const LandlockRule& rule : p.landlock.rules) EXPECT_EQ(rule.access & kMakeDevice, 0u) << rule.path;
}

}  // namespace
}  // namespace sbox::testing
