// The plans of the shipped profiles on the fake host, for a reader of changes. SBOX_ACCEPT_GOLDEN=1 writes them anew.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "plan/json.h"
#include "plan/xauthority.h"
#include "planning.h"
#include "profile/reader.h"

namespace sbox::testing {
namespace {

// Relative to the directory of this source, which the compiler was given relative to the top of the tree.
std::string top() {
  std::string source = __FILE__;
  return source.substr(0, source.rfind("tests/unit/"));
}

// Those of the build, which nobody else can write whatever the umask of the checkout was.
std::string profiles() {
  return std::filesystem::canonical("/proc/self/exe").parent_path().parent_path() / "share/sbox/profiles";
}

SearchPath shipped() { return {{profiles()}}; }

// A desktop with everything that a shipped profile asks for.
void furnish(FakeHost& host) {
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

class GoldenPlan : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, GoldenPlan, ::testing::ValuesIn(list_profiles(shipped())), [](const auto& one) {
  std::string name = one.param;
  for (char& c : name) c = isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

TEST_P(GoldenPlan, IsTheOneThatWasReviewed) {
  FakeHost host;
  furnish(host);
  Plan plan = make_plan(read_profile(shipped(), GetParam()), {"true", {}, "", "/usr", false}, host);
  // The filters have golden files of their own, and the place of the tree is nobody's business.
  plan.filters.clear();
  for (Helper& helper : plan.helpers) helper.filters.clear();
  std::string prefix = profiles() + "/";
  for (Node& node : plan.nodes) {
    if (!node.origin.starts_with(prefix)) continue;
    // Nor is the number of the line: a comment in a profile changes no plan.
    node.origin = node.origin.substr(prefix.size(), node.origin.rfind(':') - prefix.size());
  }
  std::string text = plan_json(plan) + "\n", path = top() + "tests/golden/plans/" + GetParam() + ".json";
  if (getenv("SBOX_ACCEPT_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream in(path);
  std::string reviewed{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(text == reviewed) << path << " differs; run again with SBOX_ACCEPT_GOLDEN=1 and look at the change";
}

}  // namespace
}  // namespace sbox::testing
