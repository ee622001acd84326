// Display, sound, bus, looks, devices: what is taken from the session.
#include "plan/bus_rules.h"
#include "plan/xauthority.h"
#include "planning.h"

namespace sbox::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class Session : public Planning {
 protected:
  Session() { set(Key::seccomp_mode, "none"); }
};

class Display : public Session {
 protected:
  Display() {
    host.socket("/run/user/1000/wayland-7");
    host.socket("/tmp/.X11-unix/X3", 0);
  }
};

TEST_F(Display, TheWaylandSocketHasAFixedNameInside) {
  host.set("WAYLAND_DISPLAY", "wayland-7");
  set(Key::display_wayland, "yes");
  Plan p = plan();
  EXPECT_EQ(find(p, "/run/user/1000/wayland-0")->source, "/run/user/1000/wayland-7");
  EXPECT_EQ(variable(p, "WAYLAND_DISPLAY"), "wayland-0");
  EXPECT_EQ(what(p, "/tmp/.X11-unix/X3"), "none");
}

TEST_F(Display, ACompositorThatCanTellSandboxedClientsIsAskedTo) {
  host.set("WAYLAND_DISPLAY", "wayland-7");
  set(Key::display_wayland, "yes");
  host.set_compositor(true);
  Plan p = plan();
  EXPECT_EQ(what(p, "/run/user/1000/wayland-0"), "socket");
  EXPECT_EQ(variable(p, "WAYLAND_DISPLAY"), "wayland-0");
  ASSERT_EQ(p.helpers.size(), 1u);
  const Helper& helper = p.helpers[0];
  EXPECT_EQ(helper.node, "/run/user/1000/wayland-0");
  EXPECT_THAT(helper.argv, ElementsAre("/sbox-wayland", "{ready}", "/server", "local.sbox.test", "local.sbox.test"));
  std::vector<std::string> sources;
  for (const Node& node : helper.nodes) {
    if (node.kind == NodeKind::bind) sources.push_back(node.source);
  }
  EXPECT_THAT(sources, UnorderedElementsAre("/usr/local/libexec/sbox/sbox-wayland", "/run/user/1000/wayland-7"));
}

TEST_F(Display, ACompositorThatDoesNotAnswerIsNone) {
  host.set("WAYLAND_DISPLAY", "wayland-7");
  set(Key::display_wayland, "yes");
  host.set_compositor(std::nullopt);
  EXPECT_THAT(fault(), HasSubstr("no display"));
  set(Key::display_x11, "fallback");
  host.set("DISPLAY", ":3");
  EXPECT_EQ(what(plan(), "/tmp/.X11-unix/X3"), "ro");
}

// Toolkits choose by it, and it may speak of a server that is not in the sandbox, or of the terminal of the session.
TEST_F(Display, TheTypeOfTheSessionIsThatOfTheServerInside) {
  for (const char* outside : {"tty", "x11", "wayland"}) {
    host.set("XDG_SESSION_TYPE", outside);
    host.set("DISPLAY", ":3");
    set(Key::display_x11, "fallback");
    set(Key::display_wayland, "yes");
    host.set("WAYLAND_DISPLAY", "wayland-7");
    EXPECT_EQ(variable(plan(), "XDG_SESSION_TYPE"), "wayland");
    host.set("WAYLAND_DISPLAY", "");
    EXPECT_EQ(variable(plan(), "XDG_SESSION_TYPE"), "x11");
    set(Key::display_wayland, "no");
    set(Key::display_x11, "no");
    EXPECT_EQ(variable(plan(), "XDG_SESSION_TYPE"), "unset");
  }
}

class NestedX11 : public Display {
 protected:
  NestedX11() {
    host.set("DISPLAY", ":3");
    set(Key::display_x11, "nested");
  }
  static std::vector<std::string> targets(const Helper& helper) {
    std::vector<std::string> found;
    for (const Node& node : helper.nodes) found.push_back(node.target);
    return found;
  }
};

