#include "cli/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string failure(const std::vector<std::string>& arguments, size_t most = SIZE_MAX) {
  try {
    parse_words("log", arguments, {"--all", "--json"}, most);
    return "";
  } catch (const Error& error) {
    return error.line();
  }
}

TEST(Words, AreOptionsAnywhereAndNames) {
  Words words = parse_words("log", {"a", "--all", "b"}, {"--all", "--json"});
  EXPECT_TRUE(words.has("--all"));
  EXPECT_FALSE(words.has("--json"));
  EXPECT_THAT(words.names, ElementsAre("a", "b"));
  EXPECT_THAT(words.behind_first(), ElementsAre("b"));
  EXPECT_EQ(words.name(1), "b");
  EXPECT_EQ(words.name(2), "");
  EXPECT_THAT(parse_words("log", {}, {}).behind_first(), IsEmpty());
}

TEST(Words, BehindTwoDashesAreNames) {
  Words words = parse_words("log", {"--", "--all", "--"}, {"--all"});
  EXPECT_THAT(words.options, IsEmpty());
  EXPECT_THAT(words.names, ElementsAre("--all", "--"));
}

TEST(Words, RefuseAnotherOptionAndNameTheNearest) {
  EXPECT_THAT(failure({"--jsno"}), HasSubstr("log '--jsno': there is no such option (did you mean --json?)"));
  EXPECT_THAT(failure({"-x"}), HasSubstr("there is no such option (sbox log [--all] [--json] [INSTANCE])"));
}

TEST(Words, RefuseAnEmptyOneAndOneTooMany) {
  EXPECT_THAT(failure({"a", ""}), HasSubstr("log: a name or a path is empty"));
  EXPECT_EQ(failure({"a"}, 1), "");
  EXPECT_THAT(failure({"a", "b"}, 1), HasSubstr("log 'b': is one word too many"));
}

}  // namespace
}  // namespace sbox::testing
