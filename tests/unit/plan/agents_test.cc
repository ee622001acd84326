// Services of the session and the machine: agents, printers, cards, input methods, buses, security keys.
#include "plan/seccomp.h"
#include "planning.h"

namespace sbox::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

class Services : public Planning {
 protected:
  Services() { set(Key::seccomp_mode, "none"); }
};

TEST_F(Services, AreNoneByDefault) {
  host.socket("/run/user/1000/agent");
  host.set("SSH_AUTH_SOCK", "/run/user/1000/agent");
  host.socket("/run/user/1000/gnupg/S.gpg-agent.extra");
  for (const char* path : {"/run/cups/cups.sock", "/run/pcscd/pcscd.comm"}) host.socket(path, 0);
  set(Key::environment_keep, "SSH_*");
  Plan p = plan();
  for (const char* path : {"/run/user/1000/ssh-agent", "/run/user/1000/agent", "/run/user/1000/gnupg",
                           "/run/cups/cups.sock", "/run/pcscd/pcscd.comm"}) {
    EXPECT_EQ(what(p, path), "none") << path;
  }
  EXPECT_EQ(variable(p, "SSH_AUTH_SOCK"), "unset");
}

TEST_F(Services, TheSshAgentHasAFixedPlaceInside) {
  host.socket("/tmp/ssh-x/agent.12");
  host.set("SSH_AUTH_SOCK", "/tmp/ssh-x/agent.12");
  set(Key::desktop_ssh_agent, "yes");
  Plan p = plan();
  EXPECT_EQ(what(p, "/run/user/1000/ssh-agent"), "socket");
  ASSERT_EQ(p.helpers.size(), 1u);
  EXPECT_EQ(p.helpers[0].node, "/run/user/1000/ssh-agent");
  EXPECT_THAT(p.helpers[0].argv, ElementsAre("/sbox-ssh-agent", "{ready}", "/server"));
  EXPECT_EQ(p.helpers[0].nodes.back().source, "/tmp/ssh-x/agent.12");
  EXPECT_EQ(find(p, "/run/user/1000/ssh-agent")->origin, "test.profile:2");
  EXPECT_EQ(variable(p, "SSH_AUTH_SOCK"), "/run/user/1000/ssh-agent");
  EXPECT_EQ(what(p, "/tmp/ssh-x"), "none");
}

TEST_F(Services, AnAgentThatIsMissingOrAnotherUsersIsNone) {
  host.socket("/scratch/agent", kStranger);
  host.file("/scratch/file");
  set(Key::desktop_ssh_agent, "yes");
  for (const char* path : {"/scratch/agent", "/scratch/file", "/none", "agent", "", "/run/\x1b"}) {
    host.set("SSH_AUTH_SOCK", path);
    Plan p = plan();
    EXPECT_EQ(what(p, "/run/user/1000/ssh-agent"), "none") << path;
    EXPECT_EQ(variable(p, "SSH_AUTH_SOCK"), "unset");
  }
}

TEST_F(Services, OfGnupgOnlyTheRestrictedSocketAndThePublicKeysAreThere) {
  for (const char* name : {"S.gpg-agent", "S.gpg-agent.extra", "S.gpg-agent.ssh"}) {
    host.socket(std::string("/run/user/1000/gnupg/") + name);
  }
  host.file("/home/ann/.gnupg/pubring.kbx");
  host.file("/home/ann/.gnupg/private-keys-v1.d/key");
  set(Key::desktop_gpg_agent, "yes");
  Plan p = plan();
  EXPECT_EQ(find(p, "/run/user/1000/gnupg/S.gpg-agent")->source, "/run/user/1000/gnupg/S.gpg-agent.extra");
  EXPECT_EQ(find(p, "/run/user/1000/gnupg")->mode, 0700u);
  EXPECT_EQ(what(p, "/home/ann/.gnupg/pubring.kbx"), "ro");
  EXPECT_EQ(find(p, "/home/ann/.gnupg")->kind, NodeKind::directory);
  EXPECT_EQ(what(p, "/home/ann/.gnupg/private-keys-v1.d"), "none");
}

TEST_F(Services, GnupgHasItsSocketsInItsHomeWhereTheSystemMadeNoDirectory) {
  host.remove("/run/user/1000");
  host.unset("XDG_RUNTIME_DIR");
  host.socket("/home/ann/.gnupg/S.gpg-agent.extra");
  set(Key::desktop_gpg_agent, "yes");
  EXPECT_EQ(find(plan(), "/run/user/1000/gnupg/S.gpg-agent")->source, "/home/ann/.gnupg/S.gpg-agent.extra");
  host.set("GNUPGHOME", "/srv/gnupg");
  EXPECT_EQ(what(plan(), "/run/user/1000/gnupg/S.gpg-agent"), "none");
  host.socket("/srv/gnupg/S.gpg-agent.extra");
  EXPECT_EQ(find(plan(), "/run/user/1000/gnupg/S.gpg-agent")->source, "/srv/gnupg/S.gpg-agent.extra");
}

