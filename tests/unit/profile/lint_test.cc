#include "profile/lint.h"

#include "../plan/fake_host.h"
#include "cli/lint.h"
#include "testing.h"

namespace sbox::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> lines(const ProfileTree& tree, const std::vector<Finding>& findings) {
  std::vector<std::string> lines;
  for (const Finding& finding : findings) lines.push_back(tree.without_root(finding_line(finding)));
  return lines;
}

// Of a profile with a description (line 2), followed by `content` from line 3.
std::vector<std::string> lint(const std::string& content, LintScope scope = LintScope::whole) {
  ProfileTree tree;
  tree.write("user/a.profile", "[profile]\ndescription = For the test.\n" + content);
  return lines(tree, lint_profile(tree.read("a"), scope));
}

TEST(Lint, HasNothingToSayOfAPlainProfile) {
  EXPECT_THAT(lint("[home]\nmode = private\n[files]\nread-only = ${DOCUMENTS}\n[network]\nmode = private\n"),
              IsEmpty());
  EXPECT_THAT(
      lint("[dbus]\nsystem = filtered\nsystem-call = org.freedesktop.login1=org.freedesktop.login1.Manager.Inhibit\n"),
      IsEmpty());
}

TEST(Lint, WarnsOfDangerousSettings) {
  const std::pair<const char*, const char*> kCases[] = {
      {"[seccomp]\nmode = none\n", "seccomp.mode = none: dangerous"},
      {"[dbus]\nsession = full\n", "dbus.session = full: dangerous"},
      {"[devices]\ninput = yes\n", "devices.input = yes: dangerous"},
      {"[home]\nmode = host\n", "home.mode = host: dangerous"},
      {"[display]\nx11 = yes\n[network]\nmode = host\n",
       "a.profile: warning: display.x11 = yes with network.mode = host: dangerous"},
      {"[files]\nread-write = /\n", "files.read-write = /: dangerous"},
      {"[files]\nread-write = ~\n", "files.read-write = ~: dangerous"},
      {"[files]\nread-write = ${HOME}\n", "files.read-write = ${HOME}: dangerous"},
      {"[files]\nread-write = /etc/ssh\n", "files.read-write = /etc/ssh: dangerous"},
      {"[files]\nread-write = /usr\n", "files.read-write = /usr: dangerous"},
      {"[home]\nkeep = ~/.config/autostart\n", "dangerous: what is written there is run outside"},
      {"[home]\nkeep = ~/.config/user-dirs.dirs\n", "dangerous: what is written there decides what ${DOWNLOADS}"},
      {"[home]\nkeep = ${HOME}/.gitconfig\n", "dangerous: what is written there is run outside"},
      {"[files]\nread-write = ~/.local/lib/python3.11\n", "dangerous: what is written there is run outside"},
      {"[home]\nkeep = ~/.mozilla\n", "dangerous: what a browser outside starts"},
      {"[home]\nkeep = ~/.config/kitty/kitty.conf\n", "dangerous: what is written there is run outside"},
      {"[files]\nread-only = ~/.ssh/id_rsa\n", "dangerous: private keys"},
      {"[home]\nkeep-read-only = ~/.config/gh\n", "dangerous: credentials"},
      {"[files]\nread-only = ${RUNTIME}/sway-ipc.1000.1.sock\n",
       "dangerous: what listens there serves the whole session"},
      {"[files]\nread-only = /run/user/1000/wayland-0\n", "dangerous: what listens there serves the whole session"},
      {"[files]\nread-only = /run/user/1000/bus\n", "dangerous: the unfiltered session bus"},
      {"[files]\nread-only = /var/run/libvirt/libvirt-sock\n", "dangerous: who can call it runs programs outside"},
      {"[files]\nread-only = /tmp/tmux-1000/default\n", "dangerous: who can call it runs programs outside"},
      {"[files]\nread-write = /usr/local/bin\n", "dangerous: programs of the host"},
      {"[dbus]\nsession = filtered\ntalk = org.freedesktop.*\n", "dangerous: org.freedesktop.systemd1"},
      {"[dbus]\nsession = filtered\ntalk = org.freedesktop.ScreenSaver\n",
       "dangerous: on some desktops it is the shell"},
      {"[dbus]\nsystem = filtered\nsystem-talk = org.freedesktop.login1\n", "dangerous: org.freedesktop.login1"},
      {"[dbus]\nsession = filtered\ncall = org.freedesktop.systemd1=*\n",
       "dbus.call = org.freedesktop.systemd1=*: dangerous"},
      {"[dbus]\nsession = filtered\ncall = org.gnome.Shell=org.gnome.Shell.Eval@/org/gnome/Shell\n",
       "dangerous: org.gnome.Shell gives more"},
      {"[dbus]\nsession = filtered\ncall = org.freedesktop.*=org.a.B.C\n", "dangerous: org.freedesktop.systemd1"},
      {"[dbus]\nsession = filtered\ncall = org.freedesktop.Notifications=org.freedesktop.Notifications.*\n",
       "dangerous: org.freedesktop.Notifications"},
      {"[dbus]\nsession = filtered\ntalk = org.xfce.Xfconf\n", "dangerous: org.xfce.Xfconf"},
      {"[dbus]\nsystem = filtered\nsystem-call = org.freedesktop.login1=org.freedesktop.login1.Manager.*\n",
       "dangerous: org.freedesktop.login1"},
      {"[process]\nnested-sandbox = mounts\n", "process.nested-sandbox = mounts: dangerous: Landlock"},
      {"[desktop]\nssh-agent = yes\n[network]\nmode = host\n", "desktop.ssh-agent = yes with network.mode = host"},
      {"[desktop]\nprinting = yes\n", "desktop.printing = yes with network.mode = none"},
      {"[desktop]\nprinting = yes\n[network]\nmode = host\nconnect = tcp :443, udp\n", "with network.mode = host"},
  };
  for (const auto& [content, part] : kCases) EXPECT_THAT(lint(content), ElementsAre(HasSubstr(part))) << content;
}

