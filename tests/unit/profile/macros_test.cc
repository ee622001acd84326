#include "profile/macros.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"

namespace sbox {
namespace {

std::string expand(std::string_view text, std::map<std::string, std::string, std::less<>> values = {}) {
  values.insert({{"HOME", "/home/a"}, {"RUNTIME", "/run/user/7"}, {"UID", "7"}, {"DOWNLOADS", "/data/${HOME}"}});
  return expand_macros(text, [&](std::string_view name) -> std::optional<std::string> {
    auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(Macros, StandForTheirValues) {
  EXPECT_EQ(expand("/a b"), "/a b");
  EXPECT_EQ(expand("/"), "/");
  EXPECT_EQ(expand("~"), "/home/a");
  EXPECT_EQ(expand("~/x"), "/home/a/x");
  EXPECT_EQ(expand("${HOME}/x"), "/home/a/x");
  EXPECT_EQ(expand("/run/user/${UID}/x-${UID}"), "/run/user/7/x-7");
  EXPECT_EQ(expand("/x/~"), "/x/~");
}

TEST(Macros, AreNotExpandedTwice) { EXPECT_EQ(expand("${DOWNLOADS}/x"), "/data/${HOME}/x"); }

TEST(Macros, OfARootHomeLeaveOneSlash) {
  EXPECT_EQ(expand("~/x", {{"HOME", "/"}}), "/x");
  EXPECT_EQ(expand("~", {{"HOME", "/"}}), "/");
  EXPECT_EQ(expand("~/x", {{"HOME", "/home/a/"}}), "/home/a/x");
}

TEST(Macros, WithBadValuesAreErrors) {
  EXPECT_THROW(expand("~/x", {{"HOME", "home"}}), Error);
  EXPECT_THROW(expand("~/x", {{"HOME", ""}}), Error);
  EXPECT_THROW(expand("~/x", {{"HOME", "/a\n/b"}}), Error);
  EXPECT_THROW(expand("~/x", {{"HOME", "/a/../b"}}), Error);
  EXPECT_THROW(expand("~/x", {{"HOME", "/\xff"}}), Error);
  EXPECT_THROW(expand("/run/${UID}", {{"UID", "../7"}}), Error);
  EXPECT_THROW(expand("/run/${UID}", {{"UID", ".."}}), Error);
  EXPECT_THROW(expand("/run/${UID}${UID}", {{"UID", "."}}), Error);
}

TEST(Macros, OfFoldersThatAreSwitchedOffSayWhere) {
  try {
    expand("${MUSIC}/x", {{"MUSIC", ""}});
    FAIL() << "expanded";
  } catch (const Error& error) {
    EXPECT_NE(error.line().find("user-dirs.dirs"), std::string::npos) << error.line();
  }
}

TEST(Macros, ThatAreUnknownAreErrors) {
  EXPECT_THROW(expand("${MUSIC}/x"), Error);
  EXPECT_THROW(expand("${NOTHING}/x"), Error);
  EXPECT_THROW(expand("${HOME"), Error);
}

TEST(Macros, MakeAbsolutePathsOnly) {
  EXPECT_THROW(expand(""), Error);
  EXPECT_THROW(expand("a"), Error);
  EXPECT_THROW(expand("${UID}"), Error);
}

}  // namespace
}  // namespace sbox