TEST_F(Services, ThePrintServerIsASocketOrAName) {
  host.socket("/run/cups/cups.sock", 0);
  host.file("/home/ann/.cups/lpoptions");
  set(Key::desktop_printing, "yes");
  Plan p = plan();
  EXPECT_EQ(what(p, "/run/cups/cups.sock"), "ro");
  EXPECT_EQ(variable(p, "CUPS_SERVER"), "/run/cups/cups.sock");
  EXPECT_EQ(what(p, "/home/ann/.cups/lpoptions"), "ro");
  host.set("CUPS_SERVER", "printers.example.org:631");
  p = plan();
  EXPECT_EQ(what(p, "/run/cups/cups.sock"), "none");
  EXPECT_EQ(variable(p, "CUPS_SERVER"), "printers.example.org:631");
}

TEST_F(Services, SmartCardsAreOneSocket) {
  host.socket("/run/pcscd/pcscd.comm", 0);
  set(Key::devices_smart_cards, "yes");
  EXPECT_EQ(what(plan(), "/run/pcscd/pcscd.comm"), "ro");
  host.set("PCSCLITE_CSOCK_NAME", "/srv/cards");
  EXPECT_EQ(what(plan(), "/run/pcscd/pcscd.comm"), "none");
  host.socket("/srv/cards", 0);
  EXPECT_EQ(find(plan(), "/run/pcscd/pcscd.comm")->source, "/srv/cards");
}

