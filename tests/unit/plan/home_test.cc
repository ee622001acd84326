#include "planning.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Home : public Planning {
 protected:
  Home() { set(Key::seccomp_mode, "none"); }
};

TEST_F(Home, IsEmptyByDefault) {
  set(Key::home_size, "5M");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann"), "tmpfs");
  EXPECT_EQ(find(p, "/home/ann")->size, uint64_t{5} << 20);
  EXPECT_EQ(find(p, "/home/ann")->mode, 0700u);
  EXPECT_EQ(variable(p, "HOME"), "/home/ann");
}

TEST_F(Home, OnlyAHomeOfMemoryHasASize) {
  set(Key::home_size, "5M");
  set(Key::home_mode, "private");
  EXPECT_THAT(fault(), HasSubstr("take no such limit"));
  set(Key::home_mode, "host");
  EXPECT_THAT(fault(), HasSubstr("take no such limit"));
  set(Key::home_keep, "~/.app");
  EXPECT_EQ(find(plan(), "/home/ann")->size, uint64_t{5} << 20);
}

TEST_F(Home, KeptPathsAreThere) {
  host.directory("/home/ann/.app/data");
  host.file("/home/ann/.apprc");
  set(Key::home_keep, "~/.app/data");
  set(Key::home_keep_read_only, "~/.apprc");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.app"), "directory");
  EXPECT_EQ(what(p, "/home/ann/.app/data"), "rw");
  EXPECT_EQ(what(p, "/home/ann/.apprc"), "ro");
  EXPECT_TRUE(find(p, "/home/ann/.apprc")->is_file);
  EXPECT_FALSE(find(p, "/home/ann/.apprc")->make_target);
}

constexpr char kThrowAway[] = "/home/ann/.local/share/sbox/ephemeral/0a";

TEST_F(Home, AThrowAwayRunSeesTheHomeThroughAnOverlayOfItsOwn) {
  request.throw_away = kThrowAway;
  for (const char* mode : {"host", "overlay"}) {
    set(Key::home_mode, mode);
    set(Key::home_overlay, "other");
    Plan p = plan();
    EXPECT_EQ(p.overlay.lower, "/home/ann") << mode;
    EXPECT_EQ(p.overlay.directory, kThrowAway) << mode;
    EXPECT_EQ(find(p, "/home/ann")->kind, NodeKind::overlay) << mode;
    EXPECT_EQ(find(p, "/home/ann")->source, "/home/ann") << mode;
  }
}

TEST_F(Home, AThrowAwayRunSeesNoMoreThanAnotherOne) {
  request.throw_away = kThrowAway;
  for (const char* mode : {"empty", "private"}) {
    set(Key::home_mode, mode);
    Plan p = plan();
    EXPECT_EQ(p.overlay.lower, std::string(kThrowAway) + "/lower") << mode;
    EXPECT_EQ(find(p, "/home/ann")->source, p.overlay.lower) << mode;
    EXPECT_EQ(find(p, "/home/ann")->kind, NodeKind::overlay) << mode;
  }
}

TEST_F(Home, WhatAThrowAwayRunKeepsIsInTheOverlayAndTheRestEmpty) {
  request.throw_away = kThrowAway;
  host.directory("/home/ann/.app");
  for (const char* mode : {"empty", "private", "host", "overlay"}) {
    profile = Profile();
    set(Key::seccomp_mode, "none");
    set(Key::home_mode, mode);
    set(Key::home_keep, "~/.app");
    Plan p = plan();
    EXPECT_EQ(p.overlay.lower, "/home/ann") << mode;
    EXPECT_EQ(what(p, "/home/ann"), "tmpfs") << mode;
    EXPECT_EQ(find(p, "/home/ann/.app")->kind, NodeKind::overlay) << mode;
  }
}

TEST_F(Home, FilesAreRecoveredFromAnOverlayAlone) {
  set(Key::home_recover, "~/Downloads");
  for (const char* mode : {"empty", "private", "host"}) {
    set(Key::home_mode, mode);
    request.throw_away = "";
    EXPECT_THAT(fault(), HasSubstr("there is no overlay to take files over from")) << mode;
    EXPECT_THAT(fault(), HasSubstr("home mode = overlay")) << mode;
    request.throw_away = kThrowAway;
    EXPECT_THAT(plan().overlay.recover, ElementsAre("/home/ann/Downloads")) << mode;
  }
  request.throw_away = "";
  set(Key::home_mode, "overlay");
  EXPECT_THAT(plan().overlay.recover, ElementsAre("/home/ann/Downloads"));
}

