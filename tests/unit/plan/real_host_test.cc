#include "plan/real_host.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sbox {
namespace {

using ::testing::ElementsAre;

class OnDisk : public ::testing::Test {
 protected:
  OnDisk() {
    std::string pattern = std::filesystem::temp_directory_path() / "sbox-host-XXXXXX";
    root = std::filesystem::canonical(mkdtemp(pattern.data()));
  }
  ~OnDisk() override { std::filesystem::remove_all(root); }

  void write(const std::string& name, const std::string& text) { std::ofstream(root + "/" + name) << text; }

  std::string root;
  const char* environment[4] = {"A=1", "=odd", "B=x=y", nullptr};
  RealHost host{environment};
};

TEST_F(OnDisk, PathsAreResolvedThroughLinks) {
  std::filesystem::create_directories(root + "/a/b");
  write("a/b/f", "text");
  std::filesystem::create_symlink("a", root + "/link");
  Resolved found = host.resolve(root + "/link/b/f");
  EXPECT_EQ(found.path, root + "/a/b/f");
  EXPECT_EQ(found.status.kind, FileKind::file);
  EXPECT_EQ(found.status.uid, getuid());
  ASSERT_EQ(found.links.size(), 1u);
  EXPECT_EQ(found.links[0].path, root + "/link");
  EXPECT_EQ(found.links[0].target, "a");
  EXPECT_EQ(host.resolve(root + "/link/none/x").rest, "none/x");
  EXPECT_EQ(host.resolve(root + "/a/b/f/x").status.kind, FileKind::missing);
}

TEST_F(OnDisk, LinksThatTheKernelMakesUpAreNotFollowed) {
  for (const char* path : {"/proc/self/root", "/proc/self/cwd", "/proc/self/exe", "/proc/self/fd/0", "/dev/fd/0"}) {
    EXPECT_EQ(host.resolve(path).status.kind, FileKind::unreachable) << path;
  }
  EXPECT_EQ(host.resolve("/proc/self/status").status.kind, FileKind::file);
}

TEST_F(OnDisk, OnlyRegularFilesUpToTheLimitAreRead) {
  write("f", "0123456789");
  ASSERT_EQ(mkfifo((root + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(host.read(root + "/f", 10), "0123456789");
  EXPECT_EQ(host.read(root + "/f", 9), std::nullopt);
  EXPECT_EQ(host.read(root + "/fifo", 100), std::nullopt);
  EXPECT_EQ(host.read(root, 100), std::nullopt);
  EXPECT_EQ(host.read("/dev/zero", 100), std::nullopt);
  EXPECT_EQ(host.read(root + "/none", 100), std::nullopt);
}

TEST_F(OnDisk, DirectoriesAreListedInOrder) {
  for (const char* name : {"b", ".a", "c", ".ab"}) write(name, "");
  EXPECT_THAT(host.list(root, ""), ElementsAre(".a", ".ab", "b", "c"));
  EXPECT_THAT(host.list(root, ".a"), ElementsAre(".a", ".ab"));
  EXPECT_THAT(host.list(root, "."), ElementsAre(".a", ".ab"));
  EXPECT_TRUE(host.list(root + "/none", "").empty());
}

TEST_F(OnDisk, TheEnvironmentIsTheOneThatWasGiven) {
  EXPECT_EQ(host.variable("A"), "1");
  EXPECT_EQ(host.variable("B"), "x=y");
  EXPECT_EQ(host.variable("PATH"), std::nullopt);
  EXPECT_THAT(host.variable_names(), ElementsAre("A", "B"));
}

TEST_F(OnDisk, ADirectoryThatIsGoneIsNone) {
  std::string before = std::filesystem::current_path();
  std::filesystem::create_directory(root + "/gone");
  ASSERT_EQ(chdir((root + "/gone").c_str()), 0);
  EXPECT_EQ(host.directory(), root + "/gone");
  std::filesystem::remove(root + "/gone");
  EXPECT_EQ(host.directory(), "");
  ASSERT_EQ(chdir(before.c_str()), 0);
}

TEST_F(OnDisk, TheUserIsTheOneOfTheDatabase) {
  EXPECT_FALSE(host.user().empty());
  EXPECT_EQ(host.home()[0], '/');
  EXPECT_EQ(host.uid(), getuid());
}

TEST_F(OnDisk, RandomDigitsAreNewForEachCall) {
  std::string one = host.random_hex(32);
  EXPECT_EQ(one.size(), 32u);
  EXPECT_EQ(one.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(one, host.random_hex(32));
}

}  // namespace
}  // namespace sbox
