#include "overlay/record.h"

#include <gtest/gtest.h>

namespace sbox::testing {
namespace {

TEST(Record, IsReadAsItWasWritten) {
  OverlayRecord record{"/home/ann", {1700000000, 999999999}, true, SnapshotFacts{{1700000001, 1}, 3, 1ULL << 40}};
  std::optional<OverlayRecord> again = parse_record(record_text(record));
  ASSERT_TRUE(again && again->snapshot);
  EXPECT_EQ(again->home, record.home);
  EXPECT_TRUE(again->blank);
  EXPECT_EQ(again->began.tv_sec, 1700000000);
  EXPECT_EQ(again->began.tv_nsec, 999999999);
  EXPECT_EQ(again->snapshot->made.tv_sec, 1700000001);
  EXPECT_EQ(again->snapshot->files, 3u);
  EXPECT_EQ(again->snapshot->bytes, 1ULL << 40);
}

TEST(Record, TheHomeMayBeOfAnyBytes) {
  for (const char* home : {"/home/\xe4", "/home/gr\xc3\xbc\xc3\x9f", "/\xff\xfe\"\\"}) {
    std::optional<OverlayRecord> again = parse_record(record_text({home, {1, 2}, false, std::nullopt}));
    ASSERT_TRUE(again) << home;
    EXPECT_EQ(again->home, home);
  }
}

TEST(Record, WhateverElseIsRefused) {
  for (const char* text :
       {"", "{", "[]", "null", "{}", R"({"home":"/a"})", R"({"home":"/a","began":[1]})",
        R"({"home":"/a","began":[1,"2"]})", R"({"home":"/a","began":[1,2.5]})", R"({"home":"/a","began":[1,-1]})",
        R"({"home":"/a","began":[1,1000000000]})", R"({"home":["/a"],"began":[1,2]})", R"({"began":[1,2]})",
        R"({"home":"/a","home_bytes":[47,256],"began":[1,2]})",
        R"({"home":"/a","home_bytes":[47,"a"],"began":[1,2]})"}) {
    EXPECT_FALSE(parse_record(text)) << text;
  }
  EXPECT_TRUE(parse_record(R"({"home":"/a","began":[1,2]})")) << "the control";
}

TEST(Record, FactsThatAreNoneAreLeftOut) {
  for (const char* facts : {"1", "{}", R"({"made":[1,2],"files":1})", R"({"made":[1,2],"files":-1,"bytes":2})",
                            R"({"made":1,"files":1,"bytes":2})"}) {
    std::optional<OverlayRecord> record =
        parse_record(std::string(R"({"home":"/a","began":[1,2],"snapshot":)") + facts + "}");
    ASSERT_TRUE(record) << facts;
    EXPECT_FALSE(record->snapshot) << facts;
  }
}

TEST(Taken, PathsMayHoldAnythingButNul) {
  timespec early{1, 2}, late{3, 4};
  std::string odd = "a b\n1 2 \xff";
  auto taken = parse_taken(taken_line("x", early) + taken_line(odd, early) + taken_line("x", late));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken["x"].tv_sec, 3) << "the last one counts";
  EXPECT_EQ(taken[odd].tv_nsec, 2);
}

TEST(Taken, LinesThatAreNoneArePassedOver) {
  std::string text("1 2 cut short, without an end");
  EXPECT_TRUE(parse_taken(text).empty());
  // Numbers that are no time.
  text = std::string("18446744073709551615 2 x\0001 1000000000 x\000", 40);
  EXPECT_TRUE(parse_taken(text).empty());
  text = std::string("x 2 a\0001 x b\0001 2 \000\0001 2 good\000", 27);
  auto taken = parse_taken(text);
  EXPECT_EQ(taken.size(), 1u);
  EXPECT_TRUE(taken.contains("good"));
}

}  // namespace
}  // namespace sbox::testing