TEST_F(NestedX11, IsAServerOfTheSandboxAndNotTheSession) {
  host.program("/usr/bin/Xephyr");
  Plan p = plan();
  EXPECT_EQ(what(p, "/tmp/.X11-unix/X3"), "none");
  EXPECT_EQ(what(p, "/tmp/.X11-unix/X0"), "socket");
  EXPECT_EQ(variable(p, "DISPLAY"), ":0");
  ASSERT_EQ(p.helpers.size(), 1u);
  const Helper& helper = p.helpers[0];
  EXPECT_EQ(helper.node, "/tmp/.X11-unix/X0");
  EXPECT_EQ(helper.argv[0], "/usr/bin/Xephyr");
  EXPECT_THAT(helper.environment, IsSupersetOf({"DISPLAY=:3", "LISTEN_FDS=1", "LISTEN_PID=1"}));
  EXPECT_THAT(targets(helper), Contains("/tmp/.X11-unix/X3"));
  EXPECT_THAT(targets(helper), Not(Contains(HasSubstr("/home"))));
}

TEST_F(NestedX11, ShareACookieOfTheirOwn) {
  host.program("/usr/bin/Xephyr");
  Plan p = plan();
  const Node* cookie = find(p, "/run/user/1000/Xauthority");
  ASSERT_TRUE(cookie);
  const std::vector<Node>& nodes = p.helpers[0].nodes;
  EXPECT_TRUE(std::any_of(nodes.begin(), nodes.end(), [&](const Node& n) { return n.content == cookie->content; }));
}

TEST_F(NestedX11, IsAWindowOfTheCompositorWhereThereIsOne) {
  host.program("/usr/bin/Xephyr");
  host.program("/usr/bin/Xwayland");
  host.set("WAYLAND_DISPLAY", "wayland-7");
  Plan p = plan();
  EXPECT_EQ(p.helpers.at(0).argv[0], "/usr/bin/Xwayland");
  EXPECT_THAT(targets(p.helpers[0]), Contains("/run/wayland-0"));
  EXPECT_EQ(what(p, "/run/user/1000/wayland-0"), "none");
  EXPECT_EQ(variable(p, "WAYLAND_DISPLAY"), "unset");
}

TEST_F(NestedX11, WithoutAServerToStartOrADisplayIsRefused) {
  EXPECT_THAT(fault(), HasSubstr("install xserver-xephyr"));
  host.set("WAYLAND_DISPLAY", "wayland-7");
  EXPECT_THAT(fault(), HasSubstr("install xwayland"));
  host.set("WAYLAND_DISPLAY", "");
  host.set("DISPLAY", "");
  EXPECT_THAT(fault(), HasSubstr("no display"));
}

TEST_F(Display, AWaylandSocketOfAnotherUserIsRefused) {
  host.socket("/scratch/wayland", kStranger);
  host.set("WAYLAND_DISPLAY", "/scratch/wayland");
  set(Key::display_wayland, "yes");
  EXPECT_THAT(fault(), HasSubstr("belongs to another user"));
}

TEST_F(Display, WithoutAnyTheStartIsRefusedUnlessItIsOptional) {
  set(Key::display_wayland, "yes");
  set(Key::display_x11, "fallback");
  EXPECT_THAT(fault(), HasSubstr("no display"));
  set(Key::profile_optional, "display");
  EXPECT_EQ(fault(), "");
}

TEST_F(Display, ThatIsNamedAndOutOfReachIsNoneWhereItIsOptional) {
  set(Key::display_wayland, "yes");
  set(Key::display_x11, "yes");
  host.set("DISPLAY", "localhost:10.0");
  EXPECT_THAT(fault(), HasSubstr("DISPLAY=localhost:10.0: is not a display of this machine"));
  host.set("WAYLAND_DISPLAY", "wayland-7");
  host.set("XDG_RUNTIME_DIR", "");
  EXPECT_THAT(fault(), HasSubstr("XDG_RUNTIME_DIR is not set (start it from a desktop session)"));
  set(Key::profile_optional, "display");
  EXPECT_EQ(fault(), "");
}

TEST_F(Display, X11AsFallbackOnlyServesWhereWaylandDoesNot) {
  host.set("DISPLAY", ":3");
  set(Key::display_wayland, "yes");
  set(Key::display_x11, "fallback");
  EXPECT_EQ(what(plan(), "/tmp/.X11-unix/X3"), "ro");
  host.set("WAYLAND_DISPLAY", "wayland-7");
  Plan p = plan();
  EXPECT_EQ(what(p, "/tmp/.X11-unix/X3"), "none");
  EXPECT_EQ(variable(p, "DISPLAY"), "unset");
}

