#include "cli/explain.h"

#include "../plan/planning.h"
#include "cli/explain_thing.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Explain : public Planning {
 protected:
  std::string path(const std::string& asked) {
    Plan made = plan();
    return answer_text(profile.name(), explain_path({profile, made, host}, asked));
  }
  std::string page() {
    Plan made = plan();
    return explain_page(profile, made).text();
  }
};

TEST_F(Explain, NamesTheLineThatMakesAPathReadable) {
  host.directory("/srv/photos/2020", 0);
  set(Key::files_read_only, "/srv/photos");
  EXPECT_THAT(path("/srv/photos/2020"), HasSubstr("Yes: it may read it, but not change it, by test.profile:1."));
  EXPECT_THAT(path("/srv/photos/2020"), HasSubstr("[files] read-write = /srv/photos/2020"));
}

TEST_F(Explain, LetsTheLongestPathDecide) {
  host.directory("/home/ann/work/reference");
  set(Key::files_read_write, "~/work");
  set(Key::files_read_only, "~/work/reference");
  EXPECT_THAT(path("/home/ann/work/reference/a"), HasSubstr("not change it, by test.profile:2"));
  EXPECT_THAT(path("/home/ann/work/b"), HasSubstr("read and change it, by test.profile:1"));
}

TEST_F(Explain, SaysThatAHiddenPathIsHiddenAndByWhichLine) {
  host.directory("/srv/photos/private", 0);
  set(Key::files_read_only, "/srv/photos");
  set(Key::files_hide, "/srv/photos/private");
  EXPECT_THAT(path("/srv/photos/private/x"), HasSubstr("No: it is hidden, by test.profile:2."));
  EXPECT_THAT(
      path("/srv/photos/private/x"),
      HasSubstr(
          "To show it, remove test.profile:2, or write in a drop-in:\n      [files] hide -= /srv/photos/private\n"));
}

TEST_F(Explain, SaysWhichLineTookOutWhatWouldGrantAPath) {
  host.directory("/srv/photos", 0);
  set(Key::files_read_only, "/srv/photos");
  profile.remove(Key::files_read_only, {"/srv/photos", {"local.conf", 7}});
  EXPECT_THAT(path("/srv/photos/x"), HasSubstr("What would grant it, /srv/photos, is taken out by local.conf:7."));
  EXPECT_THAT(path("/srv/music"), Not(HasSubstr("taken out")));
}

TEST_F(Explain, OffersALineThatTakesAwayWhatALineOfAFileThatIsNotOnesOwnGrants) {
  host.directory("/srv/photos", 0);
  set(Key::files_read_only, "/srv/photos");
  EXPECT_THAT(path("/srv/photos"), HasSubstr("To take it away, remove test.profile:1, or write:"));
  EXPECT_THAT(path("/srv/photos"), HasSubstr("[files] hide = /srv/photos"));
  set(Key::files_hide, "/srv/photos");
  EXPECT_THAT(path("/srv/photos"), HasSubstr("No: it is hidden, by test.profile:2."));
  EXPECT_THAT(
      path("/srv/photos"),
      HasSubstr("To show it, remove test.profile:2, or write in a drop-in:\n      [files] hide -= /srv/photos\n"));
}

TEST_F(Explain, SaysWhatElseIsMissingForWhatIsHiddenAndNotGranted) {
  host.directory("/srv/photos", 0);
  set(Key::files_hide, "/srv");
  EXPECT_THAT(path("/srv/photos"), HasSubstr("No: it is hidden, by test.profile:1."));
  EXPECT_THAT(path("/srv/photos"),
              HasSubstr("remove test.profile:1, and write:\n      [files] read-only = /srv/photos"));
}

TEST_F(Explain, SuggestsTheHomeSectionForWhatLiesInTheHome) {
  host.directory("/home/ann/.ssh");
  EXPECT_THAT(path("/home/ann/.ssh"), HasSubstr("No: "));
  EXPECT_THAT(path("/home/ann/.ssh"), HasSubstr("[home] keep-read-only = ~/.ssh"));
}

TEST_F(Explain, SaysWhereFilesAreOfferedAtTheEnd) {
  EXPECT_THAT(page(), Not(HasSubstr("a notification offers")));
  set(Key::home_mode, "overlay");
  set(Key::home_recover, "~/Downloads");
  EXPECT_THAT(page(), HasSubstr("a notification offers"));
  EXPECT_THAT(page(), HasSubstr("~/Downloads"));
}

