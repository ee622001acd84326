#include "overlay/store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "overlay/commit.h"
#include "overlay/copy.h"
#include "overlay/files.h"
#include "overlay/snapshot.h"
#include "plan/real_host.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A home directory on this machine, with an overlay `o` of it.
class OverlayOnDisk : public ::testing::Test {
 protected:
  OverlayOnDisk() {
    std::string pattern = std::filesystem::temp_directory_path() / "sbox-overlay-XXXXXX";
    root = std::filesystem::canonical(mkdtemp(pattern.data()));
    places.home = places.home_canonical = root;
    plan.lower = root;
    plan.directory = root + "/.local/share/sbox/overlays/o";
    begin_run(plan, root);
    std::filesystem::create_directories(upper());
  }
  ~OverlayOnDisk() override { std::filesystem::remove_all(root); }

  std::string upper() const { return plan.directory + "/upper"; }
  static void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  static std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  OverlayStore open() { return OverlayStore::open(host, places, "o"); }
  Snapshots snapshots() {
    Snapshots opened = Snapshots::open(host, places, "o");
    opened.lock("look");
    return opened;
  }

  std::string root;
  const char* environment[1] = {nullptr};
  RealHost host{environment};
  Places places;
  Overlay plan;
};
using OverlayStoreTest = OverlayOnDisk;
using SnapshotsTest = OverlayOnDisk;
using CopyTest = OverlayOnDisk;
using ScanTest = OverlayOnDisk;

TEST_F(OverlayStoreTest, IsLockedByOneAtATime) {
  OverlayStore first = open();
  EXPECT_FALSE(first.is_locked_by_other());
  first.lock("look");
  OverlayStore second = open();
  EXPECT_TRUE(second.is_locked_by_other());
  EXPECT_THROW(second.lock("look"), Error);
  EXPECT_THROW(begin_run(plan, root), Error);
}

TEST_F(OverlayStoreTest, ALayerThatWasSetBackMeanwhileIsNotMistaken) {
  write(upper() + "/file", "one");
  snapshots().take("first");
  write(upper() + "/file", "two");
  OverlayStore store = open();
  snapshots().restore("first");
  store.lock("take over its files");
  commit(
      store, find_changes(store.layers()), [](const Change&) { return true; }, false, [](const Change&) {});
  EXPECT_EQ(read(root + "/file"), "one");
  EXPECT_EQ(read(plan.directory + "/snapshots/before-restore/upper/file"), "two");
}

TEST_F(OverlayStoreTest, WhatIsNoRecordIsRefused) {
  write(plan.directory + "/record", "[]");
  EXPECT_THROW(open(), Error);
  EXPECT_THROW(begin_run(plan, root), Error);
}

TEST_F(OverlayStoreTest, ALinkIsNoRecordNorLockNorLayer) {
  write(root + "/elsewhere/record", read(plan.directory + "/record"));
  for (const char* name : {"record", "lock"}) {
    std::filesystem::remove(plan.directory + "/" + name);
    std::filesystem::create_symlink(root + "/elsewhere/record", plan.directory + "/" + name);
    EXPECT_THROW(open().lock("look"), Error) << name;
    std::filesystem::remove(plan.directory + "/" + name);
    if (name == std::string("record")) write(plan.directory + "/record", read(root + "/elsewhere/record"));
  }
  open().lock("look");  // the control
  std::filesystem::remove(upper());
  std::filesystem::create_directory_symlink(root + "/elsewhere", upper());
  EXPECT_THROW(open(), Error);
}

TEST_F(ScanTest, AFileThatIsTheSameIsNoChange) {
  write(root + "/same", "text");
  write(root + "/other", "text");
  std::filesystem::copy(root + "/same", upper() + "/same");
  std::filesystem::last_write_time(upper() + "/same", std::filesystem::last_write_time(root + "/same"));
  write(upper() + "/other", "TEXT");
  OverlayStore store = open();
  std::vector<std::pair<std::string, ChangeKind>> found;
  for (const Change& change : find_changes(store.layers())) found.emplace_back(change.path, change.kind);
  EXPECT_THAT(found, ElementsAre(std::pair("other", ChangeKind::changed), std::pair("same", ChangeKind::none)));
}

