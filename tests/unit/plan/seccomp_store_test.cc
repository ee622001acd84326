// Filters kept in files: used only when they are for the very policy, and nobody else could have written them.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "seccomp_policies.h"

namespace sbox::test {
namespace {

namespace fs = std::filesystem;

class SeccompStore : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sbox-filters-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    compiled_ = compile_filters(policy_);
    write_filters(policy_, directory_);
    // The last instruction of a program is one that no compilation makes: so it shows whether the file was used.
    file_ = only_file();
    std::string bytes = content();
    bytes.back() ^= 0x5a;
    replace(bytes);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string only_file() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(directory_)) files.push_back(entry.path());
    EXPECT_EQ(files.size(), 1U);
    return files.front();
  }
  std::string content() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void replace(const std::string& bytes) const { std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes; }
  bool file_is_used() const { return load_filters(policy_, directory_) != compiled_; }

  SeccompPolicy policy_ = default_policy();
  std::vector<Filter> compiled_;
  std::string directory_, file_;
};

TEST_F(SeccompStore, WhatWasWrittenIsReadBack) {
  write_filters(policy_, directory_);
  EXPECT_EQ(load_filters(policy_, directory_), compiled_);
}

TEST_F(SeccompStore, AReadyFileIsUsedInsteadOfCompiling) { EXPECT_TRUE(file_is_used()); }

TEST_F(SeccompStore, AFileThatOthersCouldWriteIsNotUsed) {
  for (mode_t mode : {0664, 0646, 0666}) {
    ASSERT_EQ(chmod(file_.c_str(), mode), 0);
    EXPECT_FALSE(file_is_used()) << std::oct << mode;
  }
}

TEST_F(SeccompStore, AFileOfAnotherUserIsNotUsed) {
  if (getuid() != 0) GTEST_SKIP() << "only root can give a file away; the owner's test is then seen to be root's";
  ASSERT_EQ(chown(file_.c_str(), 1, 1), 0);
  EXPECT_FALSE(file_is_used());
}

TEST_F(SeccompStore, ALinkInItsPlaceIsNotFollowed) {
  fs::rename(file_, directory_ + "/elsewhere");
  fs::create_symlink(directory_ + "/elsewhere", file_);
  EXPECT_FALSE(file_is_used());
}

TEST_F(SeccompStore, AFifoInItsPlaceDoesNotHoldUpTheStart) {
  fs::remove(file_);
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  EXPECT_FALSE(file_is_used());
}

TEST_F(SeccompStore, AFileForAnotherPolicyUnderThisNameIsNotUsed) {
  SeccompPolicy other = policy_;
  other.debug = true;
  std::string mine = file_;
  fs::remove(mine);
  write_filters(other, directory_);
  fs::rename(only_file(), mine);
  EXPECT_FALSE(file_is_used());
}

TEST_F(SeccompStore, ADamagedFileIsNotUsed) {
  std::string whole = content();
  for (size_t size : {size_t{0}, size_t{10}, whole.size() / 2, whole.size() - 1}) {
    replace(whole.substr(0, size));
    EXPECT_FALSE(file_is_used()) << size;
  }
  replace(whole + "x");
  EXPECT_FALSE(file_is_used());
  std::string huge = whole;
  huge.replace(huge.find("end\n") + 4, 4, "\xff\xff\xff\xff");
  replace(huge);
  EXPECT_FALSE(file_is_used());
}

TEST_F(SeccompStore, EveryKindOfPolicyHasAFileOfItsOwn) {
  fs::remove(file_);
  size_t count = 0;
  for (const NamedPolicy& each : every_kind_of_policy()) {
    write_filters(each.policy, directory_);
    auto entries = fs::directory_iterator(directory_);
    EXPECT_EQ(static_cast<size_t>(std::distance(begin(entries), end(entries))), ++count) << each.name;
  }
}

TEST_F(SeccompStore, AMissingDirectoryMeansCompiling) {
  EXPECT_EQ(load_filters(policy_, directory_ + "/nowhere"), compiled_);
}

}  // namespace
}  // namespace sbox::test
