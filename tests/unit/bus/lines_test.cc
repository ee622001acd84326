#include "bus/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sbox::bus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string text_of(const Refused& refused) {
  return std::to_string(static_cast<int>(refused.kind)) + " " + std::string(refused.name) + " " +
         std::string(refused.interface) + " " + std::string(refused.member) + " " + std::string(refused.path);
}

// What comes out when the text comes in parts of that size.
std::vector<std::string> refused_in(std::string_view text, size_t size = 1000) {
  std::vector<std::string> all;
  Lines lines;
  while (!text.empty()) {
    lines.take(text.substr(0, size), [&](const Refused& refused) { all.push_back(text_of(refused)); });
    text.remove_prefix(std::min(size, text.size()));
  }
  return all;
}

// As version 0.1.4 prints it.
constexpr char kSession[] =
    "C1: -> org.freedesktop.DBus call org.freedesktop.DBus.Hello at /org/freedesktop/DBus\n"
    "C2: -> org.freedesktop.DBus fake AddMatch for org.example.Talk\n"
    "B2: <- org.freedesktop.DBus return from C1\n"
    "*SKIPPED*\n"
    "C5: -> org.example.No call org.example.No.Do at /x\n"
    "*HIDDEN* (ping)\n"
    "B6: <- org.freedesktop.DBus return from C5\n"
    "*REWRITTEN*\n"
    "C6: -> org.example.Talk call org.example.Talk.Do at /x\n"
    "B7: <- :1.4 return from C6\n"
    "C7: -> org.example.Part signal org.example.Part.Changed at /x/y\n"
    "*DENIED*\n"
    "C8: -> org.freedesktop.DBus call org.freedesktop.DBus.RequestName at /\n"
    "Filtering message due to arg0 org.example.Mine, policy: 0 (required 3)\n"
    "*HIDDEN* (ping)\n"
    "C9: -> org.freedesktop.DBus call org.freedesktop.DBus.NameHasOwner at /\n"
    "Filtering message due to arg0 org.example.Seen, policy: 0 (required 1)\n"
    "B9: <- :1.7 signal org.example.Other.Changed at /\n"
    "*FILTERED IN*\n";

TEST(BusLines, TellWhatWasRefused) {
  EXPECT_THAT(refused_in(kSession),
              ElementsAre("1 org.example.No org.example.No Do /x", "2 org.example.Part org.example.Part Changed /x/y",
                          "3 org.example.Mine org.freedesktop.DBus RequestName /",
                          "4 org.example.Seen org.freedesktop.DBus NameHasOwner /"));
}

TEST(BusLines, MayComeInAnyParts) {
  for (size_t size = 1; size < sizeof kSession; ++size) EXPECT_EQ(refused_in(kSession, size), refused_in(kSession));
}

TEST(BusLines, WithoutAMessageInFrontSayNothing) {
  for (const char* text :
       {"*HIDDEN*\n", "B1: <- x call a.b at /\n*HIDDEN*\n", "C1: -> x return from B2\n*DENIED*\n",
        "C1: -> x call a.b at /\n*HIDDEN*", "C1: -> x call nothing at /\n*HIDDEN*\n", "C\n*HIDDEN*\n",
        "Filtering message due to arg0 \n", "C1: -> x call a.b at /\nC2\n*HIDDEN*\n"}) {
    EXPECT_THAT(refused_in(text), IsEmpty()) << text;
  }
}

TEST(BusLines, CountARefusalOnce) {
  EXPECT_THAT(refused_in("C1: -> x.y call a.b at /\n*HIDDEN*\n*HIDDEN*\n"), ElementsAre("1 x.y a b /"));
}

TEST(BusLines, OfAnyLengthTakeLittleMemory) {
  std::string path(100'000, 'p');
  std::vector<std::string> all =
      refused_in("C1: -> x.y call a.b at /" + path + "\n*HIDDEN*\nC2: -> x.z call a.b at /\n*DENIED*\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_LT(all[0].size(), 5000U);
  EXPECT_EQ(all[1], "1 x.z a b /");
}

}  // namespace
}  // namespace sbox::bus
