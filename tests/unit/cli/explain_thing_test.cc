#include "cli/explain_thing.h"

#include <nlohmann/json.hpp>

#include "../plan/planning.h"
#include "cli/explain.h"

namespace sbox::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class ExplainThing : public Planning {
 protected:
  Answer ask(const std::string& word) {
    Plan made = plan();
    return explain_thing({profile, made, host}, word);
  }
  std::string text(const std::string& word) { return answer_text("test", ask(word)); }
  // What it offers to write.
  std::vector<std::string> lines(const std::string& word) {
    std::vector<std::string> found;
    for (const Answer::Part& part : ask(word).parts) {
      if (!part.line.empty()) found.push_back(part.line);
    }
    return found;
  }
};

TEST_F(ExplainThing, TellsTheKindsApart) {
  for (const auto& [word, kind] : std::vector<std::pair<std::string, std::string>>{
           {"/srv", "path"},
           {"~/x", "path"},
           {"./ptrace", "path"},
           {"notes", "path"},
           {"notes.old.txt", "path"},
           {"ptrace", "system call"},
           {"@debug", "group of system calls"},
           {"camera", "setting"},
           {"network.mode", "setting"},
           {"LD_PRELOAD", "variable"},
           {"org.freedesktop.Notifications", "bus name"},
           {"org.freedesktop.*", "bus name"},
           {"path:ptrace", "path"},
           {"bus:a.b", "bus name"},
       }) {
    EXPECT_EQ(ask(word).kind, kind) << word;
  }
}

TEST_F(ExplainThing, TakesAFileThatIsHereForAFile) {
  host.directory("/home/ann/work");
  host.file("/home/ann/work/README", "");
  host.file("/home/ann/work/org.example.Notes", "");
  host.change_to("/home/ann/work");
  EXPECT_EQ(ask("README").kind, "path");
  EXPECT_EQ(ask("org.example.Notes").kind, "path");
  EXPECT_EQ(ask("variable:README").kind, "variable");
}

TEST_F(ExplainThing, RefusesAWordThatIsNotOfTheKindThatIsNamed) {
  for (const char* word : {"call:nothing", "setting:nothing", "bus:a", "bus:", "variable:a b", "host:", "path:"}) {
    EXPECT_THROW(ask(word), Error) << word;
  }
}

TEST_F(ExplainThing, GuessesWhatAMisspeltWordWasToBe) {
  EXPECT_THAT(text("ptrce"), HasSubstr("did you mean ptrace?"));
  EXPECT_THAT(text("memory"), HasSubstr("If no file is meant: did you mean limits.memory?"));
  EXPECT_THAT(text("/ptrce"), Not(HasSubstr("did you mean")));
}

TEST_F(ExplainThing, SaysOfACallByWhichLineItIsAllowed) {
  EXPECT_EQ(ask("ptrace").verdict, "no");
  EXPECT_THAT(lines("ptrace"), Contains("[process] debug = yes"));
  EXPECT_THAT(lines("ptrace"), Contains("[seccomp] allow = ptrace"));
  set(Key::process_debug, "yes");
  EXPECT_EQ(ask("ptrace").verdict, "yes");
  EXPECT_EQ(ask("ptrace").origin, "test.profile:1");
  EXPECT_EQ(ask("getpid").origin, "sbox");
  set(Key::seccomp_allow, "@keyring");
  EXPECT_EQ(ask("keyctl").origin, "test.profile:2");
}

TEST_F(ExplainThing, OffersNoLineThatDeniesWhatSboxNeedsInside) {
  EXPECT_EQ(lines("sendmsg").size(), 0);
  EXPECT_EQ(lines("@network").size(), 0);
  EXPECT_THAT(text("@network"), HasSubstr("sbox itself needs sendmsg inside"));
  EXPECT_THAT(lines("socket"), Contains("[seccomp] deny = socket"));
}