TEST_F(Explain, SaysWhatItLearnsOfTheCallerAndOfThisMachine) {
  for (const char* part : {"Besides these", "Set for it", "this machine", "time zone", "ends the program"}) {
    EXPECT_THAT(page(), Not(HasSubstr(part)));
  }
  host.file("/etc/machine-id", "0123\n", 0);
  host.file("/usr/share/zoneinfo/UTC", "zone", 0);
  set(Key::environment_keep, "EDITOR");
  set(Key::environment_set, "GDK_BACKEND=x11");
  set(Key::system_machine_id, "host");
  set(Key::system_hostname, "host");
  set(Key::system_time_zone, "UTC");
  set(Key::seccomp_action, "kill");
  set(Key::home_size, "5M");
  for (const char* part :
       {"Besides these:\n      EDITOR [test.profile:1]", "Set for it:\n      GDK_BACKEND=x11 [test.profile:2]",
        "It knows this machine by its machine-id. [test.profile:3]",
        "It knows the name of this machine. [test.profile:4]", "Its time zone is UTC. [test.profile:5]",
        "One that is denied ends the program. [test.profile:6]", "home.size = 5M [test.profile:7]"}) {
    EXPECT_THAT(page(), HasSubstr(part));
  }
}

TEST_F(Explain, OffersNoLineForTheRulesOfSbox) {
  EXPECT_THAT(path("/home/ann/.config/sbox/profiles"), HasSubstr("No line changes that"));
  EXPECT_THAT(path("/etc/sbox"), HasSubstr("No line changes that"));
}

TEST_F(Explain, OffersNoLineThatWouldBeRefused) {
  const std::pair<const char*, const char*> kCases[] = {
      {"/tmp", "No line changes that: every sandbox has its own /tmp; name single files of the host's."},
      {"/etc", "No line changes that: use [system] etc for single entries."},
      {"/run", "No line changes that: name the single sockets or files that the program needs."},
      {"/sys", "No line changes that: name the files of /sys that the program needs, or use [devices]."},
      {"/dev", "No line changes that: use [devices] allow."},
      {"/dev/shm", "No line changes that: no sandbox has it."},
  };
  for (const auto& [asked, part] : kCases) {
    host.directory(asked, 0);
    EXPECT_THAT(path(asked), HasSubstr(part));
    EXPECT_THAT(path(asked), Not(HasSubstr("[files]")));
  }
  EXPECT_THAT(path("/run/user/1000"),
              HasSubstr("No line changes that: name the single sockets that the program needs."));
}

TEST_F(Explain, OffersNoLineForANameThatNoProfileCanSay) {
  for (const char* name :
       {"dol$x", "dol${HOME}", "star*", "[x]", "what?", "semi ;x", "esc\x1bx", "tab\tx", "two\nlines"}) {
    for (const std::string& asked : {"/home/ann/" + std::string(name), "/srv/" + std::string(name),
                                     "/etc/" + std::string(name), "/dev/" + std::string(name)}) {
      EXPECT_THAT(path(asked), HasSubstr("No line of a profile can name it (")) << asked;
      EXPECT_THAT(path(asked), Not(HasSubstr("To let it"))) << asked;
    }
  }
  set(Key::files_read_write, "/data");
  host.file("/data/star*");
  EXPECT_THAT(path("/data/star*"), HasSubstr("No line of a profile can name it (holds one of * ? [)"));
  EXPECT_THAT(path("/data/star*"), Not(HasSubstr("To ")));
  EXPECT_THAT(path("/etc/of two words"), HasSubstr("[files] read-only = /etc/of two words"));
}

TEST_F(Explain, TakesTheMacrosOfProfiles) {
  EXPECT_THAT(path("${HOME}/notes"), HasSubstr("test: /home/ann/notes"));
  EXPECT_THAT(path("${DOWNLOADS}"), HasSubstr("test: /home/ann/Downloads"));
  EXPECT_THROW(path("${NOPE}"), Error);
}

TEST_F(Explain, OffersDevicesForNodesOnly) {
  host.file("/dev/shm/picture");
  host.node("/dev/sda", FileKind::block_device);
  host.node("/dev/ttyS9", FileKind::character_device);
  EXPECT_THAT(path("/dev/ttyS9"), HasSubstr("[devices] allow = /dev/ttyS9"));
  for (const char* asked : {"/dev/shm/picture", "/dev/shm/missing", "/dev/sda"}) {
    EXPECT_THAT(path(asked), Not(HasSubstr("[devices]"))) << asked;
  }
}

TEST_F(Explain, SaysThatWhatDoesNotExistIsLeftOut) {
  set(Key::home_keep, "~/missing");
  EXPECT_THAT(path("/home/ann/missing"), HasSubstr("It does not exist on this host."));
  EXPECT_THAT(path("/home/ann/missing"), HasSubstr("test.profile:1 names it"));
}

