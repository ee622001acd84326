// What of a plan is in its bundle, and what refuses.
#include "oci/bundle.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "../plan/planning.h"
#include "../plan/shipped.h"
#include "base/strings.h"

namespace sbox::testing {
namespace {

using nlohmann::ordered_json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

class Bundles : public Planning {
 protected:
  Bundle bundle() {
    Plan made = plan();
    asked.policy = planned_policy(profile, "x86_64");
    asked.accepts_abstract_sockets = profile.is_optional("abstract-sockets");
    return make_bundle(made, asked);
  }
  ordered_json config() { return ordered_json::parse(bundle().config); }

  std::string refusal() {
    try {
      bundle();
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_status(), kExitFailure);
      EXPECT_THAT(error.line(), StartsWith("sbox: export "));
      return error.line();
    }
    return "";
  }

  static ordered_json mount_at(const ordered_json& config, const std::string& destination) {
    for (const ordered_json& mount : config["mounts"]) {
      if (mount["destination"] == destination) return mount;
    }
    return {};
  }
  static std::vector<std::string> options(const ordered_json& config, const std::string& destination) {
    return mount_at(config, destination).value("options", std::vector<std::string>());
  }
  static const BundleFile* file(const Bundle& bundle, const std::string& path) {
    for (const BundleFile& file : bundle.files) {
      if (file.path == path) return &file;
    }
    return nullptr;
  }

