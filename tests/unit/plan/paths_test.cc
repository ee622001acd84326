#include "plan/paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace sbox {
namespace {

TEST(Paths, AreNormalisedWithoutLookingAtTheHost) {
  EXPECT_EQ(normalise("/a//b/./c/"), "/a/b/c");
  EXPECT_EQ(normalise("///"), "/");
  EXPECT_EQ(normalise("/a/../b"), std::nullopt);
  EXPECT_EQ(normalise("a/b"), std::nullopt);
  EXPECT_EQ(normalise(""), std::nullopt);
  EXPECT_EQ(normalise(std::string_view("/a\0b", 4)), std::nullopt);
}

TEST(Paths, ASharedBeginningOfANameIsNotADirectory) {
  EXPECT_FALSE(is_at_or_below("/home/anna", "/home/ann"));
  EXPECT_TRUE(is_below("/home/ann/x", "/home/ann"));
  EXPECT_FALSE(is_below("/home/ann", "/home/ann"));
  EXPECT_TRUE(is_below("/home", "/"));
  EXPECT_FALSE(is_below("/", "/"));
}

TEST(Paths, AreSplitAndMoved) {
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("/"), "/");
  EXPECT_EQ(base_name("/a/b"), "b");
  EXPECT_EQ(join("/", "a"), "/a");
  EXPECT_EQ(rebase("/a/b/c", "/a", "/x"), "/x/b/c");
  EXPECT_EQ(rebase("/a", "/a", "/x"), "/x");
  EXPECT_EQ(rebase("/a", "/", "/x"), "/x/a");
}

TEST(Paths, AreOrderedParentsFirstWithAllThatIsBelowRightAfter) {
  std::vector<std::string> paths = {"/a-b", "/a/b", "/a", "/", "/a/b/c", "/a b", "/ab"};
  std::sort(paths.begin(), paths.end(), PathOrder());
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/a", "/a/b", "/a/b/c", "/a b", "/a-b", "/ab"}));
}

}  // namespace
}  // namespace sbox
