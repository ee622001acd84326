// What a client that may only play can say to a sound server.
#include "sound/protocol.h"

#include <gtest/gtest.h>

#include <set>

namespace sbox::sound {
namespace {

std::string big_endian(uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}
std::string number(uint32_t value) { return "L" + big_endian(value); }
std::string text(const std::string& value) { return "t" + value + '\0'; }
std::string property(const std::string& key, const std::string& value) {
  return text(key) + number(static_cast<uint32_t>(value.size())) + "x" +
         big_endian(static_cast<uint32_t>(value.size())) + value;
}
std::string command(uint32_t what, uint32_t tag, const std::string& rest = "") {
  return number(what) + number(tag) + rest;
}

constexpr uint32_t kError = 0, kReply = 2, kCreatePlayback = 3, kAuth = 8, kStat = 13, kSetVolume = 37;

class GateOfSound : public ::testing::Test {
 protected:
  // What becomes of a command.
  Verdict say(std::string content) {
    said = std::move(content);
    return gate.judge(said);
  }
  // What a program gets of an answer.
  std::string hear(std::string content) { return gate.hear(content) ? content : "broken"; }
  Gate gate;
  std::string said;  // after what the gate has made of it
};

TEST_F(GateOfSound, LetsNoCommandThroughButThoseThatPlay) {
  const std::set<uint32_t> kPlay = {3,  4,  9,  10, 11, 12, 13, 14, 20, 21, 22, 23, 24,
                                    35, 41, 42, 43, 46, 60, 72, 74, 81, 82, 84, 85};
  for (uint32_t what = 0; what < 300; ++what) {
    if (what == kAuth) continue;  // needs an argument
    Gate fresh;
    std::string content = command(what, what, number(1));
    EXPECT_EQ(fresh.judge(content), kPlay.contains(what) ? Verdict::forward : Verdict::refuse) << what;
  }
  EXPECT_EQ(say(command(0x80000003, 7)), Verdict::refuse);
}

TEST_F(GateOfSound, AnswersWhatItRefuses) {
  EXPECT_EQ(say(command(51, 77, text("module-cli"))), Verdict::refuse);
  EXPECT_EQ(gate.refusal(), packet(number(kError) + number(77) + number(1)));
}

TEST_F(GateOfSound, TakesTheOfferOfSharedMemoryBack) {
  std::string cookie = "x" + big_endian(4) + "abcd";
  EXPECT_EQ(say(command(kAuth, 0, number(0xc0000023) + cookie)), Verdict::forward);
  EXPECT_EQ(said, command(kAuth, 0, number(0x23) + cookie));
  EXPECT_EQ(say(command(kAuth, 1)), Verdict::broken);
  EXPECT_EQ(say(command(kAuth, 1, text("x"))), Verdict::broken);
}

TEST_F(GateOfSound, AStreamIsTheClientsOwnOnceTheServerHasSaidSo) {
  EXPECT_EQ(say(command(kSetVolume, 1, number(5))), Verdict::refuse);
  EXPECT_EQ(say(command(kCreatePlayback, 2)), Verdict::forward);
  hear(command(kReply, 2, number(0) + number(5) + number(0)));
  EXPECT_EQ(say(command(kSetVolume, 3, number(5))), Verdict::forward);
  EXPECT_EQ(say(command(kSetVolume, 4, number(6))), Verdict::refuse);
  // Without an index it would be meant by a name.
  EXPECT_EQ(say(command(kSetVolume, 5, text("x"))), Verdict::refuse);
}

TEST_F(GateOfSound, OtherAnswersMakeNoStream) {
  EXPECT_EQ(say(command(kStat, 1)), Verdict::forward);
  hear(command(kReply, 1, number(0) + number(5)));
  EXPECT_EQ(say(command(kCreatePlayback, 2)), Verdict::forward);
  hear(command(kError, 2, number(0) + number(6)));
  hear(command(kReply, 2, number(0) + number(7)));
  hear(command(kReply, 99, number(0) + number(8)));
  for (uint32_t stream : {5u, 6u, 7u, 8u})
    EXPECT_EQ(say(command(kSetVolume, 50 + stream, number(stream))), Verdict::refuse);
}

TEST_F(GateOfSound, NobodyIsToldWhoRunsTheServerAndWhere) {
  constexpr uint32_t kServerInfo = 20;
  const std::string server = text("pulseaudio") + text("16.1"),
                    rest = std::string("a\x3\x2\0\0\xac\x44", 7) + text("paper");
  auto asked = [&](const std::string& names) {
    EXPECT_EQ(say(command(kServerInfo, 5)), Verdict::forward);
    return hear(command(kReply, 5, names));
  };
  std::string told = command(kReply, 5, server + text("") + text("") + rest);
  EXPECT_EQ(asked(server + text("jane") + text("janes-laptop") + rest), told);
  EXPECT_EQ(asked(server + "N" + text("janes-laptop") + rest), told);
  for (const std::string& odd : {server, server + text("jane"), server + number(1) + text("x"), server + "tjane"}) {
    EXPECT_EQ(asked(odd), "broken");
  }
  EXPECT_EQ(say(command(kServerInfo, 5)), Verdict::forward);
  EXPECT_EQ(hear(command(kError, 5, number(1))), command(kError, 5, number(1)));
}

TEST_F(GateOfSound, TwoOpenQuestionsOfOneNumberAreBroken) {
  EXPECT_EQ(say(command(kStat, 1)), Verdict::forward);
  EXPECT_EQ(say(command(kCreatePlayback, 1)), Verdict::broken);
  hear(command(kReply, 1));
  EXPECT_EQ(say(command(kCreatePlayback, 1)), Verdict::forward);
}

TEST_F(GateOfSound, PropertiesThatServersActOnAreLeftOut) {
  std::string harmless = property("media.role", "music") + property("application.name", "x");
  for (const char* key :
       {"filter.apply", "filter.want", "media.class", "target.object", "", "Media.role", "media.role "}) {
    Gate fresh;
    std::string content = command(kCreatePlayback, 1,
                                  text("sink") + "P" + property(key, "x") + harmless + property(key, "y") + "N" + "1");
    EXPECT_EQ(fresh.judge(content), Verdict::forward) << key;
    EXPECT_EQ(content, command(kCreatePlayback, 1, text("sink") + "P" + harmless + "N" + "1")) << key;
  }
}

TEST_F(GateOfSound, EveryKindOfValuePassesAsItIs) {
  std::string values = "B\1" + std::string("R12345678r12345678a123456") + "x" + big_endian(3) + "abc" +
                       "10T12345678U12345678" + "m\2ab" + "v\2abcdefgh" + "V1234" + "fB\1" + "PN" + "N" + number(7) +
                       text("name");
  EXPECT_EQ(say(command(kCreatePlayback, 1, values)), Verdict::forward);
  EXPECT_EQ(said, command(kCreatePlayback, 1, values));
}

TEST_F(GateOfSound, WhatIsNoRowOfValuesIsBroken) {
  for (const std::string& content :
       {std::string(), std::string("L"), number(3), number(3) + text("x"), command(kStat, 1, "?"),
        command(kStat, 1, "L123"), command(kStat, 1, "tname"), command(kStat, 1, "x" + big_endian(4) + "abc"),
        command(kStat, 1, "v\3abcd"), command(kStat, 1, "P"), command(kStat, 1, "P" + text("media.role")),
        command(kStat, 1, "P" + property("media.role", "x")),
        command(kStat, 1, "P" + text("media.role") + number(2) + "x" + big_endian(1) + "aN"),
        command(kStat, 1, "PL1234N")}) {
    Gate fresh;
    std::string said_now = content;
    EXPECT_EQ(fresh.judge(said_now), Verdict::broken) << ::testing::PrintToString(content);
  }
}

TEST(HeaderOfSound, CarriesNoSharedMemory) {
  EXPECT_TRUE(is_sound_header({100, 0, 0, 0, 0}));
  EXPECT_TRUE(is_sound_header({100, 3, 1, 2, 0x04}));
  EXPECT_TRUE(is_sound_header({100, kControl, 0, 0, 0}));
  for (uint32_t flags : {0x80000000u, 0x40000000u, 0xc0000000u, 0x20000000u, 0x00800000u, 0x100u}) {
    EXPECT_FALSE(is_sound_header({100, 0, 0, 0, flags})) << flags;
    EXPECT_FALSE(is_sound_header({100, kControl, 0, 0, flags})) << flags;
  }
  EXPECT_FALSE(is_sound_header({100, kControl, 0, 0, 1}));
  EXPECT_FALSE(is_sound_header({0, 0, 0, 0, 0}));
  EXPECT_FALSE(is_sound_header({kLongestPacket + 1, 0, 0, 0, 0}));
}

TEST(HeaderOfSound, IsReadAsItIsWritten) {
  std::string whole = packet("abc");
  ASSERT_EQ(whole.size(), kHeaderSize + 3);
  Header header = parse_header(whole.data());
  EXPECT_EQ(header.length, 3u);
  EXPECT_EQ(header.channel, kControl);
  EXPECT_EQ(header.flags, 0u);
}

}  // namespace
}  // namespace sbox::sound