TEST_F(ScanTest, AWhiteoutDeletesAllThatIsBelow) {
  write(root + "/dir/sub/file", "");
  ASSERT_EQ(mknod((upper() + "/dir").c_str(), S_IFCHR, 0), 0);
  ASSERT_EQ(mknod((upper() + "/never-there").c_str(), S_IFCHR, 0), 0);
  OverlayStore store = open();
  std::vector<std::string> deleted;
  for (const Change& change : find_changes(store.layers())) {
    if (change.kind == ChangeKind::deleted) deleted.push_back(change.path);
  }
  EXPECT_THAT(deleted, ElementsAre("dir/sub/file", "dir/sub", "dir"));
}

TEST_F(ScanTest, WhatWasNeverSeenIsNeitherHiddenNorDeletedAndIsAConflict) {
  std::filesystem::remove_all(plan.directory);
  plan.lower = plan.directory + "/lower";
  begin_run(plan, root);
  for (const char* name : {"/dir/file", "/file", "/gone"}) write(root + name, "text");
  write(upper() + "/file", "TEXT");
  write(upper() + "/dir/new", "");
  ASSERT_EQ(mknod((upper() + "/gone").c_str(), S_IFCHR, 0), 0);
  UniqueFd dir(::open((upper() + "/dir").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(make_opaque(dir.get()));
  OverlayStore store = open();
  store.lock("look");
  auto changes = find_changes(store.layers());
  std::vector<std::pair<std::string, bool>> found;
  for (const Change& change : changes) {
    if (change.kind != ChangeKind::none) found.emplace_back(change.path, change.is_conflict);
  }
  EXPECT_THAT(found, ElementsAre(std::pair("dir/new", false), std::pair("file", true)));
  CommitResult result = commit(
      store, changes, [](const Change&) { return true; }, false, [](const Change&) {});
  EXPECT_EQ(result.left.size(), 1u);
  EXPECT_EQ(read(root + "/file"), "text");
  for (const char* name : {"/dir/file", "/gone", "/dir/new"}) EXPECT_TRUE(std::filesystem::exists(root + name)) << name;
}

TEST_F(CopyTest, HolesStayHoles) {
  std::string from = root + "/from", to = root + "/to";
  UniqueFd sparse(::open(from.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  constexpr off_t kFar = 64 << 20;
  ASSERT_EQ(pwrite(sparse.get(), "end", 3, kFar), 3);
  ASSERT_EQ(ftruncate(sparse.get(), 2 * kFar), 0);
  UniqueFd copy(::open(to.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(copy_content(sparse.get(), copy.get()));
  struct stat status {};
  ASSERT_EQ(fstat(copy.get(), &status), 0);
  EXPECT_EQ(status.st_size, 2 * kFar);
  EXPECT_LT(status.st_blocks, 1024);
  EXPECT_TRUE(have_same_content(sparse.get(), copy.get()));
}

TEST_F(CopyTest, CountsWhatItCopies) {
  write(upper() + "/a", "123");
  write(upper() + "/dir/b", "4567");
  ASSERT_EQ(mknod((upper() + "/gone").c_str(), S_IFCHR, 0), 0);
  ASSERT_EQ(mkdir((root + "/copy").c_str(), 0700), 0);
  UniqueFd from(::open(upper().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  UniqueFd to(::open((root + "/copy").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Copied copied = copy_layer(from.get(), to.get()), counted = count_layer(from.get());
  EXPECT_EQ(copied.files, 3u);
  EXPECT_EQ(copied.bytes, 7u);
  EXPECT_EQ(counted.files, 3u);
  EXPECT_EQ(counted.bytes, 7u);
}

TEST_F(SnapshotsTest, AreListedByAgeAndKnowWhatTheyHold) {
  write(upper() + "/file", "123");
  snapshots().take("z");
  write(upper() + "/more", "");
  snapshots().take("a");
  std::vector<std::string> labels;
  for (const Snapshot& each : snapshots().list()) labels.push_back(each.label);
  EXPECT_THAT(labels, ElementsAre("z", "a"));
  EXPECT_EQ(snapshots().list()[1].facts.files, 2u);
  EXPECT_EQ(snapshots().list()[1].facts.bytes, 3u);
  snapshots().remove("z");
  snapshots().remove("a");
  EXPECT_THAT(snapshots().list(), IsEmpty());
}

TEST_F(SnapshotsTest, OneThatIsNotWholeChangesNothing) {
  write(upper() + "/file", "one");
  snapshots().take("first");
  std::filesystem::remove(plan.directory + "/snapshots/first/record");
  write(upper() + "/file", "two");
  EXPECT_THROW(snapshots().restore("first"), Error);
  EXPECT_EQ(read(upper() + "/file"), "two");
  EXPECT_FALSE(std::filesystem::exists(plan.directory + "/restoring.new"));
}

}  // namespace
}  // namespace sbox::testing