TEST(LintCommand, WarnsOfWhatTheTablesOfThePlannerKnowToBeDangerousOrUseless) {
  ProfileTree tree;
  tree.write(
      "user/a.profile",
      "[profile]\ndescription = x\n[seccomp]\nallow = bpf, read, @debug\n[devices]\nallow = /dev/input, /dev/fuse, "
      "/dev/bus/usb/001, /dev/inputs, /dev/uinput, /dev/tty1, /dev/ttyUSB0\n[environment]\nkeep = DISPLAY, EDITOR, "
      "PATH\n");
  EXPECT_THAT(lines(tree, lint_all(tree.search(), {"a"})),
              ElementsAre(HasSubstr("a.profile:8: warning: environment.keep = DISPLAY: useless: it speaks of the host"),
                          HasSubstr("a.profile:8: warning: environment.keep = PATH: useless: it speaks of the host"),
                          HasSubstr("a.profile:4: warning: seccomp.allow = bpf: dangerous: more of the kernel"),
                          HasSubstr("a.profile:4: warning: seccomp.allow = @debug: dangerous: more of the kernel"),
                          HasSubstr("a.profile:6: warning: devices.allow = /dev/input: dangerous: "),
                          HasSubstr("a.profile:6: warning: devices.allow = /dev/bus/usb/001: dangerous: "),
                          HasSubstr("a.profile:6: warning: devices.allow = /dev/uinput: dangerous: keys and clicks"),
                          HasSubstr("a.profile:6: warning: devices.allow = /dev/tty1: dangerous: what is typed")));
}

TEST(LintCommand, RefusesEntriesOfEtcThatNoSandboxMayHave) {
  ProfileTree tree;
  tree.write("user/a.profile", "[profile]\ndescription = x\n[system]\netc = java*, sbox, *\n");
  EXPECT_THAT(lines(tree, lint_all(tree.search(), {"a"})),
              ElementsAre(HasSubstr("a.profile:4: error: read-only = '/etc/sbox': holds the rules of sbox itself"),
                          HasSubstr("a.profile:4: error: etc = '*': would show all of /etc")));
}