TEST_F(Services, GraphicsOfNvidiaAndCamerasAreTheirNodesAndWhatDriversRead) {
  for (const char* path : {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-modeset", "/dev/kfd",
                           "/dev/video0", "/dev/media0"}) {
    host.node(path, FileKind::character_device);
  }
  host.file("/dev/nvidia-notes", "", 0);
  host.directory("/sys/module/nvidia", 0);
  host.directory("/sys/devices/usb1/camera/video4linux/video0", 0);
  host.link("/sys/devices/usb1/camera/video4linux/video0/device", "../..", 0);
  host.link("/sys/class/video4linux/video0", "../../devices/usb1/camera/video4linux/video0", 0);
  set(Key::devices_gpu, "yes");
  Plan p = plan();
  for (const char* path : {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-modeset", "/dev/kfd"}) {
    ASSERT_NE(find(p, path), nullptr) << path;
    EXPECT_TRUE(find(p, path)->device) << path;
  }
  EXPECT_EQ(what(p, "/sys/module/nvidia"), "ro");
  for (const char* path : {"/dev/nvidia-notes", "/dev/video0", "/dev/media0"}) EXPECT_EQ(what(p, path), "none") << path;
  set(Key::devices_gpu, "no");
  set(Key::devices_camera, "yes");
  p = plan();
  for (const char* path : {"/dev/video0", "/dev/media0"}) EXPECT_TRUE(find(p, path) && find(p, path)->device) << path;
  EXPECT_EQ(what(p, "/sys/class/video4linux"), "ro");
  EXPECT_EQ(what(p, "/sys/devices/usb1/camera"), "ro");
  EXPECT_EQ(what(p, "/dev/nvidia0"), "none");
}

class SecurityKeys : public Services {
 protected:
  // As the kernel shows a raw HID device.
  void device(const std::string& name, const std::string& descriptor) {
    std::string place = "/sys/devices/usb1/" + name;
    host.node("/dev/" + name, FileKind::character_device);
    host.file(place + "/report_descriptor", descriptor, 0);
    host.link(place + "/hidraw/" + name + "/device", "../..", 0);
    host.link("/sys/class/hidraw/" + name, "../../devices/usb1/" + name + "/hidraw/" + name, 0);
  }
};

TEST_F(SecurityKeys, AreKnownByTheUsagePageOfTheirReports) {
  using namespace std::string_literals;
  device("hidraw0", "\x05\x01\x09\x06\xa1\x01\x05\x07"s);                  // a keyboard
  device("hidraw1", "\x06\xd0\xf1\x09\x01\xa1\x01"s);                      // a key
  device("hidraw2", "\x27\x06\xd0\xf1\x00\x05\x01"s);                      // the page is data of another item
  device("hidraw3", "\xfe\x03\x06\x06\xd0\xf1\x05\x01"s);                  // the same in a long item
  device("hidraw4", "\x05\x01\xfe\x02\x06\x01\x02\x06\xd0\xf1\xa1\x01"s);  // a key behind a long item
  device("hidraw5", "\x06\xd0"s);                                          // cut off
  device("hidraw6", "");
  set(Key::devices_security_keys, "yes");
  Plan p = plan();
  for (const char* name : {"hidraw1", "hidraw4"}) {
    const Node* node = find(p, std::string("/dev/") + name);
    ASSERT_NE(node, nullptr) << name;
    EXPECT_TRUE(node->device);
    EXPECT_EQ(what(p, std::string("/sys/devices/usb1/") + name), "ro");
  }
  for (const char* name : {"hidraw0", "hidraw2", "hidraw3", "hidraw5", "hidraw6"}) {
    EXPECT_EQ(what(p, std::string("/dev/") + name), "none") << name;
    EXPECT_EQ(what(p, std::string("/sys/devices/usb1/") + name), "none") << name;
  }
}

class Buses : public Services {
 protected:
  Buses() {
    host.program("/usr/bin/xdg-dbus-proxy");
    host.socket("/run/user/1000/bus");
    host.socket("/run/dbus/system_bus_socket", 0);
  }
  // What the proxy is told of the bus that it serves as `name`.
  std::vector<std::string> rules(const std::string& name) {
    std::vector<std::string> found;
    Plan p = plan();
    if (p.helpers.empty()) return found;
    bool is_here = false;
    for (size_t i = 2; i < p.helpers[0].argv.size(); ++i) {
      const std::string& word = p.helpers[0].argv[i];
      if (word.starts_with("unix:")) is_here = p.helpers[0].argv[i + 1] == name;
      if (is_here) found.push_back(word);
    }
    return found;
  }
};

TEST_F(Buses, AnInputMethodIsReachedByItsPortal) {
  host.set("GTK_IM_MODULE", "ibus");
  host.set("XMODIFIERS", "@im=fcitx");
  host.set("QT_IM_MODULE", "x\x1b");
  EXPECT_EQ(variable(plan(), "GTK_IM_MODULE"), "unset");
  set(Key::desktop_input_method, "yes");
  Plan p = plan();
  EXPECT_EQ(variable(p, "GTK_IM_MODULE"), "ibus");
  EXPECT_EQ(variable(p, "XMODIFIERS"), "@im=fcitx");
  EXPECT_EQ(variable(p, "QT_IM_MODULE"), "unset");
  EXPECT_EQ(variable(p, "IBUS_USE_PORTAL"), "1");
  EXPECT_THAT(rules("bus"),
              IsSupersetOf({"--talk=org.freedesktop.portal.IBus", "--talk=org.freedesktop.portal.Fcitx"}));
}

TEST_F(Buses, ATrayIconMayRegisterAndHasNamesOfItsOwn) {
  set(Key::desktop_tray, "yes");
  EXPECT_THAT(rules("bus"),
              AllOf(Contains("--own=org.kde.StatusNotifierItem-2-1"), Not(Contains(HasSubstr("--talk=")))));
}

TEST_F(Buses, WrittenRulesHoldForAFilteredBusOnly) {
  set(Key::desktop_tray, "yes");
  set(Key::dbus_talk, "org.example.A");
  EXPECT_THAT(rules("bus"), Not(Contains("--talk=org.example.A")));
  set(Key::dbus_session, "filtered");
  set(Key::dbus_broadcast, "org.example.A=org.example.A.*@/");
  EXPECT_THAT(rules("bus"), IsSupersetOf({"--talk=org.example.A", "--broadcast=org.example.A=org.example.A.*@/"}));
}

TEST_F(Buses, ForALogEachHasAProxyOfItsOwn) {
  set(Key::dbus_session, "filtered");
  set(Key::dbus_system, "filtered");
  Plan p = plan();
  ASSERT_EQ(p.helpers.size(), 1u);
  EXPECT_THAT(p.helpers[0].argv,
              ::testing::ElementsAre("/sbox-bus", "{ready}", "/usr/bin/xdg-dbus-proxy", "--", "session",
                                     "unix:path=/run/bus", "bus", "--filter", "--log", "--", "system",
                                     "unix:path=/run/system-bus", "system-bus", "--filter", "--log"));
}

TEST_F(Buses, OneProxyServesAllWithRulesOfTheirOwn) {
  set(Key::dbus_log, "no");
  host.socket("/run/user/1000/at-spi/bus_0");
  host.set("DISPLAY", ":0");
  set(Key::dbus_session, "filtered");
  set(Key::dbus_talk, "org.example.Session");
  set(Key::dbus_system, "filtered");
  set(Key::dbus_system_talk, "org.freedesktop.UPower");
  set(Key::dbus_system_broadcast, "org.freedesktop.login1=*");
  set(Key::desktop_accessibility, "yes");
  Plan p = plan();
  ASSERT_EQ(p.helpers.size(), 1u);
  EXPECT_THAT(rules("bus"),
              ::testing::ElementsAre("unix:path=/run/bus", "bus", "--filter", "--talk=org.example.Session"));
  EXPECT_THAT(rules("system-bus"),
              ::testing::ElementsAre("unix:path=/run/system-bus", "system-bus", "--filter",
                                     "--talk=org.freedesktop.UPower", "--broadcast=org.freedesktop.login1=*"));
  EXPECT_THAT(rules("at-spi-bus"), AllOf(Contains("--filter"), Not(Contains(HasSubstr("--talk=")))));
  EXPECT_EQ(variable(p, "DBUS_SYSTEM_BUS_ADDRESS"), "unix:path=/run/user/1000/system-bus");
  EXPECT_EQ(variable(p, "AT_SPI_BUS_ADDRESS"), "unix:path=/run/user/1000/at-spi-bus");
  EXPECT_EQ(find(p, "/run/dbus/system_bus_socket")->content, "/run/user/1000/system-bus");
  auto source = [&](const char* target) {
    for (const Node& node : p.helpers[0].nodes) {
      if (node.target == target) return node.source;
    }
    return std::string("none");
  };
  EXPECT_EQ(source("/run/system-bus"), "/run/dbus/system_bus_socket");
  EXPECT_EQ(source("/run/at-spi-bus"), "/run/user/1000/at-spi/bus_0");
}

TEST_F(Buses, TheAccessibilityBusIsThatOfTheDisplay) {
  set(Key::desktop_accessibility, "yes");
  auto source = [&] {
    Plan p = plan();
    if (p.helpers.empty()) return std::string("none");
    for (const Node& node : p.helpers[0].nodes) {
      if (node.target == "/run/at-spi-bus") return node.source;
    }
    return std::string("lost");
  };
  host.socket("/run/user/1000/at-spi/bus_3");
  EXPECT_EQ(source(), "none");
  host.socket("/run/user/1000/at-spi/bus");
  EXPECT_EQ(source(), "/run/user/1000/at-spi/bus");
  host.set("DISPLAY", ":3");
  EXPECT_EQ(source(), "/run/user/1000/at-spi/bus_3");
  host.set("DISPLAY", ":/../../bus");
  EXPECT_EQ(source(), "/run/user/1000/at-spi/bus");
  host.socket("/run/user/1000/elsewhere");
  host.set("AT_SPI_BUS_ADDRESS", "unix:path=/run/user/1000/elsewhere,guid=1");
  EXPECT_EQ(source(), "/run/user/1000/elsewhere");
}

TEST_F(Buses, ASystemBusThatIsNotRootsIsNone) {
  host.socket("/run/user/1000/system", kAnn);
  host.set("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/user/1000/system");
  set(Key::dbus_system, "filtered");
  Plan p = plan();
  EXPECT_TRUE(p.helpers.empty());
  EXPECT_EQ(variable(p, "DBUS_SYSTEM_BUS_ADDRESS"), "unset");
  EXPECT_EQ(what(p, "/run/dbus/system_bus_socket"), "none");
}

TEST_F(Buses, AMissingProxyRefusesTheSystemBusToo) {
  host.remove("/usr/bin/xdg-dbus-proxy");
  set(Key::dbus_system, "filtered");
  EXPECT_THAT(fault(), AllOf(HasSubstr("test.profile:2"), HasSubstr("install xdg-dbus-proxy")));
}

TEST_F(Services, AProgramThatMountsIsNotUnderLandlocksRulesForFiles) {
  set(Key::process_nested_sandbox, "yes");
  EXPECT_NE(plan().landlock.handled, 0u);
  set(Key::process_nested_sandbox, "mounts");
  Plan p = plan();
  EXPECT_TRUE(p.nested_sandbox);
  EXPECT_EQ(p.landlock.handled, 0u);
  EXPECT_TRUE(p.landlock.rules.empty());
  EXPECT_EQ(p.landlock.scoped, 3u);
  EXPECT_TRUE(seccomp_policy(profile).nested_sandbox);
  host.set_landlock(5);
  EXPECT_EQ(plan().landlock.abi, 0u);
}

}  // namespace
}  // namespace sbox::testing