TEST_F(ExplainThing, SaysOfACallByWhichLineItIsDenied) {
  EXPECT_EQ(ask("sysinfo").verdict, "yes");
  set(Key::seccomp_deny, "@information");
  EXPECT_EQ(ask("sysinfo").verdict, "no");
  EXPECT_EQ(ask("sysinfo").origin, "test.profile:1");
  EXPECT_THAT(text("sysinfo"), HasSubstr("EPERM"));
  EXPECT_THAT(text("openat2"), HasSubstr("ENOSYS"));
  EXPECT_THAT(text("clone3"), HasSubstr("No line changes that"));
  set(Key::seccomp_action, "kill");
  EXPECT_THAT(text("sysinfo"), HasSubstr("ends the program"));
  set(Key::process_write_xor_execute, "yes");
  EXPECT_EQ(lines("memfd_create"), std::vector<std::string>{"[process] write-xor-execute = no"});
}

TEST_F(ExplainThing, SaysWhatOfACallIsKeptAway) {
  EXPECT_EQ(ask("clone").verdict, "partly");
  EXPECT_THAT(text("clone"), HasSubstr("But not: new namespaces."));
  EXPECT_THAT(lines("clone"), Contains("[process] nested-sandbox = yes"));
  set(Key::process_nested_sandbox, "yes");
  EXPECT_EQ(ask("clone").verdict, "yes");
}

TEST_F(ExplainThing, SaysThatLandlockLetsNobodyMount) {
  EXPECT_EQ(lines("unshare"),
            (std::vector<std::string>{"[process] nested-sandbox = yes", "[seccomp] allow = unshare"}));
  EXPECT_EQ(lines("mount"), std::vector<std::string>{"[process] nested-sandbox = mounts"});
  set(Key::process_nested_sandbox, "yes");
  EXPECT_EQ(ask("chroot").verdict, "yes");
  EXPECT_EQ(ask("mount").verdict, "no");
  EXPECT_EQ(ask("mount").origin, "test.profile:1");
  EXPECT_EQ(lines("mount"), std::vector<std::string>{"[process] nested-sandbox = mounts"});
  EXPECT_EQ(ask("@namespace").verdict, "partly");
  EXPECT_EQ(lines("@namespace"), std::vector<std::string>{"[process] nested-sandbox = mounts"});
  set(Key::process_nested_sandbox, "mounts");
  EXPECT_EQ(ask("mount").verdict, "yes");
  EXPECT_EQ(ask("@namespace").verdict, "yes");
}

TEST_F(ExplainThing, NamesTheLimitThatTakesACallAway) {
  set(Key::limits_io_priority, "idle");
  EXPECT_EQ(ask("ioprio_set").origin, "test.profile:1");
  EXPECT_EQ(lines("ioprio_set"), std::vector<std::string>{"[limits] io-priority = host"});
}

TEST_F(ExplainThing, SaysThatNothingIsFilteredWhereNothingIs) {
  set(Key::seccomp_mode, "none");
  EXPECT_EQ(ask("ptrace").verdict, "yes");
  EXPECT_EQ(ask("ptrace").origin, "test.profile:1");
}

TEST_F(ExplainThing, SumsUpAGroupOfCalls) {
  EXPECT_EQ(ask("@debug").verdict, "no");
  EXPECT_EQ(ask("@file").verdict, "yes");
  set(Key::seccomp_allow, "ptrace");
  EXPECT_EQ(ask("@debug").verdict, "partly");
  EXPECT_THAT(text("@debug"), HasSubstr("Yes: ptrace."));
}

TEST_F(ExplainThing, FindsTheRuleThatNamesABusName) {
  host.program("/usr/bin/xdg-dbus-proxy");
  EXPECT_THAT(text("org.example.Notes"), HasSubstr("the program has no session bus"));
  EXPECT_THAT(lines("org.example.Notes"), Contains("[dbus] session = filtered"));
  set(Key::dbus_session, "filtered");
  EXPECT_EQ(lines("org.example.Notes")[0], "[dbus] talk = org.example.Notes");
  set(Key::dbus_talk, "org.example.*");
  EXPECT_EQ(ask("org.example.Notes").origin, "test.profile:2");
  EXPECT_EQ(ask("org.example").verdict, "yes");
  EXPECT_EQ(ask("org.examples.Notes").verdict, "no");
  set(Key::dbus_call, "org.other.Notes=org.other.Notes.Add@/notes");
  EXPECT_EQ(ask("org.other.Notes").verdict, "partly");
  EXPECT_THAT(text("org.other.Notes"), HasSubstr("it may call org.other.Notes.Add@/notes, by test.profile:3."));
}

