#include "plan/walk.h"

#include <gtest/gtest.h>

#include "fake_host.h"

namespace sbox::testing {
namespace {

TEST(Walk, FollowsLinksAndReportsEach) {
  FakeHost host;
  host.file("/data/x/f");
  host.link("/home/ann/a", "b");
  host.link("/home/ann/b", "/data/x");
  Resolved found = host.resolve("/home/ann/a/f");
  EXPECT_EQ(found.path, "/data/x/f");
  EXPECT_EQ(found.status.kind, FileKind::file);
  ASSERT_EQ(found.links.size(), 2u);
  EXPECT_EQ(found.links[0].path, "/home/ann/a");
  EXPECT_EQ(found.links[1].path, "/home/ann/b");
  EXPECT_EQ(found.links[1].target, "/data/x");
}

TEST(Walk, TakesParentsOfWhatALinkLeadsToNotOfTheText) {
  FakeHost host;
  host.directory("/data/x/y");
  host.file("/data/x/f");
  host.link("/home/ann/y", "/data/x/y");
  EXPECT_EQ(host.resolve("/home/ann/y/../f").path, "/data/x/f");
  EXPECT_EQ(host.resolve("/../..").path, "/");
}

TEST(Walk, SaysWhatIsLeftWhereSomethingIsMissing) {
  FakeHost host;
  host.link("/home/ann/disk", "/mnt/usb/photos");
  Resolved found = host.resolve("/home/ann/disk/2020");
  EXPECT_EQ(found.status.kind, FileKind::missing);
  EXPECT_EQ(found.path, "/mnt");
  EXPECT_EQ(found.rest, "usb/photos/2020");
}

TEST(Walk, EndsInALoop) {
  FakeHost host;
  host.link("/home/ann/a", "b");
  host.link("/home/ann/b", "a");
  EXPECT_EQ(host.resolve("/home/ann/a").status.kind, FileKind::unreachable);
}

TEST(Walk, RefusesARelativePath) { EXPECT_EQ(FakeHost().resolve("tmp").status.kind, FileKind::missing); }

}  // namespace
}  // namespace sbox::testing