TEST(Lint, OfAllFilesTellsThoseThatNothingReads) {
  ProfileTree tree;
  const char* text = "[profile]\ndescription = x\n";
  tree.write("share/browser.profile", std::string(text) + "programs = browser-esr\n");
  tree.write("share/lib/gui.profile", text);
  for (const char* name :
       {"user/browser.profile.d/a.conf", "user/lib/gui.profile.d/a.conf", "user/browser.profile.d/a.conf~",
        "user/browser.profile.d/.a.swp", "user/README", "user/lib/README.md"}) {
    tree.write(name, "# nothing\n");
  }
  EXPECT_THAT(lines(tree, lint_all(tree.search(), {})), IsEmpty());
  for (const char* name : {"user/browser-esr.profile.d/a.conf", "etc/browsr.profile.d/a.conf",
                           "user/browser.profile.d/b", "user/lib/gi.profile.d/a.conf", "user/browser.conf"}) {
    tree.write(name, "# nothing\n");
  }
  EXPECT_THAT(
      lines(tree, lint_all(tree.search(), {})),
      ElementsAre(
          "ROOT/user/browser-esr.profile.d: warning: useless: there is no profile 'browser-esr' to be changed by "
          "these (browser-esr has the profile browser)",
          "ROOT/user/browser.conf: warning: useless: it is not read (profiles end in .profile, drop-ins are in "
          "NAME.profile.d)",
          "ROOT/user/browser.profile.d/b: warning: useless: it is not read (drop-ins end in .conf)",
          "ROOT/user/lib/gi.profile.d: warning: useless: there is no profile 'lib/gi' to be changed by these (did "
          "you mean lib/gui.profile.d?)",
          "ROOT/etc/browsr.profile.d: warning: useless: there is no profile 'browsr' to be changed by these (did "
          "you mean browser.profile.d?)"));
  EXPECT_THAT(lines(tree, lint_all(tree.search(), {"browser"})), IsEmpty());
}

TEST(Lint, WarnsOfPlacesThatNoPrivateNetworkLeadsTo) {
  EXPECT_THAT(lint("[network]\nmode = private\nconnect = 127.0.0.1:80, 192.0.2.1, [::1]:80, 127.0.0.0/4\n"),
              ElementsAre(HasSubstr("network.connect = 127.0.0.1:80: useless: no private network leads there"),
                          HasSubstr("network.connect = [::1]:80: useless")));
}

TEST(Lint, AHostHomeOfWhichOnlySomeIsKeptIsNotDangerous) {
  EXPECT_THAT(lint("[home]\nmode = host\nkeep = ~/.mozilla/firefox\n"), IsEmpty());
}

TEST(Lint, WarnsOfWordsThatAreTakenAsTheyStand) {
  EXPECT_THAT(lint("[home]\nkeep = ~/Notes # mine\n"), ElementsAre(HasSubstr("a comment has a line of its own")));
  EXPECT_THAT(lint("[home]\nkeep = ~/Notes#1\n"), IsEmpty());
  for (const char* word : {"lna", "LAN", "Lan"}) {
    std::string text = std::string("[network]\nmode = private\ndeny = ") + word + "\n";
    EXPECT_THAT(lint(text), ElementsAre(HasSubstr("did you mean lan?"))) << word;
  }
  EXPECT_THAT(lint("[network]\nmode = private\ndeny = lan, intranet, lan.example.org\n"), IsEmpty());
}

TEST(Lint, WarnsOfUselessSettings) {
  const std::pair<const char*, const char*> kCases[] = {
      {"[network]\nconnect = example.org\n", "network.connect = example.org: useless: there is no network"},
      {"[network]\nlisten = 80\n", "network.listen = 80: useless: there is no network"},
      {"[files]\nhide = ~/private\n", "files.hide = ~/private: useless: nothing shows it"},
      {"[network]\nmode = none\n", "network.mode = none: useless: this is the default"},
      {"[files]\nread-only = /srv, /data, /srv\n", "files.read-only = /srv: useless: it is in line 4 already"},
      {"[environment]\nset =\n  A=1\n  B=1\n  A=2\n",
       "environment.set = A=1: useless: line 7 sets it to another value"},
      {"[environment]\nset = A=${HOME}/x\n", "environment.set = A=${HOME}/x: the program gets this as it stands"},
      {"[environment]\nset = A=~/x\n", "environment.set = A=~/x: the program gets this as it stands"},
      {"[seccomp]\nallow = ptrace\ndeny = ptrace\n", "seccomp.allow = ptrace: useless: seccomp.deny in line 5 takes"},
      {"[files]\nread-only =\n", "files.read-only =: useless"},
      {"[home]\nrecover = ~/Downloads\n",
       "home.recover = ~/Downloads: the home is no overlay, so this starts with --ephemeral alone"},
      {"[home]\nmode = overlay\nrecover = ~/.bashrc\n", "home.recover = ~/.bashrc: dangerous"},
      {"[dbus]\ntalk = org.a.B\n", "useless: there is no session bus"},
      {"[network]\nbandwidth = 1M up\n", "network.bandwidth = 1M up: useless: the network is not a private one"},
      {"[dbus]\nsystem-call = org.a.B=org.a.B.C@/\n", "useless: there is no system bus"},
  };
  for (const auto& [content, part] : kCases) EXPECT_THAT(lint(content), ElementsAre(HasSubstr(part))) << content;
}

