#include "cli/keep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<size_t> chosen(const std::string& answer, size_t items = 5) {
  std::optional<Choice> choice = parse_choice(answer, items);
  std::vector<size_t> numbers;
  for (size_t i = 0; choice && i < items; ++i) {
    if (choice->taken[i]) numbers.push_back(i + 1);
  }
  return choice ? numbers : std::vector<size_t>{0};
}

TEST(Choice, IsNumbersAndRanges) {
  EXPECT_THAT(chosen("2"), ElementsAre(2));
  EXPECT_THAT(chosen(" 1 3-5 "), ElementsAre(1, 3, 4, 5));
  EXPECT_THAT(chosen("1,2,\t5"), ElementsAre(1, 2, 5));
  EXPECT_THAT(chosen("all"), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(chosen("2!"), ElementsAre(2));
  for (const char* nothing : {"", "  ", "none", "!"}) EXPECT_THAT(chosen(nothing), ElementsAre()) << nothing;
}

TEST(Choice, WhateverElseIsNone) {
  for (const char* answer : {"0",
                             "6",
                             "1-6",
                             "3-2",
                             "-1",
                             "1-",
                             "-",
                             "1--2",
                             "x",
                             "y",
                             "yes",
                             "1 x",
                             "all 1",
                             "none 1",
                             "1!!",
                             "!1",
                             "99999999999999999999",
                             "1-99999999999999999999",
                             "1.5",
                             "+1"}) {
    EXPECT_THAT(chosen(answer), ElementsAre(0)) << answer;
  }
}

TEST(Choice, IsForcedByAnExclamationMarkAlone) {
  EXPECT_TRUE(parse_choice("1!", 5)->force);
  EXPECT_TRUE(parse_choice("all !", 5)->force);
  EXPECT_FALSE(parse_choice("all", 5)->force);
}

Change change(const std::string& path, FileKind now, FileKind before, ChangeKind kind) {
  Change made;
  made.path = path;
  made.now = now;
  made.before = before;
  made.kind = kind;
  return made;
}

TEST(Items, ANewDirectoryIsOneWithAllThatIsInIt) {
  using enum FileKind;
  std::vector<Change> changes = {
      change("a", directory, missing, ChangeKind::added),    change("a/b", directory, missing, ChangeKind::added),
      change("a/b/c", file, missing, ChangeKind::added),     change("ab", file, missing, ChangeKind::added),
      change("old", directory, directory, ChangeKind::none), change("old/x", file, file, ChangeKind::changed),
      change("old/y", missing, file, ChangeKind::deleted)};
  std::vector<std::string> heads;
  std::vector<size_t> sizes;
  for (const Item& item : items_of(changes)) {
    heads.push_back(item.changes.front()->path);
    sizes.push_back(item.changes.size());
  }
  EXPECT_THAT(heads, ElementsAre("a", "ab", "old/x", "old/y"));
  EXPECT_THAT(sizes, ElementsAre(3, 1, 1, 1));
  EXPECT_THAT(item_line(items_of(changes)[0]), HasSubstr("with 2 more"));
}

}  // namespace
}  // namespace sbox::testing