TEST_F(Display, OnlyTheOneCookieIsInside) {
  XauthorityEntry ours{XauthorityEntry::kLocal, "workshop", "3", "MIT-MAGIC-COOKIE-1", "ours"};
  XauthorityEntry other{XauthorityEntry::kLocal, "workshop", "0", "MIT-MAGIC-COOKIE-1", "other"};
  host.file("/home/ann/.Xauthority", write_xauthority({other, ours}), kAnn, 0600);
  host.set("DISPLAY", "unix:3.0");
  set(Key::display_x11, "yes");
  Plan p = plan();
  const Node* file = find(p, "/run/user/1000/Xauthority");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->mode, 0600u);
  XauthorityEntry inside{XauthorityEntry::kWild, "", "3", "MIT-MAGIC-COOKIE-1", "ours"};
  EXPECT_EQ(parse_xauthority(file->content), std::vector<XauthorityEntry>{inside});
  EXPECT_EQ(variable(p, "XAUTHORITY"), "/run/user/1000/Xauthority");
  EXPECT_EQ(variable(p, "DISPLAY"), ":3");
  EXPECT_EQ(what(p, "/home/ann/.Xauthority"), "none");
}

TEST_F(Display, OnTheHostsNetworkItHasANumberThatNoAbstractSocketHas) {
  XauthorityEntry ours{XauthorityEntry::kLocal, "workshop", "3", "MIT-MAGIC-COOKIE-1", "ours"};
  host.file("/home/ann/.Xauthority", write_xauthority({ours}), kAnn, 0600);
  host.socket("/tmp/.X11-unix/X1003", 0);
  host.set("DISPLAY", ":3");
  set(Key::display_x11, "yes");
  set(Key::network_mode, "host");
  Plan p = plan();
  EXPECT_EQ(variable(p, "DISPLAY"), ":1004");
  EXPECT_EQ(find(p, "/tmp/.X11-unix/X1004")->source, "/tmp/.X11-unix/X3");
  EXPECT_EQ(parse_xauthority(find(p, "/run/user/1000/Xauthority")->content)->front().number, "1004");
}

TEST_F(Display, WithoutACookieThereIsNoFileOfCookies) {
  host.set("DISPLAY", ":3");
  set(Key::display_x11, "yes");
  Plan p = plan();
  EXPECT_EQ(what(p, "/run/user/1000/Xauthority"), "none");
  EXPECT_EQ(variable(p, "XAUTHORITY"), "unset");
}

TEST_F(Display, ADamagedFileOfCookiesRefusesTheStart) {
  host.file("/home/ann/.Xauthority", "junk");
  host.set("DISPLAY", ":3");
  set(Key::display_x11, "yes");
  EXPECT_THAT(fault(), HasSubstr("not a file of X11 cookies"));
}

TEST_F(Display, OtherMachinesAndBadNamesAreRefused) {
  set(Key::display_x11, "yes");
  for (const char* name : {"server:3", "localhost:10.0", ":x", ":", "3", ":3.x", ":999999", "unix/:3", ":-3"}) {
    host.set("DISPLAY", name);
    EXPECT_THAT(fault(), HasSubstr("DISPLAY=")) << name;
  }
}

TEST_F(Display, AnXServerOfAnotherUserIsRefused) {
  host.socket("/tmp/.X11-unix/X4", kStranger);
  host.set("DISPLAY", ":4");
  set(Key::display_x11, "yes");
  EXPECT_THAT(fault(), HasSubstr("belongs to another user"));
}

