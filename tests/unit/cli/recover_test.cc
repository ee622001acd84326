#include "cli/recover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/strings.h"
#include "cli/tool.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Change file(const std::string& path, ChangeKind kind = ChangeKind::added, time_t when = 10) {
  Change change;
  change.kind = kind;
  change.path = path;
  change.now = FileKind::file;
  change.before = kind == ChangeKind::added ? FileKind::missing : FileKind::file;
  change.status.st_mode = S_IFREG | 0644;
  change.status.st_size = 5;
  change.status.st_ctim.tv_sec = when;
  return change;
}

std::vector<std::string> offered(const std::vector<Change>& changes, const std::vector<std::string>& directories,
                                 time_t since = 0) {
  std::vector<std::string> paths;
  for (const Change* change : recoverable(changes, directories, {since, 0})) paths.push_back(change->path);
  return paths;
}

TEST(Recoverable, AreFilesAtOrBelowThePlaces) {
  std::vector<Change> changes = {file("a/x"), file("a/b/y", ChangeKind::changed), file("ab"), file("c"), file("d/z")};
  EXPECT_THAT(offered(changes, {"a", "c"}), ElementsAre("a/x", "a/b/y", "c"));
  EXPECT_THAT(offered(changes, {}), ElementsAre());
}

TEST(Recoverable, IsNothingButRegularFilesThatCanBeTakenOver) {
  Change link = file("a/link"), stays = file("a/stays");
  link.now = FileKind::symlink;
  stays.obstacle = "it is sbox's own";
  Change gone = file("a/gone", ChangeKind::deleted);
  gone.now = FileKind::missing;
  EXPECT_THAT(offered({link, stays, gone, file("a/same", ChangeKind::none), file("a/x")}, {"a"}), ElementsAre("a/x"));
}

TEST(Recoverable, IsWhatThisRunChanged) {
  EXPECT_THAT(offered({file("a/before", ChangeKind::added, 9), file("a/then"), file("a/later", ChangeKind::added, 11)},
                      {"a"}, 10),
              ElementsAre("a/then", "a/later"));
}

std::string text_of(const std::vector<Change>& changes) {
  std::vector<const Change*> files;
  for (const Change& change : changes) files.push_back(&change);
  return offer_text(files);
}

TEST(OfferText, NamesSomeFilesWithTheirSizes) {
  EXPECT_EQ(text_of({file("a/x"), file("b")}), "~/a/x  5\n~/b  5");
  std::vector<Change> many(7, file("a"));
  EXPECT_THAT(text_of(many), EndsWith("~/a  5\nand 2 more"));
}

TEST(OfferText, HoldsNoControlCharacterAndNoLongName) {
  EXPECT_EQ(text_of({file("a\x1b\n\xff\u202e")}), "~/a\\x1b\\x0a\\xff\\u{202e}  5");
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "ü";
  std::string text = text_of({file("x" + umlauts + ".exe")});
  EXPECT_LT(text.size(), 120u);
  EXPECT_THAT(text, HasSubstr("…"));
  EXPECT_THAT(text, EndsWith("ü.exe  5"));
  EXPECT_TRUE(is_utf8(text));
}

TEST(OfferText, TellsOfAConflict) {
  Change change = file("a", ChangeKind::changed);
  change.is_conflict = true;
  EXPECT_THAT(text_of({change}), HasSubstr("changed on the host too"));
}

TEST(ForceCommand, IsForAShell) {
  EXPECT_EQ(force_command("o", "a b"), "sbox commit --force 'o' '~/a b'");
  EXPECT_EQ(force_command("o", "it's $(x)"), "sbox commit --force 'o' '~/it'\\''s $(x)'");
  EXPECT_EQ(force_command("o", "a\nb"), "sbox diff 'o'");
}

TEST(AskTool, GivesWhatWasSaidInTime) {
  constexpr long kLong = 20000, kShort = 50;
  EXPECT_EQ(ask_tool({"/bin/sh", "-c", "echo 1; echo yes"}, environ, kLong, kLong), "1\nyes\n");
  EXPECT_EQ(ask_tool({"/bin/sh", "-c", "echo yes; exit 1"}, environ, kLong, kLong), std::nullopt);
  EXPECT_EQ(ask_tool({"/nonexistent"}, environ, kLong, kLong), std::nullopt);
  EXPECT_EQ(ask_tool({"/bin/sh", "-c", "echo yes; exec sleep 60"}, environ, kLong, kShort), std::nullopt);
  EXPECT_EQ(ask_tool({"/bin/sh", "-c", "exec sleep 60"}, environ, kShort, kLong), std::nullopt);
  EXPECT_EQ(ask_tool({"/bin/sh", "-c", "trap '' INT; echo yes; exec sleep 60"}, environ, kLong, kShort), std::nullopt);
}

}  // namespace
}  // namespace sbox::testing
