// Policy is only what root and the user alone can write.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "profile/trusted_file.h"
#include "testing.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uid_t kStranger = 12345;

TEST(Trust, AFileThatOthersCanWriteIsRefusedWithTheRemedy) {
  for (mode_t mode : {0664, 0646, 0666}) {
    ProfileTree tree;
    tree.write("user/a.profile", "", mode);
    EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/user/a.profile: profile: can be written by others"));
    EXPECT_THAT(tree.failure("a"), HasSubstr("chmod go-w 'ROOT/user/a.profile'"));
  }
}

TEST(Trust, OneRemedyIsForAllThatAUserHasWritten) {
  ProfileTree tree;
  std::string file = tree.write("ann/.config/sbox/profiles/a.profile", "", 0664);
  EXPECT_THAT(tree.failure(file), HasSubstr("chmod -R go-w 'ROOT/ann/.config/sbox'"));
  chmod(tree.path("ann/.config/sbox/profiles").c_str(), 0775);
  EXPECT_THAT(tree.failure(file), HasSubstr("chmod -R go-w 'ROOT/ann/.config/sbox'"));
}

TEST(Trust, ADirectoryThatOthersCanWriteIsRefused) {
  ProfileTree tree;
  tree.write("share/a.profile", "[profile]\ninclude = lib/b\n");
  tree.write("share/lib/b.profile", "");
  tree.write("etc/a.profile.d/x.conf", "");
  EXPECT_EQ(tree.failure("a"), "");
  for (const char* directory : {"user", "share", "share/lib", "etc/a.profile.d"}) {
    chmod(tree.path(directory).c_str(), 0775);
    EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/" + std::string(directory) + ": ")) << directory;
    chmod(tree.path(directory).c_str(), 0755);
  }
}

TEST(Trust, AFileNamedByItsPathIsHeldToTheSame) {
  ProfileTree tree;
  std::string file = tree.write("there/a.profile", "");
  EXPECT_EQ(tree.failure(file), "");
  chmod(tree.path("there").c_str(), 0777);
  EXPECT_THAT(tree.failure(file), StartsWith("ROOT/there: "));
}

TEST(Trust, AStickyDirectoryOfRootIsNobodysToChange) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to make a directory of root's";
  ProfileTree tree;
  std::string file = tree.write("there/a.profile", "");
  chmod(tree.path("there").c_str(), 01777);
  EXPECT_EQ(tree.failure(file), "");
}

TEST(Trust, WhatAnotherUserOwnsIsRefused) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  ProfileTree tree;
  tree.write("user/a.profile", "");
  tree.write("share/a.profile", "");
  ASSERT_EQ(chown(tree.path("user/a.profile").c_str(), kStranger, 0), 0);
  EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/user/a.profile: profile: belongs to user 12345"));
  ASSERT_EQ(chown(tree.path("user/a.profile").c_str(), 0, 0), 0);
  ASSERT_EQ(chown(tree.path("user").c_str(), kStranger, 0), 0);
  EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/user: "));
}

TEST(Trust, WhatIsNoRegularFileIsRefusedUnread) {
  ProfileTree tree;
  ASSERT_EQ(mkfifo(tree.path("user/pipe.profile").c_str(), 0600), 0);
  tree.make_directory("user/directory.profile");
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {AF_UNIX, ""};
  strncpy(address.sun_path, tree.path("user/socket.profile").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(fd);
  ASSERT_EQ(symlink("/dev/null", tree.path("user/null.profile").c_str()), 0);
  for (const char* name : {"pipe", "directory", "socket", "null"}) {
    EXPECT_THAT(tree.failure(name), StartsWith("ROOT/user/" + std::string(name) + ".profile: ")) << name;
  }
  EXPECT_THAT(tree.failure("/dev/null"), HasSubstr("not a regular file"));
}

TEST(Trust, AFileThatCannotBeReadIsAnErrorAndNoneBelowTakesItsPlace) {
  if (getuid() == 0) GTEST_SKIP() << "root can read everything";
  ProfileTree tree;
  tree.write("user/a.profile", "", 0000);
  tree.write("share/a.profile", "");
  EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/user/a.profile: "));
}

TEST(Trust, ALinkIsFollowedToAFileAsTrusted) {
  ProfileTree tree;
  tree.write("dotfiles/real.profile", "[devices]\ngpu = yes\n");
  ASSERT_EQ(symlink("../dotfiles/real.profile", tree.path("user/a.profile").c_str()), 0);
  EXPECT_TRUE(tree.read("a").flag(Key::devices_gpu));
  chmod(tree.path("dotfiles/real.profile").c_str(), 0666);
  EXPECT_THAT(tree.failure("a"), HasSubstr("can be written by others"));
  chmod(tree.path("dotfiles/real.profile").c_str(), 0644);
  chmod(tree.path("dotfiles").c_str(), 0777);
  EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/dotfiles: "));
}

TEST(Trust, ALinkOfAnotherUserIsNotFollowed) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to give a link away";
  ProfileTree tree;
  tree.write("dotfiles/real.profile", "");
  ASSERT_EQ(symlink("../dotfiles/real.profile", tree.path("user/a.profile").c_str()), 0);
  ASSERT_EQ(lchown(tree.path("user/a.profile").c_str(), kStranger, 0), 0);
  EXPECT_THAT(tree.failure("a"), HasSubstr("belongs to user 12345"));
}

TEST(Trust, MagicLinksAreNeverFollowed) {
  ProfileTree tree;
  std::string file = tree.write("there/a.profile", "");
  int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  std::string magic = "/proc/self/fd/" + std::to_string(fd);
  ASSERT_EQ(symlink(magic.c_str(), tree.path("user/a.profile").c_str()), 0);
  EXPECT_THAT(tree.failure("a"), HasSubstr("not followed"));
  EXPECT_NE(tree.failure(magic), "");
  close(fd);
}

TEST(Trust, ALinkToItselfIsAnError) {
  ProfileTree tree;
  ASSERT_EQ(symlink("a.profile", tree.path("user/a.profile").c_str()), 0);
  EXPECT_THAT(tree.failure("a"), HasSubstr("not followed"));
}

TEST(Trust, ASearchDirectoryThatIsNoneIsAnError) {
  ProfileTree tree;
  SearchPath search{{tree.write("file", ""), tree.path("user")}};
  EXPECT_THROW(read_profile(search, "a"), Error);
  EXPECT_THROW(list_profiles(search), Error);
}

TEST(Trust, FilesMayHave256KiBAndNotMore) {
  ProfileTree tree;
  std::string line(128, '#');
  line.back() = '\n';
  std::string content;
  while (content.size() < kLargestProfile) content += line;
  tree.write("user/a.profile", content);
  EXPECT_EQ(tree.failure("a"), "");
  tree.write("user/a.profile", content + "\n");
  EXPECT_THAT(tree.failure("a"), HasSubstr("larger than 256 KiB"));
}

}  // namespace
}  // namespace sbox::testing