TEST_F(Home, PlacesToRecoverLieInTheHomeWhereverLinksLead) {
  set(Key::home_mode, "overlay");
  host.directory("/home/ann/real");
  host.directory("/mnt/disk");
  host.link("/home/ann/Downloads", "real");
  host.link("/home/ann/out", "/mnt/disk");
  set(Key::home_recover, "~/Downloads/new");
  EXPECT_THAT(plan().overlay.recover, ElementsAre("/home/ann/real/new"));
  for (const char* path : {"/mnt", "~", "/home/anna"}) {
    profile = Profile();
    set(Key::seccomp_mode, "none");
    set(Key::home_mode, "overlay");
    set(Key::home_recover, path);
    EXPECT_THAT(fault(), HasSubstr("does not lie below the home")) << path;
  }
  profile = Profile();
  set(Key::seccomp_mode, "none");
  set(Key::home_mode, "overlay");
  set(Key::home_recover, "~/out");
  EXPECT_THAT(fault(), HasSubstr("leads out of the home"));
}

TEST_F(Home, WhatIsForgottenIsNotRecovered) {
  host.directory("/home/ann/Downloads");
  set(Key::home_mode, "overlay");
  set(Key::home_keep, "~/Downloads");
  set(Key::home_recover, "~/Music");
  EXPECT_THAT(fault(), HasSubstr("not in the overlay, but forgotten"));
  for (const char* path : {"~/Downloads", "~/Downloads/new"}) {
    profile = Profile();
    set(Key::seccomp_mode, "none");
    set(Key::home_mode, "overlay");
    set(Key::home_keep, "~/Downloads");
    set(Key::home_recover, path);
    EXPECT_EQ(plan().overlay.recover.size(), 1u) << path;
  }
}

TEST_F(Home, OnlyPathsOfTheHomeAreKept) {
  for (const char* path : {"/mnt", "~", "/home/anna"}) {
    profile = Profile();
    set(Key::home_keep, path);
    EXPECT_THAT(fault(), HasSubstr("does not lie below the home")) << path;
  }
}

TEST_F(Home, APrivateOneIsMadeAndBound) {
  set(Key::home_mode, "private");
  Plan p = plan();
  EXPECT_THAT(p.make_directories, ElementsAre("/home/ann/.local/share/sbox/homes/test"));
  EXPECT_EQ(find(p, "/home/ann")->source, "/home/ann/.local/share/sbox/homes/test");
  EXPECT_EQ(what(p, "/home/ann"), "rw");
  EXPECT_EQ(what(p, "/home/ann/.local/share/sbox"), "none");
}

TEST_F(Home, APrivateOneIsThatOfTheWordBehindTheAtOfTheInstance) {
  set(Key::home_mode, "private");
  for (const char* name : {"test@work", "other@work"}) {
    request.instance = name;
    Plan p = plan();
    EXPECT_EQ(find(p, "/home/ann")->source, "/home/ann/.local/share/sbox/homes/test@work") << name;
  }
  request.instance = "other";
  Plan p = plan();
  EXPECT_EQ(find(p, "/home/ann")->source, "/home/ann/.local/share/sbox/homes/test");
}

TEST_F(Home, KeptPathsAreMountedIntoAPrivateOne) {
  host.directory("/home/ann/.app/data");
  host.file("/home/ann/.config/app/rc");
  set(Key::home_mode, "private");
  set(Key::home_keep, "~/.app/data");
  set(Key::home_keep_read_only, "~/.config/app/rc");
  Plan p = plan();
  EXPECT_TRUE(find(p, "/home/ann/.app/data")->make_target);
  EXPECT_TRUE(find(p, "/home/ann/.config/app/rc")->make_target);
  EXPECT_EQ(what(p, "/home/ann/.config"), "pin");
  std::string home = "/home/ann/.local/share/sbox/homes/test";
  EXPECT_THAT(p.make_directories, ElementsAre(home, home + "/.app", home + "/.config", home + "/.config/app"));
}

TEST_F(Home, ADirectoryThatAPrivateOneDoesNotHaveIsNotTheCurrentOne) {
  host.directory("/home/ann/.config/app");
  host.directory("/home/ann/.config/other");
  host.change_to("/home/ann/.config/other");
  set(Key::home_mode, "private");
  set(Key::home_keep_read_only, "~/.config/app");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.config"), "pin");
  EXPECT_EQ(p.directory, "/home/ann");
}

TEST_F(Home, WhatIsKeptBehindALinkIsBoundAtTheLinksPlaceInAPrivateOne) {
  host.directory("/mnt/disk/dl");
  host.link("/home/ann/Downloads", "/mnt/disk/dl");
  set(Key::home_mode, "private");
  set(Key::home_keep, "${DOWNLOADS}");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/Downloads"), "rw");
  EXPECT_EQ(find(p, "/home/ann/Downloads")->source, "/mnt/disk/dl");
}

