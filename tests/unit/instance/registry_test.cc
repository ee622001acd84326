#include "instance/registry.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>

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
  std::string directory() const { return home_ + "/.local/share/sbox/running"; }
  std::string file() const { return directory() + "/0"; }
  std::string home_;
};

TEST_F(RegistryFile, IsNotMadeByWhoOnlyLooks) {
  Registry registry = Registry::open(home_);
  EXPECT_FALSE(registry.is_usable());
  EXPECT_TRUE(registry.list().empty());
  EXPECT_FALSE(registry.find("x"));
  EXPECT_FALSE(std::filesystem::exists(home_ + "/.local"));
}

TEST_F(RegistryFile, IsMadeForItsUserAlone) {
  Registry registry = Registry::open_or_make(home_);
  ASSERT_TRUE(registry.is_usable());
  EXPECT_TRUE(registry.claim("x"));
  EXPECT_EQ(registry.claim_one_of("x"), "x") << "one's own lock is no other's";
  struct stat status {};
  ASSERT_EQ(stat(directory().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  for (const auto& entry : std::filesystem::directory_iterator(directory())) {
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << entry.path();
    EXPECT_EQ(status.st_size, 0) << entry.path();
  }
  EXPECT_EQ(std::move(registry).release(), kClaimDescriptor);
  close(kClaimDescriptor);
}

// Out of the way of kClaimDescriptor.
void make_pipe(int (&ends)[2]) {
  constexpr int kHigh = 20;
  ASSERT_EQ(pipe(ends), 0);
  for (int& end : ends) {
    int moved = fcntl(end, F_DUPFD_CLOEXEC, kHigh);
    ASSERT_GE(moved, kHigh);
    close(end);
    end = moved;
  }
}

// In a process of its own, which ends when `done` says so: whether `act` is true.
template <typename Act>
pid_t run_apart(int said, int done, const Act& act) {
  pid_t child = fork();
  if (child != 0) return child;
  char byte = '-';
  try {
    byte = act() ? 'x' : '-';
  } catch (const Error&) {
  }
  (void)!write(said, &byte, 1);
  (void)!read(done, &byte, 1);
  _exit(0);
}

// Locks are of a process, and it has one name: other processes hold them.
class Holders {
 public:
  Holders(const std::string& home, const std::vector<std::string>& names) {
    int said[2], done[2];
    make_pipe(said);
    make_pipe(done);
    std::optional<Registry> registry;  // of each child, until it ends
    for (const std::string& name : names) {
      children_.push_back(run_apart(said[1], done[0], [&] {
        close(done[1]);
        registry.emplace(Registry::open_or_make(home));
        return registry->claim(name);
      }));
    }
    close(said[1]);
    for (char byte = 0; held_ < names.size() && read(said[0], &byte, 1) == 1 && byte == 'x';) ++held_;
    close(said[0]);
    close(done[0]);
    done_ = done[1];
  }
  ~Holders() {
    close(done_);
    for (pid_t child : children_) waitpid(child, nullptr, 0);
  }
  size_t held() const { return held_; }

 private:
  std::vector<pid_t> children_;
  size_t held_ = 0;
  int done_ = -1;
};

TEST_F(RegistryFile, HasAPlaceOfItsOwnForEachName) {
  Registry registry = Registry::open_or_make(home_);
  const std::vector<std::string> taken = {"x", "x-1", "x-3", "x-03", "x-1048575", "x-1048577", "x-y", "x-2-2", "2"};
  const std::vector<std::string> free = {"x-2",       "x-4",       "x-01",  "x-003", "x-1048574",
                                         "x-1048576", "x-1048578", "x-2-3", "x-y-2", "3"};
  {
    Holders others(home_, taken);
    ASSERT_EQ(others.held(), taken.size());
    for (const std::string& name : taken) EXPECT_TRUE(registry.is_taken(name)) << name;
    for (const std::string& name : free) EXPECT_FALSE(registry.is_taken(name)) << name;
    EXPECT_EQ(registry.claim_one_of("x"), "x-2");
    EXPECT_EQ(registry.claim_one_of("x-2"), "x-2");
    EXPECT_EQ(registry.claim_one_of("y"), "y");
  }
  EXPECT_FALSE(registry.is_taken("x"));
  close(std::move(registry).release());
}

// The kernel looks at each lock of a file for each question.
TEST_F(RegistryFile, IsSeveralSoThatManyInstancesAreNotInOne) {
  constexpr int kMany = 200;
  for (const char* base : {"x", "firefox", "a.b"}) {
    std::map<ino_t, int> names;
    for (int number = 1; number <= kMany; ++number) {
      Registry registry = Registry::open_or_make(home_);
      ASSERT_TRUE(registry.claim(number == 1 ? base : base + ("-" + std::to_string(number))));
      struct stat status {};
      ASSERT_EQ(fstat(kClaimDescriptor, &status), 0);
      ++names[status.st_ino];
    }
    for (const auto& [file, count] : names) EXPECT_LE(count, kMany / 16 + 1) << base;
  }
}

// Closing any descriptor of a file lets go of what the process has locked in it.
TEST_F(RegistryFile, KeepsWhatItHasClaimedWhateverIsAsked) {
  int said[2], done[2];
  make_pipe(said);
  make_pipe(done);
  Registry registry = Registry::open_or_make(home_);  // as long as the process: what it holds goes with it
  pid_t child = run_apart(said[1], done[0], [&] {
    bool is_claimed = registry.claim("x-7");
    for (int number = 2; number < 40; ++number) is_claimed &= !registry.is_taken("x-" + std::to_string(number));
    return is_claimed && registry.list().empty() && !registry.find("x-8") && registry.claim("x-7");
  });
  char byte = 0;
  EXPECT_EQ(read(said[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_TRUE(Registry::open(home_).is_taken("x-7"));
  EXPECT_EQ(write(done[1], "x", 1), 1);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(Registry::open(home_).is_taken("x-7"));
  for (int fd : {said[0], said[1], done[0], done[1]}) close(fd);
}

TEST_F(RegistryFile, IsNotUsableWhereItCannotBe) {
  EXPECT_FALSE(Registry::open_or_make(home_ + "/missing").is_usable());
  EXPECT_FALSE(Registry::open_or_make("/proc").is_usable());
}

TEST_F(RegistryFile, ThatOthersMayOpenIsRefused) {
  ASSERT_TRUE(Registry::open_or_make(home_).is_usable());
  ASSERT_EQ(chmod(file().c_str(), 0620), 0);
  EXPECT_THROW(Registry::open(home_).list(), Error);
  EXPECT_THROW(Registry::open_or_make(home_), Error);
  ASSERT_EQ(chmod(file().c_str(), 0600), 0);
  EXPECT_TRUE(Registry::open(home_).list().empty());
  ASSERT_EQ(link(file().c_str(), (home_ + "/other").c_str()), 0);
  EXPECT_THROW(Registry::open(home_).list(), Error);
  std::filesystem::remove(home_ + "/other");
  ASSERT_EQ(chmod(directory().c_str(), 0750), 0);
  EXPECT_THROW(Registry::open(home_), Error);
  EXPECT_THROW(Registry::open_or_make(home_), Error);
}

TEST_F(RegistryFile, ThatIsALinkIsRefused) {
  ASSERT_TRUE(Registry::open_or_make(home_).is_usable());
  for (const std::string& path : {file(), directory()}) {
    std::filesystem::rename(path, home_ + "/other");
    std::filesystem::create_symlink(home_ + "/other", path);
    EXPECT_THROW(Registry::open(home_).list(), Error) << path;
    EXPECT_THROW(Registry::open_or_make(home_), Error) << path;
    std::filesystem::remove(path);
    std::filesystem::rename(home_ + "/other", path);
  }
  std::filesystem::remove_all(directory());
  std::filesystem::create_symlink("/nowhere", directory());
  EXPECT_THROW(Registry::open_or_make(home_), Error);
}

}  // namespace
}  // namespace sbox
