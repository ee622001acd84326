#include "desktop/catalogue.h"

#include <gmock/gmock.h>

#include "../plan/fake_host.h"
#include "base/error.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;

const char kSbox[] = "/usr/bin/sbox";
const std::string kShare = "/usr/share/applications/", kOwn = "/home/ann/.local/share/applications/";

std::string text_of(const std::string& exec, const std::string& more = "") {
  return "[Desktop Entry]\nType=Application\nName=x\nExec=" + exec + "\n" + more;
}

std::vector<DesktopEntry> found(const FakeHost& host) {
  return find_entries(host, data_directories(host, false), kSbox);
}

std::vector<std::string> ids(const FakeHost& host) {
  std::vector<std::string> all;
  for (const DesktopEntry& entry : found(host)) all.push_back(entry.id);
  return all;
}

// As `enable` would write it.
void enable(FakeHost& host, const Place& place) {
  host.file(place.path, wrapped(place.parse(), kSbox, {*place.source, digest_of(place.original), ""}));
}

TEST(Catalogue, DirectoriesAreThoseOfTheSpecification) {
  FakeHost host;
  EXPECT_THAT(data_directories(host, false), ElementsAre("/home/ann/.local/share", "/usr/local/share", "/usr/share"));
  host.set("XDG_DATA_HOME", "/home/ann/data/");
  host.set("XDG_DATA_DIRS", "/opt/share:relative::/usr/share/:/opt/share:/a/../b");
  EXPECT_THAT(data_directories(host, false), ElementsAre("/home/ann/data", "/opt/share", "/usr/share"));
  EXPECT_THAT(data_directories(host, true), ElementsAre("/usr/local/share", "/opt/share", "/usr/share"));
  host.set("XDG_DATA_HOME", "relative");
  host.set("XDG_DATA_DIRS", "relative");
  EXPECT_THROW(data_directories(host, false), Error);
}

TEST(Catalogue, IdsComeFromSubdirectoriesAndTheHighestDirectoryWins) {
  FakeHost host;
  host.file(kShare + "a.desktop", text_of("low"));
  host.file(kShare + "kde/deep/b.desktop", text_of("b"));
  host.file("/usr/local/share/applications/a.desktop", text_of("high"));
  host.file(kShare + "notes.txt", text_of("x"));
  host.file(kShare + ".desktop", text_of("x"));
  EXPECT_THAT(ids(host), ElementsAre("a", "kde-deep-b"));
  EXPECT_EQ(found(host)[0].program, "high");
  EXPECT_EQ(found(host)[1].entry.path, kOwn + "kde-deep-b.desktop");
}

TEST(Catalogue, OnlyProgramsThatAreNotDeletedCount) {
  FakeHost host;
  host.file(kShare + "link.desktop", "[Desktop Entry]\nType=Link\nURL=http://x\n");
  host.file(kShare + "hidden.desktop", text_of("x", "Hidden=true\n"));
  host.file(kShare + "broken.desktop", "nothing\n");
  host.file(kShare + "quote.desktop", text_of("a \"b"));
  host.file(kShare + "deleted.desktop", text_of("x"));
  host.file(kOwn + "deleted.desktop", text_of("x", "Hidden=true\n"));
  EXPECT_THAT(ids(host), ElementsAre());
}

TEST(Catalogue, AnEntryOfTheUserIsSetAside) {
  FakeHost host;
  host.file(kShare + "a.desktop", text_of("low"));
  host.file(kOwn + "kde/a.desktop", text_of("mine"));
  host.file(kOwn + "a.desktop", text_of("mine"));
  DesktopEntry entry = found(host)[0];
  EXPECT_TRUE(entry.entry.occupied);
  EXPECT_EQ(entry.entry.source, kOwn + "a.desktop.before-sbox");
  EXPECT_EQ(found(host)[1].entry.path, kOwn + "kde/a.desktop");
  host.file(kOwn + "a.desktop.before-sbox", text_of("mine"));
  enable(host, entry.entry);
  entry = found(host)[0];
  EXPECT_EQ(entry.state, EntryState::enabled);
  EXPECT_EQ(entry.program, "mine");
}

TEST(Catalogue, TellsWhetherTheOriginalIsStillWhatItWas) {
  FakeHost host;
  host.file(kShare + "a.desktop", text_of("a"));
  EXPECT_EQ(found(host)[0].state, EntryState::available);
  enable(host, found(host)[0].entry);
  EXPECT_EQ(found(host)[0].state, EntryState::enabled);
  host.file(kShare + "a.desktop", text_of("a --new"));
  EXPECT_EQ(found(host)[0].state, EntryState::stale);
  enable(host, found(host)[0].entry);
  EXPECT_EQ(found(host)[0].state, EntryState::enabled);
  // Another that comes before it is another original, though it says the same.
  host.file("/usr/local/share/applications/a.desktop", text_of("a --new"));
  EXPECT_EQ(found(host)[0].state, EntryState::stale);
  host.remove("/usr/local/share/applications/a.desktop");
  host.file(kShare + "a.desktop", "broken\n");
  EXPECT_EQ(found(host)[0].state, EntryState::stale);
  host.remove(kShare + "a.desktop");
  EXPECT_EQ(found(host)[0].state, EntryState::gone);
  EXPECT_EQ(found(host)[0].program, "a");
}

TEST(Catalogue, KnowsTheActivationOfTheSameName) {
  FakeHost host;
  host.file(kShare + "org.a.desktop", text_of("a"));
  host.file("/usr/share/dbus-1/services/org.a.service", "[D-BUS Service]\nName=org.a\nExec=/usr/bin/a\n");
  DesktopEntry entry = found(host)[0];
  EXPECT_EQ(entry.service.source, "/usr/share/dbus-1/services/org.a.service");
  EXPECT_EQ(entry.service.path, "/home/ann/.local/share/dbus-1/services/org.a.service");
  enable(host, entry.entry);
  EXPECT_EQ(found(host)[0].state, EntryState::stale);
  enable(host, entry.service);
  EXPECT_EQ(found(host)[0].state, EntryState::enabled);
  host.file("/usr/share/dbus-1/services/org.a.service", "[D-BUS Service]\nName=org.a\nExec=/usr/bin/b\n");
  EXPECT_EQ(found(host)[0].state, EntryState::stale);
}

TEST(Catalogue, WhatStartsSboxByItselfIsNotEnabledOnceMore) {
  FakeHost host;
  host.file(kShare + "a.desktop", text_of("sbox a"));
  EXPECT_EQ(found(host)[0].state, EntryState::wrapped);
}

}  // namespace
}  // namespace sbox::testing