TEST_F(Session, WhoMayPlayGetsARelayAndNoSocketOfTheServers) {
  host.socket("/run/user/1000/pulse/native");
  host.socket("/run/user/1000/pipewire-0");
  host.file("/home/ann/.config/pulse/cookie");
  set(Key::audio_playback, "yes");
  Plan p = plan();
  for (const char* path : {"/run/user/1000/pipewire-0", "/home/ann/.config/pulse/cookie"}) {
    EXPECT_EQ(what(p, path), "none") << path;
  }
  EXPECT_EQ(what(p, "/run/user/1000/pulse/native"), "socket");
  EXPECT_EQ(variable(p, "PULSE_SERVER"), "unix:/run/user/1000/pulse/native");
  ASSERT_EQ(p.helpers.size(), 1u);
  const Helper& relay = p.helpers[0];
  EXPECT_THAT(relay.argv, ElementsAre("/sbox-sound", "{ready}", "/server"));
  EXPECT_EQ(relay.node, "/run/user/1000/pulse/native");
  EXPECT_FALSE(relay.filters.empty());
  std::vector<std::string> sources;
  for (const Node& node : relay.nodes) {
    if (node.kind == NodeKind::bind) sources.push_back(node.source);
  }
  EXPECT_THAT(sources, UnorderedElementsAre("/usr/local/libexec/sbox/sbox-sound", "/run/user/1000/pulse/native"));
}

TEST_F(Session, WhoMayRecordGetsTheSocketsAtFixedNames) {
  host.socket("/run/user/1000/pulse/native");
  host.socket("/run/user/1000/pipewire-0");
  set(Key::audio_record, "yes");
  Plan p = plan();
  EXPECT_TRUE(p.helpers.empty());
  EXPECT_EQ(what(p, "/run/user/1000/pulse/native"), "ro");
  EXPECT_EQ(what(p, "/run/user/1000/pipewire-0"), "ro");
  EXPECT_EQ(variable(p, "PULSE_SERVER"), "unix:/run/user/1000/pulse/native");
}

TEST_F(Session, SoundThatIsMissingOrNotOursIsNone) {
  host.socket("/scratch/pulse", kStranger);
  set(Key::audio_playback, "yes");
  for (const char* server : {"tcp:host:4713", "unix:/scratch/pulse", "unix:/none"}) {
    host.set("PULSE_SERVER", server);
    Plan p = plan();
    EXPECT_TRUE(p.helpers.empty()) << server;
    EXPECT_EQ(variable(p, "PULSE_SERVER"), "unset");
  }
}

TEST_F(Session, LooksAreReadOnlyAndGiveWayToTheProfile) {
  host.directory("/home/ann/.fonts");
  host.directory("/home/ann/.icons");
  host.file("/home/ann/.config/gtk-3.0/settings.ini");
  for (Key key : {Key::desktop_fonts, Key::desktop_icons, Key::desktop_themes}) set(key, "yes");
  set(Key::files_hide, "~/.icons");
  set(Key::home_keep, "~/.fonts");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.fonts"), "rw");
  EXPECT_EQ(what(p, "/home/ann/.icons"), "none");
  EXPECT_EQ(what(p, "/home/ann/.config/gtk-3.0/settings.ini"), "ro");
}

TEST_F(Session, LooksBehindALinkThatAProgramCouldHavePlantedAreLeftOut) {
  host.file("/home/ann/.ssh/id");
  host.directory("/home/ann/app");
  host.link("/home/ann/.themes", "app/themes");
  host.link("/home/ann/app/themes", "../.ssh");
  set(Key::desktop_themes, "yes");
  set(Key::home_keep, "~/app");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.ssh"), "none");
  EXPECT_EQ(what(p, "/home/ann/.themes"), "none");
}

class Bus : public Session {
 protected:
  Bus() {
    host.program("/usr/bin/xdg-dbus-proxy");
    host.socket("/run/user/1000/bus");
  }
  // What the portals read of the proxy.
  static std::string identity(const Plan& plan) {
    for (const Node& node : plan.helpers.at(0).nodes) {
      if (node.target == "/.flatpak-info") return node.content;
    }
    return "";
  }
};