TEST_F(Home, ThatOfTheHostIsWholeWithoutKeepAndElseOnlyWhatIsKept) {
  set(Key::home_mode, "host");
  EXPECT_EQ(what(plan(), "/home/ann"), "rw");
  host.directory("/home/ann/.app");
  set(Key::home_keep, "~/.app");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann"), "tmpfs");
  EXPECT_EQ(what(p, "/home/ann/.app"), "rw");
}

class OverlayHome : public Home {
 protected:
  OverlayHome() {
    set(Key::home_mode, "overlay");
    host.directory("/home/ann/.config/sbox");
  }
};

TEST_F(OverlayHome, IsTheWholeHomeWithoutKeep) {
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann"), "overlay");
  EXPECT_EQ(find(p, "/home/ann")->source, "/home/ann");
  EXPECT_EQ(p.overlay.lower, "/home/ann");
  EXPECT_EQ(p.overlay.directory, "/home/ann/.local/share/sbox/overlays/test");
  EXPECT_THAT(p.make_directories,
              ::testing::IsSupersetOf({p.overlay.directory + "/upper", p.overlay.directory + "/work"}));
}

TEST_F(OverlayHome, IsOnlyWhatIsKeptWhereSomethingIs) {
  host.directory("/home/ann/.app");
  host.file("/home/ann/.apprc");
  set(Key::home_keep, "~/.app");
  set(Key::home_keep, "~/.apprc");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann"), "tmpfs");
  EXPECT_EQ(what(p, "/home/ann/.app"), "overlay");
  EXPECT_EQ(what(p, "/home/ann/.apprc"), "overlay");
  EXPECT_TRUE(find(p, "/home/ann/.apprc")->is_file);
}

TEST_F(OverlayHome, HasTheNameOfTheRunOrItsOwn) {
  request.instance = "work";
  EXPECT_EQ(base_name(plan().overlay.directory), "work");
  set(Key::home_overlay, "mine");
  EXPECT_EQ(base_name(plan().overlay.directory), "mine");
  for (const char* name : {"../x", ".x", "a/b"}) {
    set(Key::home_overlay, name);
    EXPECT_THAT(fault(), HasSubstr("not a name for an overlay")) << name;
  }
}

TEST_F(OverlayHome, HidesTheRulesOfSboxAndPinsWhatIsAround) {
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.config/sbox"), "hide");
  EXPECT_EQ(what(p, "/home/ann/.config"), "pin");
  EXPECT_EQ(what(p, "/home/ann/.local/share/sbox"), "hide");
}

TEST_F(OverlayHome, MakesTheDirectoriesOfSboxThatAreMissingSoThatTheyAreHidden) {
  host.remove("/home/ann/.config/sbox");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.config/sbox"), "hide");
  EXPECT_THAT(p.make_directories, ::testing::Contains("/home/ann/.config/sbox"));
}

TEST_F(OverlayHome, WhatIsToBeHiddenAndIsMissingIsRefused) {
  set(Key::files_hide, "~/secret");
  EXPECT_THAT(fault(), HasSubstr("made there later"));
  host.directory("/home/ann/secret");
  EXPECT_EQ(what(plan(), "/home/ann/secret"), "hide");
}

TEST_F(OverlayHome, OtherEntriesBelowItAreTheHosts) {
  host.directory("/home/ann/shared/deep/hidden");
  host.directory("/home/ann/library");
  set(Key::files_read_write, "~/shared");
  set(Key::home_keep_read_only, "~/library");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/shared"), "rw");
  EXPECT_EQ(what(p, "/home/ann/library"), "ro");
}

TEST_F(OverlayHome, AWritableEntryInADirectoryThatIsPinnedIsTheHosts) {
  host.directory("/home/ann/.config/app");
  set(Key::files_read_write, "~/.config/app");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.config"), "pin");
  EXPECT_EQ(what(p, "/home/ann/.config/app"), "rw");
}

TEST_F(OverlayHome, AFileOfTheCommandLineThatIsToBeEditedIsTheHosts) {
  host.file("/home/ann/a.txt");
  request.arguments = {"/home/ann/a.txt"};
  set(Key::files_arguments, "read-only");
  EXPECT_EQ(what(plan(), "/home/ann/a.txt"), "none");
  set(Key::files_arguments, "read-write");
  EXPECT_EQ(what(plan(), "/home/ann/a.txt"), "rw");
}

TEST_F(OverlayHome, MountsBelowItAreRefused) {
  host.file("/proc/self/mountinfo",
            "24 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 24 8:2 / /home/ann rw - ext4 /dev/sda2 rw\n"
            "31 24 8:2 / /home/anna/x rw - ext4 /dev/sda2 rw\n");
  EXPECT_EQ(fault(), "");
  host.file("/proc/self/mountinfo", "31 30 8:2 / /home/ann/My\\040disk rw - ext4 /dev/sda2 rw\n");
  EXPECT_THAT(fault(), HasSubstr("/home/ann/My disk"));
}