TEST(Lint, AHiddenPathThatAWiderEntryShowsIsUseful) {
  EXPECT_THAT(lint("[files]\nread-only = ${HOME}/Work\nhide = ~/Work/secret\n"), IsEmpty());
  EXPECT_THAT(lint("[files]\nhide = /usr/share/secret\n"), IsEmpty());
  EXPECT_THAT(lint("[home]\nmode = overlay\n[files]\nhide = ${DOCUMENTS}\n"), IsEmpty());
}

TEST(Lint, AFragmentNeedNotBeWhole) {
  EXPECT_THAT(lint("[dbus]\ntalk = org.a.B\n[files]\nhide = ~/x\n[network]\nmode = none\n", LintScope::fragment),
              IsEmpty());
}

TEST(Lint, WantsADescription) {
  ProfileTree tree;
  tree.write("user/a.profile", "");
  EXPECT_THAT(lines(tree, lint_profile(tree.read("a"))),
              ElementsAre(HasSubstr("ROOT/user/a.profile: warning: the profile has no description")));
  tree.write("user/a.profile", "[profile]\ndescription =\n");
  EXPECT_THAT(lines(tree, lint_profile(tree.read("a"))),
              ElementsAre(HasSubstr("ROOT/user/a.profile:2: warning: the description is empty")));
}

TEST(LintCommand, ReportsEveryFileOfTheSearchPathEachFindingOnce) {
  ProfileTree tree;
  tree.write("user/good.profile", "[profile]\ndescription = Good.\n");
  tree.write("user/bad.profile", "[profile]\ndescription = Bad.\nnonsense\n");
  tree.write("share/lib/block.profile", "[devices]\ninput = yes\n");
  tree.write("share/lib/broken.profile", "[nowhere]\n");
  tree.write("etc/good.profile.d/x.conf", "[home]\nmodus = x\n");
  tree.write("share/uses.profile", "[profile]\ndescription = Uses.\ninclude = lib/block\n");
  tree.write("share/hidden/ignored.profile", "nonsense");
  std::vector<std::string> found = lines(tree, lint_all(tree.search(), {}));
  EXPECT_EQ(found.size(), 4u) << ::testing::PrintToString(found);
  EXPECT_THAT(found, Contains(HasSubstr("ROOT/user/bad.profile:3: error: nonsense: ")));
  EXPECT_THAT(found, Contains(HasSubstr("ROOT/share/lib/block.profile:2: warning: devices.input = yes: dangerous")));
  EXPECT_THAT(found, Contains(HasSubstr("ROOT/share/lib/broken.profile:1: error: ")));
  EXPECT_THAT(found, Contains(HasSubstr("ROOT/etc/good.profile.d/x.conf:2: error: ")));
}

TEST(LintCommand, FailsOnErrorsAndNotOnWarnings) {
  ProfileTree tree;
  tree.write("user/good.profile", "");
  const SearchPath search = tree.search();
  const std::string prefix = "/usr";
  FakeHost host;
  const Context context{host, search, prefix};
  EXPECT_EQ(run_lint(context, {"good"}), 0);
  EXPECT_EQ(run_lint(context, {"good", "missing"}), 1);
}

}  // namespace
}  // namespace sbox::testing
