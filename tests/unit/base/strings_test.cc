#include "base/strings.h"

#include <gtest/gtest.h>

namespace sbox {
namespace {

using std::string_literals::operator""s;

TEST(Strings, TrimTakesSpacesAndTabsFromBothEnds) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim("\na"), "\na");
}

TEST(Strings, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
}

TEST(Strings, PartsAreTakenOffTheFront) {
  std::string_view text = "a::b";
  EXPECT_EQ(take_part(text, ':'), "a");
  EXPECT_EQ(take_part(text, ':'), "");
  EXPECT_EQ(text, "b");
  EXPECT_EQ(take_part(text, ':'), "b");
  EXPECT_EQ(text, "");
  EXPECT_EQ(take_part(text, ':'), "");
}

TEST(Strings, WhatCouldSteerATerminalIsEscaped) {
  EXPECT_EQ(escape_control("a\x1b[2K\n\x7f"), "a\\x1b[2K\\x0a\\x7f");
  EXPECT_EQ(escape_control("\0"s), "\\x00");
  EXPECT_EQ(escape_control("\xc2\x9b"), "\\u{009b}");
  EXPECT_EQ(escape_control("\xe2\x80\xae"), "\\u{202e}");
  EXPECT_EQ(escape_control("\xe2\x80\xa8"), "\\u{2028}");
  EXPECT_EQ(escape_control("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(escape_control("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
  EXPECT_TRUE(is_safe_to_show("a~ \xc3\xbc"));
  for (const char* text : {"a\n", "\x7f", "\xc2\x9b", "\xff"}) EXPECT_FALSE(is_safe_to_show(text)) << text;
}

TEST(Strings, QuoteIsForSentences) { EXPECT_EQ(quote("a\n"), "'a\\x0a'"); }

TEST(Strings, Utf8IsStrict) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("\0"s));
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));
  for (const char* bytes : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5"}) {
    EXPECT_FALSE(is_utf8(bytes));
  }
}

TEST(Strings, NearestFindsATypoAndNothingFarther) {
  const std::vector<std::string> words = {"read-only", "read-write", "hide", "tmpfs"};
  EXPECT_EQ(nearest("raed-only", words), "read-only");
  EXPECT_EQ(nearest("hied", words), "hide");
  EXPECT_EQ(nearest("network", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
  EXPECT_EQ(nearest(std::string(10000, 'a'), words), std::nullopt);
}

TEST(Strings, NumbersAreDecimalDigitsThatFit) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615u);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616", "99999999999999999999"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(HostNames, MatchThemselvesOrWhatIsBelow) {
  EXPECT_TRUE(matches_host("example.org", "example.org"));
  EXPECT_FALSE(matches_host("example.org", "www.example.org"));
  EXPECT_TRUE(matches_host("*.example.org", "www.example.org"));
  EXPECT_TRUE(matches_host("*.example.org", "a.b.example.org"));
  EXPECT_FALSE(matches_host("*.example.org", "example.org"));
  EXPECT_FALSE(matches_host("*.example.org", "badexample.org"));
  EXPECT_FALSE(matches_host("*.example.org", ".example.org.evil"));
}

}  // namespace
}  // namespace sbox
