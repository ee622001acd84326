#include "plan/xauthority.h"

#include <gtest/gtest.h>

namespace sbox {
namespace {

const XauthorityEntry kOurs{XauthorityEntry::kLocal, "workshop", "0", "MIT-MAGIC-COOKIE-1", "0123456789abcdef"};

TEST(Xauthority, WhatIsWrittenIsReadAgain) {
  std::vector<XauthorityEntry> entries = {kOurs, {XauthorityEntry::kWild, "", "", "OTHER", std::string("\0\xff", 2)}};
  EXPECT_EQ(parse_xauthority(write_xauthority(entries)), entries);
  EXPECT_EQ(parse_xauthority("")->size(), 0u);
}

TEST(Xauthority, AFileThatEndsInAnEntryIsRefused) {
  std::string bytes = write_xauthority({kOurs});
  for (size_t size = 1; size < bytes.size(); ++size) EXPECT_FALSE(parse_xauthority(bytes.substr(0, size))) << size;
}

TEST(Xauthority, TheCookieOfThisHostAndDisplayGoesFirst) {
  XauthorityEntry any{XauthorityEntry::kWild, "", "", "MIT-MAGIC-COOKIE-1", "any"};
  EXPECT_EQ(find_cookie({any, kOurs}, "workshop", "0"), kOurs);
  EXPECT_EQ(find_cookie({any, kOurs}, "workshop", "1"), any);
  EXPECT_EQ(find_cookie({kOurs}, "elsewhere", "0"), std::nullopt);
  EXPECT_EQ(find_cookie({kOurs}, "workshop", "1"), std::nullopt);
}

TEST(Xauthority, OtherKindsOfCookiesAreLeftOut) {
  XauthorityEntry other = kOurs;
  other.name = "XDM-AUTHORIZATION-1";
  EXPECT_EQ(find_cookie({other}, "workshop", "0"), std::nullopt);
}

}  // namespace
}  // namespace sbox