TEST_F(ExplainThing, KnowsWhatOtherWordsBringOnTheBus) {
  host.program("/usr/bin/xdg-dbus-proxy");
  set(Key::desktop_notifications, "yes");
  EXPECT_EQ(ask("org.freedesktop.Notifications").origin, "test.profile:1");
  EXPECT_THAT(text("org.freedesktop.impl.portal.Secret"), HasSubstr("No line changes that"));
  EXPECT_THAT(text("org.freedesktop.secrets"), HasSubstr("more than a sandbox should have"));
}

TEST_F(ExplainThing, TellsTheSystemBusFromTheSessionBus) {
  host.directory("/usr/share/dbus-1/system-services", 0);
  host.file("/usr/share/dbus-1/system-services/org.example.Power.service", "");
  EXPECT_THAT(lines("org.example.Power"), Contains("[dbus] system-talk = org.example.Power"));
  EXPECT_THAT(lines("org.example.Notes"), Contains("[dbus] talk = org.example.Notes"));
  set(Key::dbus_system, "filtered");
  set(Key::dbus_system_talk, "org.example.Power");
  host.program("/usr/bin/xdg-dbus-proxy");
  EXPECT_EQ(ask("org.example.Power").origin, "test.profile:2");
}

TEST_F(ExplainThing, SaysThatTheWholeBusIsThere) {
  set(Key::dbus_session, "full");
  EXPECT_EQ(ask("org.example.Notes").verdict, "yes");
  EXPECT_EQ(ask("org.example.Notes").origin, "test.profile:1");
}

TEST_F(ExplainThing, AnswersForDevicesByTheirWords) {
  EXPECT_EQ(ask("camera").verdict, "no");
  EXPECT_EQ(lines("camera"), std::vector<std::string>{"[devices] camera = yes"});
  EXPECT_EQ(lines("/dev/video3")[0], "[devices] camera = yes");
  EXPECT_EQ(lines("/dev/snd/timer")[0], "[devices] allow = /dev/snd/timer");
  EXPECT_THAT(text("/dev/mem"), HasSubstr("No line changes that"));
  host.node("/dev/video0", FileKind::character_device);
  set(Key::devices_camera, "yes");
  EXPECT_EQ(ask("webcam").origin, "test.profile:1");
  EXPECT_THAT(text("webcam"), HasSubstr("Here it is /dev/video0."));
}

TEST_F(ExplainThing, AnswersForVariables) {
  host.set("EDITOR", "vi");
  EXPECT_EQ(lines("EDITOR"), std::vector<std::string>{"[environment] keep = EDITOR"});
  EXPECT_EQ(lines("LD_PRELOAD"), std::vector<std::string>{"[environment] set = LD_PRELOAD=VALUE"});
  EXPECT_TRUE(lines("SSH_AUTH_SOCK").empty());
  EXPECT_EQ(ask("HOME").verdict, "yes");
  set(Key::environment_keep, "EDIT*");
  EXPECT_EQ(ask("EDITOR").origin, "test.profile:1");
  EXPECT_THAT(text("EDITOR"), HasSubstr("EDITOR=vi"));
  set(Key::environment_keep, "DISPLAY");
  EXPECT_THAT(text("DISPLAY"), HasSubstr("No line passes it on: it speaks of the host"));
  set(Key::environment_keep, "HOME");
  EXPECT_EQ(ask("HOME").origin, "sbox");
  set(Key::environment_set, "EDITOR=vim");
  set(Key::environment_set, "EDITOR=nano");
  EXPECT_EQ(ask("EDITOR").origin, "test.profile:5");
  EXPECT_THAT(text("EDITOR"), HasSubstr("EDITOR=nano"));
}