TEST_F(Home, MayBeReachedByALink) {
  host.directory("/usr/home/ann");
  host.directory("/usr/home/ann/.config/sbox");
  host.remove("/home");
  host.link("/home", "/usr/home", 0);
  Plan p = plan();
  EXPECT_EQ(what(p, "/home"), "symlink");
  EXPECT_EQ(what(p, "/usr/home/ann"), "tmpfs");
  EXPECT_EQ(variable(p, "HOME"), "/home/ann");
}

TEST_F(Home, TheEnvironmentMayChooseOneThatIsOurs) {
  host.directory("/scratch/home");
  host.set("HOME", "/scratch/home");
  EXPECT_EQ(what(plan(), "/scratch/home"), "tmpfs");
}

TEST_F(Home, TheEnvironmentMayNotChooseOneThatIsNotOurs) {
  host.directory("/scratch/open", kAnn, 0777);
  host.directory("/scratch/stranger", kStranger);
  host.directory("/dev/shm/home");
  for (const char* path :
       {"/etc", "/none", "relative", "/dev/shm/home", "/scratch/open", "/scratch/stranger", "/home/ann\n", "/", ""}) {
    host.set("HOME", path);
    EXPECT_THAT(fault(), HasSubstr("home directory")) << path;
  }
}

TEST_F(Home, ARefusalOfTheHomeSaysWhatIsWrongWithIt) {
  host.directory("/scratch/a:b");
  host.node("/scratch/locked", FileKind::unreachable);
  host.set("HOME", "/scratch/a:b");
  EXPECT_THAT(fault(), HasSubstr("holds a colon"));
  host.set("HOME", "/scratch/locked");
  EXPECT_THAT(fault(), HasSubstr("cannot be reached"));
}

TEST_F(Home, FoldersOfTheUserAreReadFromTheirFile) {
  host.file("/home/ann/.config/user-dirs.dirs",
            "# comment\nXDG_DOWNLOAD_DIR=\"$HOME/Loads\"\nXDG_MUSIC_DIR=\"/mnt/music\"\n"
            "XDG_PICTURES_DIR=\"$HOME/$(id)\"\nXDG_VIDEOS_DIR=\"$HOME/../x\"\n");
  for (const char* path : {"/home/ann/Loads", "/mnt/music", "/home/ann/Pictures", "/home/ann/Videos"}) {
    host.directory(path);
  }
  for (const char* name : {"${DOWNLOADS}", "${MUSIC}", "${PICTURES}", "${VIDEOS}"}) set(Key::files_read_only, name);
  Plan p = plan();
  for (const char* path : {"/home/ann/Loads", "/mnt/music", "/home/ann/Pictures", "/home/ann/Videos"}) {
    EXPECT_EQ(what(p, path), "ro") << path;
  }
}

TEST_F(Home, AFolderThatIsTheHomeItselfIsNone) {
  host.file("/home/ann/.config/user-dirs.dirs", "XDG_DESKTOP_DIR=\"$HOME/\"\n");
  set(Key::files_read_only, "${DESKTOP}");
  EXPECT_NE(fault(), "");
}

TEST_F(Home, ARuntimeDirectoryOfOthersIsAnErrorForWhoNeedsIt) {
  host.directory("/run/lax", kAnn, 0755);
  host.directory("/run/foreign", kStranger, 0700);
  for (const char* path : {"/run/lax", "/run/foreign", "/run/none"}) {
    host.set("XDG_RUNTIME_DIR", path);
    profile = Profile();
    EXPECT_EQ(fault(), "");
    set(Key::files_read_write, "${RUNTIME}/socket");
    EXPECT_THAT(fault(), HasSubstr("XDG_RUNTIME_DIR")) << path;
  }
}

class Cwd : public Home {
 protected:
  Cwd() { set(Key::files_read_write, "${CWD}"); }
};

TEST_F(Cwd, IsTheProjectsDirectory) {
  host.directory("/home/ann/project");
  host.change_to("/home/ann/project");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/project"), "rw");
  EXPECT_EQ(p.directory, "/home/ann/project");
}

TEST_F(Cwd, IsRefusedWhereItIsMoreThanAProject) {
  for (const char* path : {"/home/ann", "/home", "/", "/usr/bin", "/etc", "/run/user/1000", ""}) {
    host.change_to(path);
    EXPECT_THAT(fault(), HasSubstr("${CWD}")) << path;
  }
}

}  // namespace
}  // namespace sbox::testing