TEST_F(Bus, IsFilteredByTheProxy) {
  set(Key::dbus_session, "filtered");
  set(Key::dbus_talk, "org.example.*");
  set(Key::dbus_own, "org.mine");
  set(Key::dbus_see, "org.seen");
  set(Key::dbus_call, "org.portal=org.portal.Open@/x");
  Plan p = plan();
  ASSERT_EQ(p.helpers.size(), 1u);
  EXPECT_THAT(p.helpers[0].argv,
              ElementsAre("/sbox-bus", "{ready}", "/usr/bin/xdg-dbus-proxy", "--", "session", "unix:path=/run/bus",
                          "bus", "--filter", "--log", "--see=org.seen", "--talk=org.example.*", "--own=org.mine",
                          "--call=org.portal=org.portal.Open@/x"));
  EXPECT_TRUE(p.helpers[0].log);
  EXPECT_EQ(p.helpers[0].node, "/run/user/1000");
  Plan seen;
  seen.nodes = p.helpers[0].nodes;
  EXPECT_EQ(what(seen, "/run/bus"), "ro");
  EXPECT_EQ(what(seen, "/.flatpak-info"), "none");
  for (const char* path : {"/home/ann", "/run/user/1000", "/tmp", "/etc", "/proc"})
    EXPECT_EQ(what(seen, path), "none") << path;
  EXPECT_FALSE(p.helpers[0].filters.empty());
  EXPECT_EQ(variable(p, "DBUS_SESSION_BUS_ADDRESS"), "unix:path=/run/user/1000/bus");
  EXPECT_EQ(what(p, "/run/user/1000/bus"), "none");
}

TEST_F(Bus, WithoutALogIsServedByTheProxyAlone) {
  set(Key::dbus_session, "filtered");
  set(Key::dbus_log, "no");
  Plan p = plan();
  EXPECT_THAT(p.helpers.at(0).argv,
              ElementsAre("/usr/bin/xdg-dbus-proxy", "--fd={ready}", "unix:path=/run/bus", "bus", "--filter"));
  EXPECT_FALSE(p.helpers[0].log);
  Plan seen;
  seen.nodes = p.helpers[0].nodes;
  EXPECT_EQ(what(seen, "/sbox-bus"), "none");
}

TEST_F(Bus, NotificationsImplyTheFilteredOne) {
  set(Key::desktop_notifications, "yes");
  Plan p = plan();
  ASSERT_EQ(p.helpers.size(), 1u);
  const std::string name = "org.freedesktop.Notifications";
  EXPECT_THAT(p.helpers[0].argv, Contains("--call=" + name + "=" + name + ".Notify"));
  EXPECT_THAT(p.helpers[0].argv, Contains("--broadcast=" + name + "=" + name + ".ActionInvoked"));
  EXPECT_THAT(p.helpers[0].argv, Not(Contains(HasSubstr(name + ".*"))));
  EXPECT_THAT(p.helpers[0].argv, Not(Contains(HasSubstr("--talk"))));
}

TEST(BusRules, AllowWhatTheyName) {
  auto allows = [](const char* policy, const char* text, const char* method, const char* path) {
    return BusRule{policy, text, {}}.allows("org.a.B", method, path);
  };
  EXPECT_TRUE(allows("talk", "org.a.B", "x.Y", "/"));
  EXPECT_TRUE(allows("talk", "org.a.*", "x.Y", "/"));
  EXPECT_FALSE(allows("see", "org.a.B", "x.Y", "/"));
  EXPECT_FALSE(allows("talk", "org.a.C", "x.Y", "/"));
  EXPECT_TRUE(allows("call", "org.a.B=x.Y", "x.Y", "/"));
  EXPECT_FALSE(allows("call", "org.a.B=x.Y", "x.Z", "/"));
  EXPECT_TRUE(allows("call", "org.a.B=x.*", "x.Z", "/"));
  EXPECT_FALSE(allows("call", "org.a.B=x.*", "xy.Z", "/"));
  EXPECT_TRUE(allows("call", "org.a.B=*", "x.Z", "/"));
  EXPECT_TRUE(allows("call", "org.a.B=x.*@/a", "x.Z", "/a"));
  EXPECT_FALSE(allows("call", "org.a.B=x.*@/a", "x.Z", "/a/b"));
  EXPECT_TRUE(allows("call", "org.a.B=@/a/*", "x.Z", "/a/b"));
  EXPECT_FALSE(allows("call", "org.a.B=@/a/*", "x.Z", "/b"));
}

