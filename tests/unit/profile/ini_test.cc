// What is read well, and that inih is what we take it for.
#include "profile/ini.h"

#include <gtest/gtest.h>
#include <ini.h>

#include "base/error.h"

namespace sbox {
namespace {

TEST(Inih, PassesLinesOf198BytesWhole) {
  std::string description(198 - sizeof("description = ") + 1, 'x');
  IniFile file = parse_ini("f", "[profile]\ndescription = " + description + "\n");
  ASSERT_EQ(file.entries.size(), 1u);
  EXPECT_EQ(file.entries[0].texts[0].text, description);
}

TEST(Inih, IsBuiltWithTheOptionsThatTheReaderWasCheckedAgainst) {
  EXPECT_EQ(ini_max_line, 200);
  EXPECT_TRUE(ini_use_stack);
  EXPECT_TRUE(ini_allow_multiline);
  EXPECT_TRUE(ini_allow_inline_comments);
  EXPECT_STREQ(ini_start_comment_prefixes, ";#");
  EXPECT_STREQ(ini_inline_comment_prefixes, ";");
  EXPECT_FALSE(ini_allow_no_value);
  EXPECT_FALSE(ini_stop_on_first_error);
}

TEST(Ini, AnEmptyFileHoldsNothing) { EXPECT_TRUE(parse_ini("f", "").entries.empty()); }

TEST(Ini, CommentsStandAtTheStartOfALineAlsoWithinAList) {
  IniFile file = parse_ini("f", "# a\n; b\n[s]\n#c\nk = v\n# d\n  w\n;e\n  x\n");
  ASSERT_EQ(file.entries.size(), 1u);
  ASSERT_EQ(file.entries[0].texts.size(), 3u);
  EXPECT_EQ(file.entries[0].texts[2].text, "x");
  EXPECT_EQ(file.entries[0].texts[2].line, 9);
}

TEST(Ini, EveryTextKnowsItsLine) {
  IniFile file = parse_ini("f", "[s]\n\nk=\n\tv\n  w\n\n[t]\nl = a = b:c;d\n");
  ASSERT_EQ(file.entries.size(), 2u);
  EXPECT_EQ(file.entries[0].line, 3);
  EXPECT_EQ(file.entries[0].texts[0].text, "");
  EXPECT_EQ(file.entries[0].texts[1].line, 4);
  EXPECT_EQ(file.entries[1].section, "t");
  EXPECT_EQ(file.entries[1].texts[0].text, "a = b:c;d");
  EXPECT_EQ(file.sections[1].line, 7);
}

TEST(Ini, AKeyMayBeClearedBeforeItIsSet) {
  IniFile file = parse_ini("f", "[s]\nk =\nk = v\n");
  ASSERT_EQ(file.entries.size(), 2u);
  EXPECT_TRUE(file.entries[0].is_empty());
  EXPECT_FALSE(file.entries[1].is_empty());
}

TEST(Ini, ASignStandsRightBeforeTheEqualsSignAndIsNoPartOfTheKey) {
  IniFile file = parse_ini("f", "[s]\nk =\nk += a\nk-=b\n  c\nl - = d\nm = -= e\n");
  ASSERT_EQ(file.entries.size(), 5u);
  const std::pair<const char*, char> kExpected[] = {{"k", '\0'}, {"k", '+'}, {"k", '-'}, {"l -", '\0'}, {"m", '\0'}};
  for (size_t i = 0; i < file.entries.size(); ++i) {
    EXPECT_EQ(file.entries[i].key, kExpected[i].first) << i;
    EXPECT_EQ(file.entries[i].sign, kExpected[i].second) << i;
  }
  EXPECT_EQ(file.entries[2].texts[1].text, "c");
  EXPECT_EQ(file.entries[4].texts[0].text, "-= e");
}

TEST(Ini, TheSameKeyInTwoSectionsIsTwoKeys) {
  EXPECT_EQ(parse_ini("f", "[s]\nmode = v\n[t]\nmode = w\n").entries.size(), 2u);
}

}  // namespace
}  // namespace sbox
