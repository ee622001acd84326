#include "log/connection_denial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "cli/log.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Note note(NoteKind kind, Wall wall, const std::vector<std::string>& words) {
  Note note;
  note.kind = kind;
  note.where = static_cast<uint16_t>(wall);
  note.count = 2;
  size_t at = 0;
  for (const std::string& word : words) {
    memcpy(note.words.data() + at, word.data(), word.size());
    at += word.size() + 1;
  }
  return note;
}

LogHeader header() {
  LogHeader header{"mine", "/usr/bin/firefox", "firefox", "/etc/sbox/profiles/firefox.profile", 1, {}};
  header.policy.architecture = "x86_64";
  return header;
}

ConnectionDenial refused(const std::vector<std::string>& words, Wall wall = Wall::end) {
  return describe_connection(note(NoteKind::connection, wall, words), header());
}

TEST(ConnectionDenials, NameTheLineThatAllowsThem) {
  EXPECT_EQ(refused({"192.0.2.7", "443", "tcp", ""}).remedy, "[network] connect = tcp 192.0.2.7:443");
  EXPECT_EQ(refused({"2001:db8::7", "53", "udp", ""}).remedy, "[network] connect = udp [2001:db8::7]:53");
  EXPECT_EQ(refused({"192.0.2.7", "443", "tcp", "example.org"}).remedy, "[network] connect = tcp example.org:443");
  EXPECT_EQ(sentence_of(refused({"192.0.2.7", "443", "tcp", "example.org"})),
            "tcp to 192.0.2.7 port 443 (example.org)");
}

TEST(ConnectionDenials, OfNamesNameTheLineForThat) {
  ConnectionDenial denial = describe_connection(note(NoteKind::host_name, Wall::end, {"example.org"}), header());
  EXPECT_EQ(denial.remedy, "[network] connect = example.org");
  EXPECT_EQ(sentence_of(denial), "the name example.org, not looked up");
}

TEST(ConnectionDenials, SayWhyNoLineAllowsThem) {
  EXPECT_THAT(refused({"192.0.2.7", "80", "tcp", ""}, Wall::deny).why, HasSubstr("[network] deny"));
  EXPECT_THAT(refused({"192.0.2.7", "80", "tcp", ""}, Wall::host).why, HasSubstr("address of this machine"));
  EXPECT_THAT(refused({"224.0.0.251", "5353", "udp", ""}, Wall::deny).why, HasSubstr("many at once"));
  EXPECT_THAT(refused({"fe80::1", "80", "tcp", ""}, Wall::deny).why, HasSubstr("many at once"));
  EXPECT_THAT(refused({"192.0.2.7", "0", "icmp", ""}).remedy, IsEmpty());
  LogHeader proxied = header();
  proxied.has_proxy = true;
  ConnectionDenial denial =
      describe_connection(note(NoteKind::connection, Wall::end, {"192.0.2.7", "80", "tcp", ""}), proxied);
  EXPECT_THAT(denial.why, HasSubstr("proxy"));
  EXPECT_THAT(denial.remedy, IsEmpty());
}

TEST(ConnectionDenials, OfferNoLineWithWordsThatNoProfileTakes) {
  for (const char* name : {"a b", "a,localhost:22", "\x1b[2J", "x\\y.org", ".."}) {
    EXPECT_THAT(refused({"192.0.2.7", "443", "tcp", name}).remedy, IsEmpty()) << name;
  }
  EXPECT_THAT(refused({"192.0.2.7", "99999", "tcp", ""}).remedy, IsEmpty());
  EXPECT_THAT(refused({"", "", "", ""}).remedy, IsEmpty());
}

TEST(ConnectionDenials, AreEscapedWhereTheyAreShown) {
  Note hostile = note(NoteKind::host_name, Wall::end, {"a\x1b[2J"});
  sbox::Run run{{header(), {}, 0, {hostile}, 0}, false, {}};
  EXPECT_THAT(runs_text({run}), HasSubstr("a\\x1b[2J"));
  EXPECT_THAT(runs_json({run}), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace sbox::testing