TEST_F(Bus, PortalsKnowTheProgramByTheNameInTheRootOfTheProxy) {
  set(Key::desktop_portals, "yes");
  Plan p = plan();
  ASSERT_EQ(p.helpers.size(), 1u);
  EXPECT_THAT(p.helpers[0].argv, Contains("--talk=org.freedesktop.portal.Desktop"));
  EXPECT_THAT(p.helpers[0].argv, Not(Contains(HasSubstr("portal.*"))));
  ASSERT_NE(identity(p), "");
  EXPECT_THAT(identity(p), HasSubstr("[Application]\nname=local.sbox.test\n"));
  EXPECT_THAT(identity(p), Not(HasSubstr("shared=network")));
  EXPECT_EQ(variable(p, "GTK_USE_PORTAL"), "1");
  EXPECT_EQ(variable(p, "GIO_USE_PROXY_RESOLVER"), "dummy");
  EXPECT_EQ(what(p, "/.flatpak-info"), "none");
  host.program("/usr/bin/pasta");
  host.node("/dev/net/tun", FileKind::character_device);
  set(Key::network_mode, "private");
  EXPECT_THAT(identity(plan()), Not(HasSubstr("shared=network")));
  EXPECT_EQ(variable(plan(), "GIO_USE_NETWORK_MONITOR"), "netlink");
  set(Key::network_mode, "host");
  EXPECT_EQ(variable(plan(), "GIO_USE_PROXY_RESOLVER"), "unset");
  set(Key::desktop_app_id, "org.example.My-App");
  EXPECT_THAT(identity(plan()), HasSubstr("name=org.example.My-App\n"));
  EXPECT_THAT(identity(plan()), HasSubstr("shared=network;"));
  for (const char* bad : {"short", "org.example", "org.my-example.x", "org..x", "org.example.1x", "/a.b.c"}) {
    set(Key::desktop_app_id, bad);
    EXPECT_THAT(fault(), HasSubstr("app-id")) << bad;
  }
}

TEST_F(Bus, TheDocumentsOfThisApplicationAreThereWhereTheirPortalRuns) {
  set(Key::desktop_portals, "yes");
  EXPECT_EQ(what(plan(), "/run/user/1000/doc"), "none");
  host.directory("/run/user/1000/doc/by-app/local.sbox.test");
  EXPECT_EQ(what(plan(), "/run/user/1000/doc"), "rw");
  set(Key::desktop_portals, "no");
  EXPECT_EQ(what(plan(), "/run/user/1000/doc"), "none");
}

TEST_F(Bus, MayHaveAnAbstractAddress) {
  host.set("DBUS_SESSION_BUS_ADDRESS", "tcp:host=x;unix:abstract=/tmp/dbus-x,guid=12");
  set(Key::dbus_session, "filtered");
  EXPECT_THAT(plan().helpers[0].argv, Contains("unix:abstract=/tmp/dbus-x"));
  set(Key::dbus_session, "full");
  EXPECT_THAT(fault(), HasSubstr("abstract"));
}

TEST_F(Bus, ThatIsMissingOrNotOursIsNone) {
  set(Key::dbus_session, "filtered");
  host.socket("/scratch/bus", kStranger);
  for (const char* address :
       {"unix:path=/none", "unix:path=/scratch/bus", "tcp:host=x,port=1", "unix:path=/run/user/1000/%62us"}) {
    host.set("DBUS_SESSION_BUS_ADDRESS", address);
    Plan p = plan();
    EXPECT_TRUE(p.helpers.empty()) << address;
    EXPECT_EQ(variable(p, "DBUS_SESSION_BUS_ADDRESS"), "unset");
  }
}

TEST_F(Bus, AMissingProxyRefusesTheStart) {
  host.remove("/usr/bin/xdg-dbus-proxy");
  set(Key::dbus_session, "filtered");
  EXPECT_THAT(fault(), HasSubstr("install xdg-dbus-proxy"));
  set(Key::profile_optional, "dbus");
  EXPECT_TRUE(plan().helpers.empty());
}

TEST_F(Bus, AProxyThatOthersCouldHaveWrittenIsNone) {
  host.file("/usr/bin/xdg-dbus-proxy", "", kStranger, 0755);
  set(Key::dbus_session, "filtered");
  EXPECT_THAT(fault(), HasSubstr("install xdg-dbus-proxy"));
}