TEST_F(ExplainThing, WritesLinesThatAProfileTakes) {
  EXPECT_EQ(lines("/srv/a, b")[0], "[files] read-only = \"/srv/a, b\"");
  EXPECT_EQ(line_of(Key::home_keep, "~/x"), "[home] keep = ~/x");
}

TEST_F(ExplainThing, IsJsonThatHoldsNoControlCharacters) {
  Answer answer = ask("/srv/\x1b[2J\xff");
  std::string json = answer_json("test", answer, "why");
  EXPECT_THAT(json, Not(HasSubstr("\x1b")));
  nlohmann::json read = nlohmann::json::parse(json);
  EXPECT_EQ(read["answer"], "no");
  EXPECT_EQ(read["missing"], "why");
  EXPECT_TRUE(read["changes"].empty());
}

TEST_F(ExplainThing, GivesThePageAsJson) {
  set(Key::files_read_only, "/srv");
  host.directory("/srv", 0);
  Plan made = plan();
  nlohmann::json read = nlohmann::json::parse(page_json("test", explain_page(profile, made), ""));
  std::vector<std::string> headings;
  for (const auto& section : read["sections"]) headings.push_back(section["heading"]);
  for (const char* heading : {"Files", "Devices", "Network", "Display and sound", "Session bus", "System bus",
                              "Services", "Processes", "What to mind"}) {
    EXPECT_THAT(headings, Contains(heading));
  }
  EXPECT_THAT(read.dump(), HasSubstr(R"({"origin":"test.profile:1","text":"/srv"})"));
}

TEST_F(ExplainThing, KnowsPlacesInTheNetwork) {
  for (const char* word : {"example.org:443", "192.0.2.1", "2001:db8::/32", "tcp example.org", ":80", "www.example.org",
                           "host:intranet", "localhost:80"}) {
    EXPECT_EQ(ask(word).kind, "host") << word;
  }
  EXPECT_EQ(ask("example.org:443").verdict, "no");
  EXPECT_THAT(lines("example.org:443"), Contains("[network] mode = private"));
  EXPECT_THAT(lines("example.org:443"), Contains("[network] connect = example.org:443"));
}

TEST_F(ExplainThing, SaysWherePrivateNetworksLeadAndByWhichLine) {
  host.program("/usr/bin/pasta");
  host.node("/dev/net/tun", FileKind::character_device);
  set(Key::network_mode, "private");
  EXPECT_EQ(ask("example.org:443").verdict, "yes");
  EXPECT_EQ(ask("localhost:80").verdict, "no");
  EXPECT_EQ(ask("127.0.0.1:80").verdict, "no");
  EXPECT_EQ(ask("10.1.2.3").verdict, "yes");
  set(Key::network_deny, "lan");
  EXPECT_EQ(ask("10.1.2.3").verdict, "no");
  EXPECT_EQ(ask("10.1.2.3").origin, "test.profile:2");
  set(Key::network_connect, "example.org:443");
  EXPECT_EQ(ask("example.org:443").verdict, "yes");
  EXPECT_EQ(ask("example.org:443").origin, "test.profile:3");
  EXPECT_EQ(ask("example.org:80").verdict, "no");
  EXPECT_EQ(ask("host:example.org").verdict, "partly");
  EXPECT_EQ(ask("192.0.2.1:443").verdict, "no");
  EXPECT_THAT(lines("example.com:443"), Contains("[network] connect = example.com:443"));
}

TEST_F(ExplainThing, SaysWhichPortsTheHostsNetworkLeavesOpen) {
  set(Key::network_mode, "host");
  EXPECT_EQ(ask("example.org:80").verdict, "yes");
  set(Key::network_connect, "tcp :443");
  set(Key::network_connect, "udp");
  EXPECT_EQ(ask("tcp example.org:80").verdict, "no");
  EXPECT_EQ(ask("tcp example.org:443").verdict, "yes");
  EXPECT_EQ(ask("example.org:80").verdict, "partly");
}

}  // namespace
}  // namespace sbox::testing
