#include "cli/proposal.h"

#include "../plan/planning.h"
#include "profile/ini.h"
#include "profile/values.h"

namespace sbox::testing {
namespace {

using learn::Use;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Proposing : public Planning {
 protected:
  Proposing() {
    request.program = "true";
    set(Key::home_mode, "overlay");
    set(Key::home_overlay, "sbox-learn");
    set(Key::process_debug, "yes");
    set(Key::dbus_session, "filtered");
    set(Key::dbus_session, "filtered");
    set(Key::desktop_notifications, "yes");
    set(Key::profile_optional, "dbus");
    add_block("lib/gui", {{Key::display_wayland, "yes"}, {Key::display_x11, "fallback"}, {Key::desktop_fonts, "yes"}});
    add_block("lib/viewer", {{Key::display_wayland, "yes"},
                             {Key::display_x11, "fallback"},
                             {Key::desktop_fonts, "yes"},
                             {Key::files_arguments, "read-only"}});
    add_block("lib/audio", {{Key::audio_playback, "yes"}, {Key::system_etc, "pulse"}});
    add_block("lib/notifications", {{Key::dbus_session, "filtered"}, {Key::desktop_notifications, "yes"}});
    add_block("lib/network", {{Key::network_mode, "host"}, {Key::profile_optional, "abstract-sockets"}});
  }

  void add_block(const std::string& name, const std::vector<std::pair<Key, std::string>>& lines) {
    Block block{name, {}};
    for (const auto& [key, value] : lines) block.profile.assign(key, {value, {name, 1}});
    blocks.push_back(std::move(block));
  }

  void saw(const std::string& path, Use use, const std::string& error = "") {
    evidence.files[path][use] = {"prog", use == Use::make || use == Use::read ? "openat" : "call", 1, error};
  }
  void connected(const std::string& socket, const std::string& error = "") {
    evidence.sockets[socket] = {"prog", "connect", 1, error};
  }
  void visited(const std::string& name, uint16_t port) {
    evidence.endpoints[{true, name.empty() ? "192.0.2.7" : "", port, name}] = {"prog", "connect", 1, ""};
  }
  void called(const std::string& name, const std::string& method = "Do") {
    evidence.bus[{learn::BusUse::Kind::call, false, name, name, method, "/x"}] = {"prog", "sendmsg", 1, ""};
  }

  Proposal proposal() {
    learning = plan();
    return propose({"prog", request, profile, learning, evidence, denied, succeeded}, blocks, host);
  }
  static std::vector<std::string> texts(const std::vector<ProposedLine>& lines) {
    std::vector<std::string> texts;
    for (const ProposedLine& line : lines) texts.push_back(proposed_line_text(line));
    return texts;
  }
  std::vector<std::string> proposed() { return texts(proposal().lines); }
  std::vector<std::string> left() { return texts(proposal().not_taken); }

  learn::Evidence evidence;
  std::vector<Block> blocks;
  std::vector<DeniedCall> denied;
  bool succeeded = true;
  Plan learning;
};

TEST_F(Proposing, OfNothingIsNothing) { EXPECT_THAT(proposed(), IsEmpty()); }

TEST_F(Proposing, GivesFilesOfTheHomeOneByOne) {
  host.file("/home/ann/doc/read");
  host.file("/home/ann/doc/changed");
  host.file("/home/ann/doc/neither");
  saw("/home/ann/doc/read", Use::read);
  saw("/home/ann/doc/changed", Use::change);
  saw("/home/ann/doc/neither", Use::look);
  EXPECT_THAT(proposed(), ElementsAre("[home] keep = ~/doc/changed", "[home] keep-read-only = ~/doc/read"));
}

TEST_F(Proposing, GivesADirectoryWhereNamesWereMadeAndNothingBelowItTwice) {
  host.file("/home/ann/project/main.c");
  host.file("/home/ann/project-b/x");
  saw("/home/ann/project/main.c", Use::read);
  saw("/home/ann/project/main.o", Use::make);
  saw("/home/ann/project/new/deep/file", Use::make);
  saw("/home/ann/project-b/x", Use::read);
  EXPECT_THAT(proposed(), ElementsAre("[home] keep = ~/project", "[home] keep-read-only = ~/project-b/x"));
}

TEST_F(Proposing, GivesADirectoryThatWasListedReadOnly) {
  host.file("/home/ann/photos/a");
  saw("/home/ann/photos", Use::list);
  saw("/home/ann/photos/a", Use::change);
  EXPECT_THAT(proposed(), ElementsAre("[home] keep = ~/photos/a", "[home] keep-read-only = ~/photos"));
}

TEST_F(Proposing, NeverGivesTheHomeItself) {
  host.file("/home/ann/letter");
  saw("/home/ann", Use::list);
  saw("/home/ann/letter", Use::read);
  saw("/home/ann/new", Use::make);
  EXPECT_THAT(proposed(), ElementsAre("[home] mode = private", "[home] keep-read-only = ~/letter"));
  EXPECT_THAT(left(), ElementsAre("[home] mode = host"));
}

TEST_F(Proposing, LeavesOutWhatWasOnlyProbedAndWhatItMadeItself) {
  saw("/home/ann/missing", Use::read, "ENOENT");
  saw("/home/ann/.config/prog/rc", Use::read, "ENOENT");
  saw("/tmp/scratch", Use::make);
  saw("/proc/self/maps", Use::read);
  saw("/usr/bin/true", Use::execute);
  EXPECT_THAT(proposed(), IsEmpty());
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Proposing, KeepsStateInAPrivateHomeAndNoCache) {
  saw("/home/ann/.cache/prog/x", Use::make);
  EXPECT_THAT(proposed(), IsEmpty());
  saw("/home/ann/.config/prog/rc", Use::make);
  EXPECT_THAT(proposed(), ElementsAre("[home] mode = private"));
}

TEST_F(Proposing, NeverProposesSecretsThoughTheyWereAskedFor) {
  host.file("/home/ann/.ssh/id_rsa");
  host.file("/home/ann/.mozilla/x");
  saw("/home/ann/.ssh/id_rsa", Use::read, "EACCES");
  saw("/home/ann/.ssh/id_rsa", Use::change);
  saw("/home/ann/.mozilla/x", Use::read);
  EXPECT_THAT(proposed(), IsEmpty());
  EXPECT_THAT(left(), ElementsAre("[home] keep-read-only = ~/.mozilla", "[home] keep-read-only = ~/.ssh"));
}

TEST_F(Proposing, NeverProposesADirectoryThatSecretsAreBelow) {
  host.file("/home/ann/.config/prog/rc");
  host.directory("/home/ann/.local/share");
  for (const char* path :
       {"/home/ann/.config", "/home/ann/.local", "/home/ann/.local/share", "/home/ann/.config/prog"}) {
    saw(path, Use::list);
  }
  EXPECT_THAT(proposed(), ElementsAre("[home] keep-read-only = ~/.config/prog"));
  EXPECT_THAT(left(), ElementsAre("[home] keep-read-only = ~/.config", "[home] keep-read-only = ~/.local",
                                  "[home] keep-read-only = ~/.local/share"));
}

TEST_F(Proposing, NeverProposesWhatWouldRunOutside) {
  host.directory("/home/ann/bin");
  host.directory("/home/ann/.config/autostart");
  saw("/home/ann/bin/evil", Use::make);
  saw("/home/ann/.config/autostart/evil.desktop", Use::make);
  EXPECT_THAT(proposed(), ElementsAre("[home] mode = private"));
  EXPECT_THAT(left(), ElementsAre("[home] keep = ~/bin"));
}

TEST_F(Proposing, NeverNamesTheRulesOfSbox) {
  host.file("/home/ann/.config/sbox/profiles/x.profile");
  saw("/home/ann/.config/sbox/profiles/x.profile", Use::read);
  saw("/home/ann/.config/sbox/profiles", Use::list);
  EXPECT_THAT(proposed(), IsEmpty());
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Proposing, GrantsFilesOfTheCommandLineAsThat) {
  host.file("/home/ann/doc/letter");
  request.arguments = {"doc/letter"};
  saw("/home/ann/doc/letter", Use::read);
  EXPECT_THAT(proposed(), ElementsAre("[files] arguments = read-only"));
  // As editors do that write a new file and rename it over the old one.
  saw("/home/ann/doc/.letter.new", Use::make);
  saw("/home/ann/doc/letter", Use::make);
  evidence.renames["/home/ann/doc/.letter.new"] = "/home/ann/doc/letter";
  EXPECT_THAT(proposed(), ElementsAre("[files] arguments = read-write"));
  saw("/home/ann/doc/letter-journal", Use::make);
  EXPECT_THAT(proposed(), ElementsAre("[home] keep = ~/doc"));
}

TEST_F(Proposing, GrantsWhatIsOutsideOfTheHomeByItsPath) {
  host.file("/srv/data/a");
  host.file("/srv/data/b");
  host.file("/etc/odd.conf", "", 0);
  host.file("/etc/prog/deep.conf", "", 0);
  host.file("/etc/hidden.conf", "", 0, 0600);
  saw("/srv/data/a", Use::read, "ENOENT");
  saw("/srv/data/b", Use::change, "EROFS");
  saw("/etc/odd.conf", Use::read, "ENOENT");
  saw("/etc/prog/deep.conf", Use::read, "ENOENT");
  saw("/etc/hidden.conf", Use::read, "ENOENT");
  EXPECT_THAT(proposed(), ElementsAre("[files] read-only = /etc/prog/deep.conf", "[files] read-only = /srv/data/a",
                                      "[files] read-write = /srv/data/b", "[system] etc = odd.conf"));
}

TEST_F(Proposing, WritesNothingThatTheUserCouldNot) {
  host.directory("/srv/theirs", kStranger, 0755);
  saw("/srv/theirs/x", Use::make, "EACCES");
  EXPECT_THAT(proposed(), IsEmpty());
}

TEST_F(Proposing, NamesNothingThatAProfileWouldReadAsAnotherPath) {
  host.file("/home/ann/${UID}");
  host.file("/home/ann/a\nb");
  host.file("/home/ann/a, b");
  for (const char* name : {"${UID}", "a\nb", "a, b"}) saw("/home/ann/" + std::string(name), Use::read);
  EXPECT_THAT(proposed(), ElementsAre("[home] keep-read-only = \"~/a, b\""));
  EXPECT_EQ(proposal().remarks.size(), 2u);
  EXPECT_EQ(proposal_text(proposal()).find("a\nb"), std::string::npos);
}

TEST_F(Proposing, TakesTheWidestBlockThatIsBackedAndNoOther) {
  connected("/tmp/.X11-unix/X0");
  EXPECT_THAT(proposed(), ElementsAre("[profile] include = lib/gui"));
  host.file("/home/ann/doc/letter");
  request.arguments = {"/home/ann/doc/letter"};
  saw("/home/ann/doc/letter", Use::read);
  EXPECT_THAT(proposed(), ElementsAre("[profile] include = lib/viewer"));
}

TEST_F(Proposing, GivesNoDisplayThatWasNotReached) {
  connected("/tmp/.X11-unix/X0", "ENOENT");
  connected("/run/user/1000/pulse/native");
  EXPECT_THAT(proposed(), ElementsAre("[profile] include = lib/audio"));
}

TEST_F(Proposing, ReachesNoOtherHostsThanThoseThatWereReached) {
  visited("example.org", 443);
  visited("", 80);
  evidence.endpoints[{true, "127.0.0.1", 5432, ""}] = {"prog", "connect", 1, "ECONNREFUSED"};
  evidence.names["elsewhere.example"] = {"prog", "sendto", 1, ""};
  evidence.listens[{true, "", 8080, ""}] = {"prog", "bind", 1, ""};
  EXPECT_THAT(proposed(), ElementsAre("[network] mode = private", "[network] connect = tcp example.org:443",
                                      "[network] connect = tcp 192.0.2.7:80"));
  EXPECT_THAT(left(), ElementsAre("[network] connect = tcp localhost:5432", "[network] connect = elsewhere.example",
                                  "[network] listen = tcp 8080"));
}

TEST_F(Proposing, GivesTheBusWhereSomeoneOnItWasCalledThatWasGiven) {
  evidence.bus[{learn::BusUse::Kind::own, false, "org.example.Prog", "", "", ""}] = {"prog", "sendmsg", 1, ""};
  called("org.example.Denied");
  called("org.freedesktop.secrets");
  EXPECT_THAT(proposed(), IsEmpty());
  EXPECT_THAT(left(), ElementsAre("[dbus] call = org.example.Denied=org.example.Denied.Do@/x",
                                  "[dbus] call = org.freedesktop.secrets=org.freedesktop.secrets.Do@/x"));
  called("org.freedesktop.Notifications", "Notify");
  EXPECT_THAT(proposed(), ElementsAre("[profile] include = lib/notifications", "[dbus] own = org.example.Prog"));
}

TEST_F(Proposing, GivesNoMethodThatTheRulesOfTheLessonHadNot) {
  set(Key::dbus_call, "org.example.A=org.example.A.*");
  evidence.bus[{learn::BusUse::Kind::call, false, "org.example.A", "org.example.Other", "Do", "/x"}] = {"p", "c", 1,
                                                                                                        ""};
  EXPECT_THAT(proposed(), IsEmpty());
  called("org.example.A");
  EXPECT_THAT(proposed(), ElementsAre("[dbus] session = filtered", "[dbus] call = org.example.A=org.example.A.Do@/x"));
}

TEST_F(Proposing, GivesSingleMethodsAndSignals) {
  set(Key::dbus_talk, "org.example.*");
  called("org.example.A");
  evidence.bus[{learn::BusUse::Kind::hear, false, "org.example.A", "org.example.A", "Done", "/x"}] = {"p", "c", 1, ""};
  EXPECT_THAT(proposed(), ElementsAre("[dbus] session = filtered", "[dbus] call = org.example.A=org.example.A.Do@/x",
                                      "[dbus] broadcast = org.example.A=org.example.A.Done@/x"));
}

TEST_F(Proposing, AllowsDeniedCallsWhereTheProgramFailed) {
  denied = {{{"keyctl", "KEYCTL_READ", "why", "[seccomp] allow = keyctl"}, "prog", 2},
            {{"ptrace", "", "why", "[process] debug = yes"}, "prog", 1},
            {{"clone", "CLONE_NEWUSER", "why", "[process] nested-sandbox = yes"}, "prog", 1},
            {{"odd", "", "why", ""}, "prog", 1}};
  EXPECT_THAT(proposed(), IsEmpty());
  succeeded = false;
  EXPECT_THAT(proposed(), ElementsAre("[seccomp] allow = keyctl"));
  EXPECT_THAT(left(), ElementsAre("[process] debug = yes", "[process] nested-sandbox = yes"));
  EXPECT_THAT(proposal().remarks, ElementsAre(HasSubstr("odd()")));
}

TEST_F(Proposing, GivesDevicesByTheirWordAndDangerousOnesNot) {
  host.node("/dev/video0", FileKind::character_device);
  host.node("/dev/input/event0", FileKind::character_device);
  host.node("/dev/mem", FileKind::character_device);
  for (const char* path : {"/dev/video0", "/dev/input/event0", "/dev/mem"}) saw(path, Use::read, "ENOENT");
  saw("/dev/urandom", Use::read);
  EXPECT_THAT(proposed(), ElementsAre("[devices] camera = yes"));
  EXPECT_THAT(left(), ElementsAre("[devices] input = yes"));
}

// The text is a profile of just these lines, whatever names were in the evidence.
TEST_F(Proposing, SurvivesNamesThatNobodyCanHave) {
  visited("-bad..name-", 1);
  called("not a name");
  evidence.bus[{learn::BusUse::Kind::call, false, "org.freedesktop.Notifications", "\n", "\x1b[2J", ""}] = {
      "\x1b]0;x\x07\n[files]\n", "sendmsg", 1, ""};
  Proposal made = proposal();
  std::string text = proposal_text(made);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\n[files]"), std::string::npos);
  for (const ProposedLine& each : made.lines) {
    if (each.key == Key::profile_include) continue;
    EXPECT_NO_THROW(check_value(setting(each.key), {each.value, {}}));
  }
}

// inih has a longest line.
TEST_F(Proposing, MakesNoLineThatIsTooLong) {
  std::string name(180, 'n');
  host.file("/home/ann/" + name + "/a");
  host.file("/home/ann/" + name + "/longer-than-a-line");
  saw("/home/ann/" + name + "/a", Use::read);
  saw("/home/ann/" + name + "/longer-than-a-line", Use::read);
  evidence.files["/home/ann/" + name + "/a"][Use::read].by = std::string(100, '\x01');
  Proposal made = proposal();
  EXPECT_EQ(made.lines.size(), 1u);
  EXPECT_EQ(made.remarks.size(), 1u);
  EXPECT_NO_THROW(parse_ini("proposal", proposal_text(made)));
}

TEST_F(Proposing, SaysTheEvidenceOfEachLine) {
  host.file("/home/ann/doc/read");
  saw("/home/ann/doc/read", Use::read);
  EXPECT_THAT(proposal_text(proposal()),
              HasSubstr("\nkeep-read-only =\n# read ~/doc/read, by prog (openat), once\n  ~/doc/read\n"));
  EXPECT_THAT(proposal_json(proposal(), 3), HasSubstr("\"setting\": \"home.keep-read-only\""));
  EXPECT_THAT(proposal_json(proposal(), 3), HasSubstr("\"status\": 3"));
}

}  // namespace
}  // namespace sbox::testing