TEST_F(Bus, TheInnerSideOfPortalsIsNeverAllowed) {
  set(Key::dbus_session, "filtered");
  for (const char* rule :
       {"org.freedesktop.impl.portal.PermissionStore", "org.freedesktop.impl.*", "org.freedesktop.*"}) {
    set(Key::dbus_talk, "");
    set(Key::dbus_talk, rule);
    EXPECT_THAT(fault(), HasSubstr("inner side")) << rule;
  }
}

TEST_F(Bus, TheFullOneIsBound) {
  set(Key::dbus_session, "full");
  Plan p = plan();
  EXPECT_EQ(what(p, "/run/user/1000/bus"), "ro");
  EXPECT_TRUE(p.helpers.empty());
}

class Devices : public Session {
 protected:
  Devices() {
    for (const char* path : {"/dev/dri/renderD128", "/dev/dri/card0", "/dev/video0", "/dev/input/event0", "/dev/kvm",
                             "/dev/snd/pcm0", "/dev/ttyUSB0", "/dev/mem", "/dev/bus/usb/001/002"}) {
      host.node(path, FileKind::character_device);
    }
    host.node("/dev/sda", FileKind::block_device);
    host.directory("/sys/devices/pci0/gpu", 0);
    host.link("/sys/devices/pci0/gpu/drm/renderD128/device", "../..", 0);
    host.link("/sys/class/drm/renderD128", "../../devices/pci0/gpu/drm/renderD128", 0);
  }
};

TEST_F(Devices, AreNoneByDefault) {
  Plan p = plan();
  for (const char* path : {"/dev/dri/renderD128", "/dev/video0", "/dev/kvm", "/sys", "/sys/class/drm"}) {
    EXPECT_EQ(what(p, path), "none") << path;
  }
  EXPECT_TRUE(find(p, "/dev/null")->device);
}

TEST_F(Devices, TheGpuIsItsRenderNodesAndTheirSys) {
  set(Key::devices_gpu, "yes");
  Plan p = plan();
  EXPECT_TRUE(find(p, "/dev/dri/renderD128")->device);
  EXPECT_EQ(what(p, "/dev/dri/card0"), "none");
  EXPECT_EQ(what(p, "/sys/class/drm"), "ro");
  EXPECT_EQ(what(p, "/sys/devices/pci0/gpu"), "ro");
  EXPECT_EQ(what(p, "/sys/class"), "directory");
}

TEST_F(Devices, EachSettingHasItsNodes) {
  for (Key key : {Key::devices_camera, Key::devices_input, Key::devices_kvm, Key::devices_usb}) set(key, "yes");
  Plan p = plan();
  for (const char* path : {"/dev/video0", "/dev/input/event0", "/dev/kvm", "/dev/bus/usb/001/002"}) {
    EXPECT_EQ(what(p, path), "ro") << path;
  }
}

TEST_F(Devices, AllowTakesNodesAndDirectoriesOfNodes) {
  host.link("/dev/serial/by-id/usb", "../../ttyUSB0", 0);
  for (const char* path : {"/dev/serial/by-id/usb", "/dev/snd", "/dev/none"}) set(Key::devices_allow, path);
  Plan p = plan();
  EXPECT_EQ(what(p, "/dev/serial/by-id/usb"), "symlink");
  EXPECT_EQ(what(p, "/dev/ttyUSB0"), "ro");
  EXPECT_EQ(what(p, "/dev/snd/pcm0"), "ro");
}

TEST_F(Devices, LinksLeadToNoOtherThanTheirNamesMay) {
  host.link("/dev/alias", "mem", 0);
  host.link("/dev/out", "/srv/device", 0);
  host.node("/srv/device", FileKind::character_device);
  for (const auto& [path, why] : {std::pair("/dev/alias", "is the machine"), {"/dev/out", "leads out of /dev"}}) {
    profile = Profile();
    set(Key::devices_allow, path);
    EXPECT_THAT(fault(), HasSubstr(why)) << path;
  }
}

TEST_F(Devices, MemoryDisksAndWhatIsNoDeviceAreRefused) {
  host.file("/dev/data");
  for (const char* path : {"/dev/mem", "/dev/sda", "/dev/data"}) {
    profile = Profile();
    set(Key::devices_allow, path);
    EXPECT_THAT(fault(), HasSubstr("device ")) << path;
  }
}

}  // namespace
}  // namespace sbox::testing
