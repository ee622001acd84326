#include "log/bus_denial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "cli/log.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Note note(NoteKind kind, BusNumber bus, const std::vector<std::string>& words) {
  Note note;
  note.kind = kind;
  note.where = static_cast<uint16_t>(bus);
  note.count = 1;
  size_t at = 0;
  for (const std::string& word : words) {
    memcpy(note.words.data() + at, word.data(), word.size());
    at += word.size() + 1;
  }
  return note;
}

LogHeader header(bool session_filtered = true) {
  LogHeader header{"mine", "/usr/bin/firefox", "firefox", "/etc/sbox/profiles/firefox.profile", 1, {}};
  header.policy.architecture = "x86_64";
  header.session_filtered = session_filtered;
  return header;
}

BusDenial call_of(const std::string& name, const std::string& path = "/x", BusNumber bus = BusNumber::session) {
  return describe_bus(note(NoteKind::bus_call, bus, {name, "org.example.I", "Do", path}), header());
}

TEST(BusDenials, NameTheNarrowestLineAndTheWiderOne) {
  BusDenial denial = call_of("org.example.Name");
  EXPECT_EQ(denial.remedy, "[dbus] call = org.example.Name=org.example.I.Do@/x");
  EXPECT_EQ(denial.wider, "[dbus] talk = org.example.Name");
  EXPECT_EQ(denial.with, "");
  EXPECT_EQ(sentence_of(denial), "session bus: call of org.example.Name: org.example.I.Do at /x");
}

TEST(BusDenials, OfTheSystemBusNameItsOwnLines) {
  BusDenial denial = call_of("org.example.Name", "/x", BusNumber::system);
  EXPECT_EQ(denial.remedy, "[dbus] system-call = org.example.Name=org.example.I.Do@/x");
  EXPECT_EQ(denial.wider, "[dbus] system-talk = org.example.Name");
}

TEST(BusDenials, OfWhatTheBusIsAskedNameTheWordForIt) {
  auto remedy = [](NoteKind kind) {
    return describe_bus(note(kind, BusNumber::session, {"org.example.Name", "org.freedesktop.DBus", "M", "/"}),
                        header())
        .remedy;
  };
  EXPECT_EQ(remedy(NoteKind::bus_own), "[dbus] own = org.example.Name");
  EXPECT_EQ(remedy(NoteKind::bus_see), "[dbus] see = org.example.Name");
  EXPECT_EQ(remedy(NoteKind::bus_start), "[dbus] talk = org.example.Name");
}

TEST(BusDenials, SayWhichLineHasToBeThereToo) {
  Note own = note(NoteKind::bus_own, BusNumber::session, {"org.example.Name"});
  EXPECT_EQ(describe_bus(own, header(false)).with, "[dbus] session = filtered");
  own.where = static_cast<uint16_t>(BusNumber::system);
  EXPECT_EQ(describe_bus(own, header(false)).with, "");
}

TEST(BusDenials, HaveNoLineForWhatNoLineAllows) {
  for (const char* name : {"org.freedesktop.DBus", ":1.5", "org.freedesktop.impl.portal.PermissionStore"}) {
    BusDenial denial = call_of(name);
    EXPECT_THAT(denial.remedy + denial.wider, IsEmpty()) << name;
    EXPECT_THAT(denial.why, Not(IsEmpty())) << name;
  }
  EXPECT_THAT(call_of("org.example.Name", "/x", BusNumber::accessibility).remedy, IsEmpty());
}

TEST(BusDenials, OfferNoLineWithWordsThatNoProfileTakes) {
  for (const char* name :
       {"", "x", "org.example.\x1b[2J", "a.b, org.freedesktop.systemd1", "a.*\n[home]\nmode = host", "*"}) {
    BusDenial denial = call_of(name);
    EXPECT_THAT(denial.remedy + denial.wider, IsEmpty()) << name;
  }
  BusDenial denial = call_of("org.example.Name", "/x, org.freedesktop.systemd1=*");
  EXPECT_EQ(denial.remedy, "[dbus] talk = org.example.Name");
}

TEST(BusDenials, WarnOfNamesThatGiveTooMuch) {
  EXPECT_THAT(call_of("org.freedesktop.systemd1").why, HasSubstr("more than a sandbox should have"));
}

std::string file_with(const std::vector<Note>& notes) {
  std::string bytes = header_line(header()) + std::string(kMostRecords * sizeof(LogRecord), '\0');
  for (const Note& each : notes) bytes.append(reinterpret_cast<const char*>(&each), sizeof each);
  return bytes;
}

TEST(LogNotes, AreReadAsTheyWereWritten) {
  Note others, one = note(NoteKind::bus_own, BusNumber::session, {"org.example.Name"});
  others.count = 7;
  std::optional<Log> log = parse_log(file_with({others, one, Note()}));
  ASSERT_TRUE(log);
  EXPECT_EQ(log->other_notes, 7U);
  ASSERT_EQ(log->notes.size(), 1U);
  EXPECT_EQ(memcmp(&log->notes[0], &one, sizeof one), 0);
  EXPECT_TRUE(log->records.empty());
}

TEST(LogNotes, OfAKindThatNobodyKnowsAreLeftOut) {
  Note strange = note(static_cast<NoteKind>(999), BusNumber::session, {"x"});
  EXPECT_THAT(parse_log(file_with({Note(), strange}))->notes, IsEmpty());
}

TEST(LogNotes, AreNotMoreThanThereMayBe) {
  std::vector<Note> many(kMostTellers * kMostNotes + 10, note(NoteKind::bus_own, BusNumber::session, {"x.y"}));
  EXPECT_EQ(parse_log(file_with(many))->notes.size(), kMostTellers * (kMostNotes - 1));
}

TEST(LogNotes, AreEscapedWhereTheyAreShown) {
  Note hostile = note(NoteKind::bus_call, BusNumber::session, {"org.x\x1b[2J", "a\n", "b\xff", "/"});
  sbox::Run run{{header(), {}, 0, {hostile}, 0}, false, {}};
  std::string text = runs_text({run}), json = runs_json({run});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("org.x\\x1b[2J"));
  EXPECT_THAT(json, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace sbox::testing