  BundleRequest asked{.directory = "/home/ann/bundle"};
};

TEST_F(Bundles, StartTheProgramWithoutAnyPrivilege) {
  request.arguments = {"a", "b c"};
  ordered_json made = config(), process = made["process"];
  EXPECT_EQ(process["args"], (std::vector<std::string>{"/usr/bin/true", "a", "b c"}));
  EXPECT_EQ(process["noNewPrivileges"], true);
  for (const char* set : {"bounding", "effective", "inheritable", "permitted", "ambient"}) {
    EXPECT_TRUE(process["capabilities"][set].is_array() && process["capabilities"][set].empty()) << set;
  }
  EXPECT_EQ(process["user"]["uid"], kAnn);
  EXPECT_EQ(process["user"]["gid"], kAnn);
  ordered_json map = {{{"containerID", kAnn}, {"hostID", kAnn}, {"size", 1}}};
  EXPECT_EQ(made["linux"]["uidMappings"], map);
  EXPECT_EQ(made["linux"]["gidMappings"], map);
  EXPECT_EQ(made["root"]["readonly"], true);
  EXPECT_EQ(made["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO");
}

TEST_F(Bundles, HaveANamespaceOfEachKind) {
  std::vector<std::string> types;
  ordered_json made = config();
  for (const ordered_json& each : made["linux"]["namespaces"]) types.push_back(each["type"]);
  EXPECT_THAT(types, ElementsAre("user", "mount", "pid", "ipc", "uts", "cgroup", "network"));
}

TEST_F(Bundles, ShowDirectoriesWithTheFlagsOfThePlanAllTheWayDown) {
  host.directory("/home/ann/read");
  host.directory("/home/ann/write");
  set(Key::files_read_only, "/home/ann/read");
  set(Key::files_read_write, "/home/ann/write");
  ordered_json made = config();
  EXPECT_EQ(mount_at(made, "/home/ann/read")["source"], "/home/ann/read");
  EXPECT_THAT(options(made, "/home/ann/read"),
              ElementsAre("rbind", "rprivate", "nosuid", "nodev", "ro", "rnosuid", "rnodev", "rro"));
  EXPECT_THAT(options(made, "/home/ann/write"),
              ElementsAre("rbind", "rprivate", "nosuid", "nodev", "rnosuid", "rnodev"));
}

TEST_F(Bundles, BringWhatIsMountedBelowADirectoryBeforeWhatIsHiddenInIt) {
  host.directory("/home/ann/all/mounted/secret");
  set(Key::files_read_only, "/home/ann/all");
  set(Key::files_hide, "/home/ann/all/mounted/secret");
  asked.mount_points = {"/", "/home/ann/all/mounted", "/home/ann/other"};
  ordered_json made = config();
  std::vector<std::string> targets;
  for (const ordered_json& mount : made["mounts"]) {
    if (std::string(mount["destination"]).starts_with("/home/ann/")) targets.push_back(mount["destination"]);
  }
  EXPECT_THAT(targets, ElementsAre("/home/ann/all", "/home/ann/all/mounted", "/home/ann/all/mounted/secret"));
  EXPECT_EQ(options(made, "/home/ann/all/mounted"), options(made, "/home/ann/all"));
}

TEST_F(Bundles, KeepEmptyDirectoriesOfTheRunInMemoryWithTheirLimits) {
  set(Key::home_size, "64M");
  EXPECT_THAT(options(config(), "/home/ann"),
              IsSupersetOf({"nosuid", "nodev", "mode=0700", "size=67108864", "nr_inodes=8192"}));
}

TEST_F(Bundles, HideWithAnEmptyDirectoryThatNobodyMayEnter) {
  host.directory("/home/ann/all/secret");
  host.file("/home/ann/all/key", "");
  set(Key::files_read_write, "/home/ann/all");
  set(Key::files_hide, "/home/ann/all/secret");
  set(Key::files_hide, "/home/ann/all/key");
  Bundle made = bundle();
  ordered_json read = ordered_json::parse(made.config);
  EXPECT_EQ(mount_at(read, "/home/ann/all/secret")["source"], "masks/directory");
  EXPECT_THAT(options(read, "/home/ann/all/secret"), IsSupersetOf({"ro", "nosuid", "nodev", "noexec"}));
  EXPECT_EQ(mount_at(read, "/home/ann/all/key")["source"], "masks/file");
  ASSERT_TRUE(file(made, "masks/directory") && file(made, "masks/file"));
  EXPECT_EQ(file(made, "masks/directory")->mode, 0U);
  EXPECT_EQ(file(made, "masks/file")->mode, 0U);
}

TEST_F(Bundles, ShowWhatIsGrantedBelowWhatIsHidden) {
  host.directory("/home/ann/all/secret/open");
  set(Key::files_read_write, "/home/ann/all");
  set(Key::files_hide, "/home/ann/all/secret");
  set(Key::files_read_only, "/home/ann/all/secret/open");
  Bundle made = bundle();
  std::string mask = mount_at(ordered_json::parse(made.config), "/home/ann/all/secret")["source"];
  ASSERT_TRUE(file(made, mask) && file(made, mask + "/open"));
  EXPECT_EQ(file(made, mask)->mode, 0111U);
}

TEST_F(Bundles, PinWhatLiesBetweenAWritableDirectoryAndWhatIsProtectedInIt) {
  host.directory("/home/ann/all/between/secret");
  set(Key::files_read_write, "/home/ann/all");
  set(Key::files_hide, "/home/ann/all/between/secret");
  ordered_json made = config();
  EXPECT_EQ(mount_at(made, "/home/ann/all/between")["source"], "/home/ann/all/between");
  size_t pin = 0, hide = 0;
  for (size_t i = 0; i < made["mounts"].size(); ++i) {
    if (made["mounts"][i]["destination"] == "/home/ann/all/between") pin = i;
    if (made["mounts"][i]["destination"] == "/home/ann/all/between/secret") hide = i;
  }
  EXPECT_LT(pin, hide);
}

TEST_F(Bundles, HideWhatSboxHidesOfProc) {
  host.file("/proc/kcore", "", 0);
  host.directory("/proc/sys/kernel", 0);
  ordered_json made = config();
  EXPECT_THAT(made["linux"]["maskedPaths"], Contains("/proc/kcore"));
  EXPECT_THAT(made["linux"]["readonlyPaths"], ElementsAre("/proc/sys"));
}

TEST_F(Bundles, BringFilesAndLinksIntoDirectoriesOfTheRun) {
  host.link("/home/ann/Data", "/srv/data");
  host.directory("/srv/data");
  set(Key::files_read_only, "/home/ann/Data");
  Bundle made = bundle();
  ASSERT_TRUE(file(made, "rootfs/home/ann/Data"));
  EXPECT_EQ(file(made, "rootfs/home/ann/Data")->content, "/srv/data");
  EXPECT_THAT(options(ordered_json::parse(made.config), "/home/ann"), Contains("tmpcopyup"));
  EXPECT_THAT(options(ordered_json::parse(made.config), "/var/tmp"), Not(Contains("tmpcopyup")));
  ASSERT_TRUE(file(made, "rootfs/etc/passwd"));
  EXPECT_THAT(file(made, "rootfs/etc/passwd")->content, HasSubstr("ann:x:1000:"));
}

TEST_F(Bundles, NeverFillADirectoryOfTheRunFromTheHost) {
  host.directory("/home/ann/all/scratch");
  set(Key::files_read_write, "/home/ann/all");
  set(Key::files_tmpfs, "/home/ann/all/scratch");
  host.directory("/home/ann/all/scratch/in");
  set(Key::files_read_only, "/home/ann/all/scratch/in");
  EXPECT_THAT(options(config(), "/home/ann/all/scratch"), Not(Contains("tmpcopyup")));
}

TEST_F(Bundles, HoldNoSecretOfTheSession) {
  furnish(host);
  host.unset("WAYLAND_DISPLAY");
  set(Key::display_x11, "yes");
  Bundle made = bundle();
  EXPECT_THAT(made.notes, Contains(HasSubstr("Xauthority")));
  for (const BundleFile& each : made.files) {
    EXPECT_FALSE(each.path.ends_with("Xauthority"));
    EXPECT_EQ(each.content.find("MIT-MAGIC-COOKIE"), std::string::npos) << each.path;
  }
}

TEST_F(Bundles, TellWhatIsLeftOut) {
  furnish(host);
  set(Key::dbus_session, "filtered");
  set(Key::seccomp_log, "no");
  set(Key::dbus_log, "no");
  asked.terminal = true;
  EXPECT_THAT(bundle().notes, ElementsAre(HasSubstr("xdg-dbus-proxy")));
}

TEST_F(Bundles, TellWhatIsNotCoveredAgain) {
  host.file("/home/ann/all/a/key");
  set(Key::files_read_write, "/home/ann/all");
  set(Key::files_hide, "/home/ann/all/a/key");
  set(Key::seccomp_log, "no");
  asked.terminal = true;
  EXPECT_THAT(bundle().notes, ElementsAre(HasSubstr("'/home/ann/all/a/key' is not covered again")));
}

TEST_F(Bundles, OfAPrivateNetworkHaveNone) {
  host.program("/usr/bin/pasta");
  host.node("/dev/net/tun", FileKind::character_device);
  host.file("/etc/resolv.conf", "nameserver 192.0.2.1\n", 0);
  set(Key::network_mode, "private");
  Bundle made = bundle();
  EXPECT_THAT(made.notes, Contains(HasSubstr("no network")));
  EXPECT_THAT(made.config, HasSubstr("\"type\": \"network\""));
}

TEST_F(Bundles, CannotLieWhereTheProgramMayWrite) {
  host.directory("/home/ann/all/below");
  set(Key::files_read_write, "/home/ann/all");
  for (const char* place : {"/home/ann/all", "/home/ann/all/bundle", "/home/ann/all/below/bundle", "/home/ann"}) {
    asked.directory = place;
    EXPECT_THAT(refusal(), HasSubstr("may write")) << place;
  }
  for (const char* place : {"/home/ann/all-others", "/home/ann/bundle", "/srv/bundle"}) {
    asked.directory = place;
    EXPECT_EQ(refusal(), "") << place;
  }
}

TEST_F(Bundles, CarryNoLimitThatSomebodyMustWatch) {
  struct {
    Key key;
    const char* value;
  } const kRows[] = {{Key::limits_memory, "1G"},
                     {Key::limits_cpu, "50%"},
                     {Key::limits_time, "1h"},
                     {Key::limits_nice, "5"},
                     {Key::limits_io_priority, "idle"}};
  for (const auto& row : kRows) {
    profile = Profile();
    set(row.key, row.value);
    EXPECT_THAT(refusal(), HasSubstr("limits.")) << row.value;
  }
}

TEST_F(Bundles, CarryLimitsOfTheProcess) {
  set(Key::limits_open_files, "64");
  EXPECT_THAT(config()["process"]["rlimits"],
              Contains(ordered_json{{"type", "RLIMIT_NOFILE"}, {"soft", 64}, {"hard", 64}}));
}

TEST_F(Bundles, CannotStandInForLandlock) {
  set(Key::network_mode, "host");
  EXPECT_THAT(refusal(), HasSubstr("abstract sockets"));
  for (const char* word : {"tcp :443", "udp"}) set(Key::network_connect, word);
  set(Key::profile_optional, "abstract-sockets");
  EXPECT_THAT(refusal(), HasSubstr("ports"));
  profile = Profile();
  set(Key::process_write_xor_execute, "yes");
  EXPECT_THAT(refusal(), HasSubstr("/proc/self/mem"));
}

TEST_F(Bundles, OfTheHostsNetworkLeaveAbstractSocketsOpenWhereTheProfileAcceptsThat) {
  set(Key::network_mode, "host");
  set(Key::profile_optional, "abstract-sockets");
  Bundle made = bundle();
  EXPECT_THAT(made.notes, Contains(HasSubstr("abstract sockets are in reach")));
  EXPECT_THAT(made.config, Not(HasSubstr("\"type\": \"network\"")));
}

TEST_F(Bundles, KeepUserNamespacesAwayByTheFilterAlone) {
  set(Key::seccomp_allow, "unshare");
  EXPECT_THAT(refusal(), HasSubstr("user namespaces"));
  profile = Profile();
  set(Key::seccomp_mode, "none");
  EXPECT_THAT(refusal(), HasSubstr("user namespaces"));
}

TEST_F(Bundles, OfASandboxThatMayNestDenyWhatLandlockWouldHave) {
  set(Key::process_nested_sandbox, "yes");
  ordered_json made = config();
  for (const ordered_json& rule : made["linux"]["seccomp"]["syscalls"]) {
    std::vector<std::string> names = rule["names"];
    bool is_allowing = rule["action"] == "SCMP_ACT_ALLOW";
    EXPECT_FALSE(is_allowing && std::find(names.begin(), names.end(), "mount") != names.end());
    bool is_denying = !is_allowing && !rule.contains("args");
    EXPECT_FALSE(is_denying && std::find(names.begin(), names.end(), "unshare") != names.end());
  }
}

TEST_F(Bundles, HaveNoRulesFor32BitProgramsAndNoOverlay) {
  set(Key::seccomp_32_bit, "yes");
  EXPECT_THAT(refusal(), HasSubstr("32-bit"));
  profile = Profile();
  set(Key::home_mode, "overlay");
  EXPECT_THAT(refusal(), HasSubstr("copy-on-write"));
}

TEST_F(Bundles, AreOfTheFiltersThatThePlanHas) {
  Plan made = plan();
  asked.policy = planned_policy(profile, "x86_64");
  asked.policy->allow.emplace_back("bpf");
  EXPECT_THROW(make_bundle(made, asked), Error);
  asked.policy = planned_policy(profile, "x86_64");
  made.filters.pop_back();
  EXPECT_THROW(make_bundle(made, asked), Error);
}

TEST_F(Bundles, RefuseWordsThatJsonCannotHold) {
  request.arguments = {"\xff"};
  EXPECT_THAT(refusal(), HasSubstr("UTF-8"));
}

// The bundles of shipped profiles, for a reader of changes. SBOX_ACCEPT_GOLDEN=1 writes them anew.
class GoldenBundle : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, GoldenBundle, ::testing::Values("default", "agent"),
                         [](const auto& one) { return one.param; });

const char* name_of(BundleFile::Kind kind) {
  return kind == BundleFile::Kind::directory ? "directory" : kind == BundleFile::Kind::file ? "file" : "symlink";
}

TEST_P(GoldenBundle, IsTheOneThatWasReviewed) {
  FakeHost host;
  furnish(host);
  Profile profile = read_profile(shipped(), GetParam());
  BundleRequest request{.directory = "/home/ann/bundle",
                        .policy = planned_policy(profile, "x86_64"),
                        .accepts_abstract_sockets = profile.is_optional("abstract-sockets"),
                        .terminal = true};
  Bundle bundle = make_bundle(make_plan(profile, {"true", {}, "", "/usr", false}, host), request);
  ordered_json config = ordered_json::parse(bundle.config), files = ordered_json::array();
  config["linux"].erase("seccomp");  // proved elsewhere
  for (const BundleFile& file : bundle.files) {
    char mode[16];
    snprintf(mode, sizeof mode, "%04o", file.mode);
    files.push_back({{"kind", name_of(file.kind)}, {"path", file.path}, {"mode", mode}});
    if (!file.content.empty()) files.back()["content"] = file.content;
  }
  constexpr int kIndent = 1;
  ordered_json all{{"config", config}, {"files", files}, {"notes", bundle.notes}};
  std::string text = all.dump(kIndent) + "\n", path = top() + "tests/golden/oci/" + GetParam() + ".json";
  if (getenv("SBOX_ACCEPT_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream in(path);
  std::string reviewed{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(text == reviewed) << path << " differs; run again with SBOX_ACCEPT_GOLDEN=1 and look at the change";
}

}  // namespace
}  // namespace sbox::testing