TEST_F(Explain, CallsATmpfsItsOwnAndForgotten) { EXPECT_THAT(path("/tmp/x"), HasSubstr("forgotten at the end")); }

TEST_F(Explain, FollowsASymlinkOfTheHost) {
  host.directory("/data/downloads", 0);
  host.link("/home/ann/Downloads", "/data/downloads");
  set(Key::files_read_only, "/data");
  EXPECT_THAT(path("/home/ann/Downloads"), HasSubstr("It leads to /data/downloads."));
  EXPECT_THAT(path("/home/ann/Downloads"), HasSubstr("Yes: "));
}

TEST_F(Explain, TakesAPathBelowTheCurrentDirectory) {
  host.directory("/home/ann/work");
  host.change_to("/home/ann/work");
  set(Key::files_read_write, "~/work");
  EXPECT_THAT(path("notes"), HasSubstr("test: /home/ann/work/notes"));
  EXPECT_THAT(path("notes"), HasSubstr("Yes: "));
  EXPECT_THROW(path("../x"), Error);
}

TEST_F(Explain, ShowsNoPathByTheEntriesOfProc) {
  EXPECT_THAT(path("/srv/x"), HasSubstr("No: nothing is there."));
  EXPECT_THAT(path("/proc/1"), HasSubstr("its own /proc"));
}

TEST_F(Explain, EscapesWhatAPathHolds) { EXPECT_THAT(path("/srv/\x1b[2J"), Not(HasSubstr("\x1b"))); }

TEST_F(Explain, WarnsOfTheHostsNetworkOnlyWhereItIsGranted) {
  EXPECT_THAT(page(), HasSubstr("None: only a loopback"));
  EXPECT_THAT(page(), Not(HasSubstr("listen on this machine")));
  set(Key::network_mode, "host");
  EXPECT_THAT(page(), HasSubstr("[test.profile:1]"));
  EXPECT_THAT(page(), HasSubstr("listen on this machine"));
}

TEST_F(Explain, SaysHowMuchAPrivateNetworkCarries) {
  host.program("/usr/bin/pasta");
  host.node("/dev/net/tun", FileKind::character_device);
  set(Key::network_mode, "private");
  EXPECT_THAT(page(), Not(HasSubstr("in a second")));
  set(Key::network_bandwidth, "2M down, 500K up");
  EXPECT_THAT(page(), HasSubstr("Most bytes in a second: 2M down, 500K up. [test.profile:2]"));
}

TEST_F(Explain, WarnsOfAbstractSocketsWhereTheKernelCannotKeepThemAway) {
  set(Key::network_mode, "host");
  set(Key::profile_optional, "abstract-sockets");
  EXPECT_THAT(page(), Not(HasSubstr("abstract sockets")));
  host.set_landlock(5);
  EXPECT_THAT(page(), HasSubstr("abstract sockets"));
}

TEST_F(Explain, ListsTheRulesOfTheFilteredBus) {
  set(Key::dbus_session, "filtered");
  set(Key::dbus_talk, "org.example.Service");
  host.program("/usr/bin/xdg-dbus-proxy");
  EXPECT_THAT(page(), HasSubstr("org.example.Service [test.profile:2]"));
}

TEST_F(Explain, SaysWhichServicesAreGrantedAndWhatToMind) {
  EXPECT_THAT(page(), HasSubstr("Services\n  None."));
  EXPECT_THAT(page(), HasSubstr("System bus\n  None."));
  for (Key key : {Key::desktop_ssh_agent, Key::desktop_gpg_agent, Key::desktop_printing, Key::devices_smart_cards}) {
    set(key, "yes");
  }
  set(Key::process_nested_sandbox, "mounts");
  for (const char* part :
       {"it signs with your keys. [test.profile:1]", "it signs and decrypts", "The print server.", "Smart cards.",
        "ssh-add -c", "lpadmin", "any address that it makes a printer of", "Landlock does not watch its files"}) {
    EXPECT_THAT(page(), HasSubstr(part));
  }
}

TEST_F(Explain, ListsTheRulesOfTheSystemBusAndTheWordsOfTheSessionBus) {
  set(Key::dbus_system, "filtered");
  set(Key::dbus_system_talk, "org.example.Power");
  set(Key::desktop_tray, "yes");
  host.program("/usr/bin/xdg-dbus-proxy");
  EXPECT_THAT(page(), HasSubstr("org.example.Power [test.profile:2]"));
  EXPECT_THAT(page(), HasSubstr("an icon in the tray. [test.profile:3]"));
}

}  // namespace
}  // namespace sbox::testing
