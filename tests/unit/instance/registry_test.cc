#include "instance/registry.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/handover.h"
#include "instance/process.h"
#include "plan/instance_name.h"

namespace sbox {
namespace {

using namespace std::string_literals;

TEST(InstanceName, HasLettersDigitsAndFourSigns) {
  for (const char* name : {"firefox", "firefox-2", "a.b_c+d", "X@y", "1"}) EXPECT_TRUE(is_instance_name(name)) << name;
  for (const char* name : {"", ".a", "-a", "@a", "a@", "a@b@c", "a b", "a/b", "a\n", "\xc3\xa4"}) {
    EXPECT_FALSE(is_instance_name(name)) << name;
  }
  EXPECT_TRUE(is_instance_name(std::string(64, 'x')));
  EXPECT_FALSE(is_instance_name(std::string(65, 'x')));
}

TEST(InstanceName, IsMadeOfAnyProfile) {
  EXPECT_EQ(instance_name_for("firefox"), "firefox");
  EXPECT_EQ(instance_name_for("my notes@home"), "my_notes_home");
  EXPECT_EQ(instance_name_for("-x"), "_-x");
  EXPECT_EQ(instance_name_for(""), "_");
  EXPECT_TRUE(is_instance_name(instance_name_for(std::string(300, 'x')) + "-1000"));
}

TEST(InstanceName, NamesAHomeBehindTheAt) {
  EXPECT_EQ(home_tag("firefox@work"), "work");
  EXPECT_EQ(home_tag("firefox"), "");
}

TEST(CommandLine, IsFourWords) {
  Instance instance;
  ASSERT_TRUE(parse_command_line("sbox\0a-2\0a b\0/usr/bin/x\0"s, instance));
  EXPECT_EQ(instance.name, "a-2");
  EXPECT_EQ(instance.profile, "a b");
  EXPECT_EQ(instance.program, "/usr/bin/x");
}

TEST(CommandLine, OfAnyOtherFormIsNoInstance) {
  Instance instance;
  for (const std::string& bytes :
       {""s, "\0"s, "sbox"s, "sbox\0a\0b\0c"s, "sbox\0a\0b\0"s, "sbox\0a\0b\0c\0d\0"s, "xbox\0a\0b\0c\0"s,
        "sbox\0\0b\0c\0"s, "sbox\0a/b\0b\0c\0"s, "sbox\0../a\0b\0c\0"s, "sbox\0a\x1b\0b\0c\0"s}) {
    EXPECT_FALSE(parse_command_line(bytes, instance)) << testing::PrintToString(bytes);
  }
}

TEST(ProcessStatus, IsReadBehindTheLastBracket) {
  auto status = parse_status("7 (a) b) S 1) S 42 7 7 0 -1 0 0 0 0 0 30 12 0 0 20 0 5 0 999 0 0\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->parent, 42);
  EXPECT_EQ(status->cpu, 42U);
  EXPECT_EQ(status->threads, 5U);
  EXPECT_EQ(status->started, 999U);
  EXPECT_FALSE(parse_status(""));
  EXPECT_FALSE(parse_status("7 (a) S 1 2 3"));
  EXPECT_FALSE(parse_status("7 (a) S x 7 7 0 -1 0 0 0 0 0 30 12 0 0 20 0 5 0 999 0 0\n"));
}

class RegistryFile : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/sbox-registry-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    home_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(home_); }
  std::string file() const { return home_ + "/.local/share/sbox/instances"; }
  std::string home_;
};

TEST_F(RegistryFile, IsNotMadeByWhoOnlyLooks) {
  Registry registry = Registry::open(home_);
  EXPECT_FALSE(registry.is_usable());
  EXPECT_TRUE(registry.list().empty());
  EXPECT_FALSE(registry.find("x"));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(RegistryFile, IsMadeForItsUserAlone) {
  Registry registry = Registry::open_or_make(home_);
  ASSERT_TRUE(registry.is_usable());
  EXPECT_TRUE(registry.claim("x"));
  EXPECT_EQ(registry.claim_one_of("x"), "x") << "one's own lock is no other's";
  struct stat status {};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(std::move(registry).release(), kClaimDescriptor);
  close(kClaimDescriptor);
}

// Locks are of a process: another one holds them.
TEST_F(RegistryFile, HasAPlaceOfItsOwnForEachName) {
  Registry registry = Registry::open_or_make(home_);
  const std::vector<std::string> taken = {"x", "x-1", "x-3", "x-03", "x-1048575", "x-1048577", "x-y", "x-2-2", "2"};
  const std::vector<std::string> free = {"x-2",       "x-4",       "x-01",  "x-003", "x-1048574",
                                         "x-1048576", "x-1048578", "x-2-3", "x-y-2", "3"};
  int said[2];
  ASSERT_EQ(pipe(said), 0);
  pid_t child = fork();
  if (child == 0) {
    for (const std::string& name : taken) registry.claim(name);
    (void)!write(said[1], "x", 1);
    pause();
  }
  char byte;
  ASSERT_EQ(read(said[0], &byte, 1), 1);
  for (const std::string& name : taken) EXPECT_TRUE(registry.is_taken(name)) << name;
  for (const std::string& name : free) EXPECT_FALSE(registry.is_taken(name)) << name;
  EXPECT_EQ(registry.claim_one_of("x"), "x-2");
  EXPECT_EQ(registry.claim_one_of("x-2"), "x-2");
  EXPECT_EQ(registry.claim_one_of("y"), "y");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(registry.is_taken("x"));
  close(said[0]);
  close(said[1]);
  close(std::move(registry).release());
}

TEST_F(RegistryFile, IsNotUsableWhereItCannotBe) {
  EXPECT_FALSE(Registry::open_or_make(home_ + "/missing").is_usable());
  EXPECT_FALSE(Registry::open_or_make("/proc").is_usable());
}

TEST_F(RegistryFile, ThatOthersMayOpenIsRefused) {
  ASSERT_TRUE(Registry::open_or_make(home_).is_usable());
  ASSERT_EQ(chmod(file().c_str(), 0620), 0);
  EXPECT_THROW(Registry::open(home_), Error);
  EXPECT_THROW(Registry::open_or_make(home_), Error);
  ASSERT_EQ(chmod(file().c_str(), 0600), 0);
  EXPECT_TRUE(Registry::open(home_).is_usable());
  ASSERT_EQ(link(file().c_str(), (home_ + "/other").c_str()), 0);
  EXPECT_THROW(Registry::open(home_), Error);
}

TEST_F(RegistryFile, ThatIsALinkIsRefused) {
  ASSERT_TRUE(Registry::open_or_make(home_).is_usable());
  std::filesystem::rename(file(), home_ + "/other");
  std::filesystem::create_symlink(home_ + "/other", file());
  EXPECT_THROW(Registry::open(home_), Error);
  EXPECT_THROW(Registry::open_or_make(home_), Error);
}

}  // namespace
}  // namespace sbox
