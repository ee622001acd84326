// The rules of the mount view (HACKING.md), one test each.
#include "planning.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;

class View : public Planning {
 protected:
  View() { set(Key::seccomp_mode, "none"); }
};

TEST_F(View, TheLongestPathDecides) {
  host.file("/data/a/b/secret");
  host.file("/data/a/b/open/f");
  set(Key::files_read_only, "/data/a");
  set(Key::files_hide, "/data/a/b");
  set(Key::files_read_write, "/data/a/b/open");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a"), "ro");
  EXPECT_EQ(what(p, "/data/a/b"), "hide");
  EXPECT_EQ(what(p, "/data/a/b/open"), "rw");
}

TEST_F(View, ForTheSamePathHideBeatsReadOnlyBeatsReadWrite) {
  host.directory("/data/a");
  host.directory("/data/b");
  for (Key key : {Key::files_read_write, Key::files_read_only, Key::files_hide}) set(key, "/data/a/x");
  set(Key::files_read_only, "/data/a");
  host.directory("/data/a/x");
  set(Key::files_read_write, "/data/b");
  set(Key::files_read_only, "/data/b");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a/x"), "hide");
  EXPECT_EQ(what(p, "/data/b"), "ro");
}

TEST_F(View, TheOrderOfLinesDoesNotMatter) {
  host.directory("/data/a/b/c");
  std::vector<std::pair<Key, std::string>> lines = {{Key::files_read_write, "/data"},
                                                    {Key::files_read_only, "/data/a"},
                                                    {Key::files_hide, "/data/a/b"},
                                                    {Key::files_read_only, "/data/a/b/c"},
                                                    {Key::files_tmpfs, "/data/a/b/c"}};
  lines.pop_back();
  std::sort(lines.begin(), lines.end());
  std::vector<Node> first;
  do {
    profile = Profile();
    line = 0;
    set(Key::seccomp_mode, "none");
    for (const auto& [key, text] : lines) set(key, text);
    std::vector<Node> nodes = plan().nodes;
    for (Node& node : nodes) node.origin.clear();
    if (first.empty()) first = nodes;
    EXPECT_EQ(nodes, first);
  } while (std::next_permutation(lines.begin(), lines.end()));
}

TEST_F(View, AHiddenDirectoryThatHoldsAGrantCanBePassedThrough) {
  host.directory("/data/a/b/c");
  set(Key::files_read_only, "/data");
  set(Key::files_hide, "/data/a");
  set(Key::files_read_only, "/data/a/b/c");
  Plan p = plan();
  EXPECT_EQ(find(p, "/data/a")->mode, 0111u);
  EXPECT_EQ(what(p, "/data/a/b"), "directory");
  EXPECT_EQ(what(p, "/data/a/b/c"), "ro");
}

TEST_F(View, AHiddenDirectoryWithNothingInItHasModeZero) {
  host.directory("/data/a");
  set(Key::files_read_only, "/data");
  set(Key::files_hide, "/data/a");
  Plan p = plan();
  EXPECT_EQ(find(p, "/data/a")->mode, 0u);
  EXPECT_FALSE(find(p, "/data/a")->is_file);
}

TEST_F(View, AHiddenFileIsHiddenByAFile) {
  host.file("/data/key");
  set(Key::files_read_only, "/data");
  set(Key::files_hide, "/data/key");
  Plan p = plan();
  EXPECT_TRUE(find(p, "/data/key")->is_file);
}

TEST_F(View, WhatIsNotShownNeedsNoHiding) {
  host.file("/data/key");
  set(Key::files_hide, "/data/key");
  set(Key::files_hide, "/home/ann/.ssh");
  host.directory("/home/ann/.ssh");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/key"), "none");
  EXPECT_EQ(what(p, "/home/ann/.ssh"), "none");
}

TEST_F(View, WhatIsShownAlreadyIsNotMountedAgain) {
  host.directory("/data/a/b");
  set(Key::files_read_only, "/data/a");
  set(Key::files_read_only, "/data/a/b");
  set(Key::files_read_only, "/usr/lib");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a/b"), "none");
  EXPECT_EQ(what(p, "/usr/lib"), "none");
}

TEST_F(View, DirectoriesBetweenAWritableAndAProtectedPathArePinned) {
  host.directory("/data/a/b/c");
  set(Key::files_read_write, "/data");
  set(Key::files_read_only, "/data/a/b/c");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a"), "pin");
  EXPECT_EQ(what(p, "/data/a/b"), "pin");
  EXPECT_TRUE(find(p, "/data/a")->writable);
  EXPECT_EQ(what(p, "/data/a/b/c"), "ro");
}

TEST_F(View, WhatCoversTheHostsFilesIsGuarded) {
  host.directory("/data/a/b/c");
  host.file("/data/key");
  host.directory("/seen/open");
  host.file("/seen/key");
  set(Key::files_read_write, "/data");
  set(Key::files_read_only, "/data/a/b/c");
  set(Key::files_hide, "/data/key");
  set(Key::files_read_only, "/seen");
  set(Key::files_hide, "/seen/key");
  set(Key::files_read_write, "/seen/open");
  Plan p = plan();
  for (const char* path : {"/data/a", "/data/a/b", "/data/a/b/c", "/data/key", "/seen/key"}) {
    EXPECT_TRUE(find(p, path)->guarded) << path;
  }
  host.file("/proc/sys/kernel/random/boot_id", "", 0);
  for (const Node& node : plan().nodes) {
    EXPECT_EQ(node.guarded, is_below(node.target, "/data") || node.target == "/seen/key") << node.target;
  }
  EXPECT_FALSE(find(p, "/seen/open")->guarded) << "without it the program can do less";
  for (const char* path : {"/data/a/b/c", "/data/key"}) EXPECT_TRUE(find(p, path)->required) << path;
  EXPECT_FALSE(find(p, "/data/a")->required) << "what it protects is asked for";
  EXPECT_FALSE(find(p, "/seen/key")->required) << "the program cannot make it";
}

TEST_F(View, WhatCoversAPrivateHomeIsNotGuarded) {
  host.directory("/home/ann/.app/data");
  set(Key::home_mode, "private");
  set(Key::home_keep_read_only, "~/.app/data");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/.app/data"), "ro");
  EXPECT_FALSE(find(p, "/home/ann/.app/data")->guarded);
}

TEST_F(View, NothingIsPinnedBelowAReadOnlyPath) {
  host.directory("/data/a/b");
  set(Key::files_read_only, "/data");
  set(Key::files_hide, "/data/a/b");
  EXPECT_EQ(what(plan(), "/data/a"), "none");
}

TEST_F(View, WhatIsProtectedBelowAWritablePathRefusesWhoMayMount) {
  host.file("/data/a/held");
  host.directory("/data/a/d/e");
  auto fault_with = [&](Key key, const char* path) {
    profile = Profile();
    line = 0;
    set(Key::files_read_write, "/data/a");
    if (path) set(key, path);
    set(Key::process_nested_sandbox, "mounts");
    return fault();
  };
  EXPECT_THAT(fault_with(Key::files_hide, "/data/a/held"),
              AllOf(HasSubstr("test.profile:3"), HasSubstr("'/data/a/held' (test.profile:2) would not be held")));
  EXPECT_NE(fault_with(Key::files_read_only, "/data/a/held"), "");
  EXPECT_NE(fault_with(Key::files_read_only, "/data/a/d/e"), "");
  EXPECT_NE(fault_with(Key::files_tmpfs, "/data/a/d"), "");
  EXPECT_EQ(fault_with(Key::files_read_only, "/data"), "");
  EXPECT_EQ(fault_with(Key::files_read_only, nullptr), "");
  set(Key::home_mode, "host");
  EXPECT_THAT(fault(), HasSubstr(".config/sbox' (sbox) would not be held"));
}

TEST_F(View, AndWhoMayHaveNamespacesWhereLandlockDoesNotKeepHimFromMounting) {
  host.file("/data/a/held");
  set(Key::files_read_write, "/data/a");
  set(Key::files_hide, "/data/a/held");
  set(Key::process_nested_sandbox, "yes");
  EXPECT_EQ(fault(), "");
  set(Key::profile_optional, "abstract-sockets");
  host.set_landlock(0);
  EXPECT_THAT(fault(), HasSubstr("would not be held"));
}

TEST_F(View, AWritablePathInAProtectedOneInAWritableOne) {
  host.directory("/data/a/b/c/d");
  set(Key::files_read_write, "/data");
  set(Key::files_read_only, "/data/a");
  set(Key::files_read_write, "/data/a/b");
  set(Key::files_hide, "/data/a/b/c/d");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a"), "ro");
  EXPECT_EQ(what(p, "/data/a/b"), "rw");
  EXPECT_EQ(what(p, "/data/a/b/c"), "pin");
  EXPECT_EQ(what(p, "/data/a/b/c/d"), "hide");
}

TEST_F(View, WhatDoesNotExistIsLeftOut) {
  set(Key::files_read_only, "/data/none");
  set(Key::files_read_write, "/data/nothing");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/none"), "none");
  EXPECT_EQ(what(p, "/data/nothing"), "none");
}

TEST_F(View, WhatIsToBeHiddenBelowAWritablePathMustExist) {
  host.directory("/data");
  set(Key::files_read_write, "/data");
  set(Key::files_hide, "/data/hooks");
  EXPECT_THAT(fault(), HasSubstr("test.profile:3: '/data/hooks': does not exist"));
}

TEST_F(View, WhatIsToBeReadOnlyBelowAWritablePathMustExist) {
  host.directory("/data");
  set(Key::files_read_write, "/data");
  set(Key::files_read_only, "/data/hooks");
  EXPECT_THAT(fault(), HasSubstr("does not exist, and the program could make it"));
}

TEST_F(View, WhatIsToBeHiddenBelowAReadOnlyPathMustExist) {
  host.directory("/data");
  set(Key::files_read_only, "/data");
  set(Key::files_hide, "/data/hooks");
  EXPECT_THAT(fault(), HasSubstr("does not exist, and what is made there later would be seen"));
  host.directory("/data/hooks");
  EXPECT_EQ(what(plan(), "/data/hooks"), "hide");
}

TEST_F(View, ATmpfsCoversWhatIsThereAndIsPinned) {
  host.directory("/data/a/cache");
  set(Key::files_read_write, "/data");
  set(Key::files_tmpfs, "/data/a/cache");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a"), "pin");
  EXPECT_EQ(what(p, "/data/a/cache"), "tmpfs");
  EXPECT_EQ(find(p, "/data/a/cache")->size, uint64_t{1} << 30);
}

TEST_F(View, ATmpfsNeedsNoDirectoryOfTheHostButBelowABind) {
  set(Key::files_tmpfs, "/scratch/a");
  EXPECT_EQ(what(plan(), "/scratch/a"), "tmpfs");
  host.directory("/data");
  set(Key::files_read_only, "/data");
  set(Key::files_tmpfs, "/data/cache");
  EXPECT_THAT(fault(), HasSubstr("no such directory"));
}

TEST_F(View, APathCannotBeBothATmpfsAndTheHosts) {
  host.directory("/data");
  set(Key::files_read_only, "/data");
  set(Key::files_tmpfs, "/data");
  EXPECT_THAT(fault(), HasSubstr("also something else"));
}

TEST_F(View, ALinkOnTheWayIsMadeInsideToo) {
  host.directory("/mnt/disk/photos");
  host.link("/home/ann/Pictures", "/mnt/disk/photos");
  set(Key::files_read_only, "~/Pictures");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/Pictures"), "symlink");
  EXPECT_EQ(find(p, "/home/ann/Pictures")->content, "/mnt/disk/photos");
  EXPECT_EQ(what(p, "/mnt/disk/photos"), "ro");
}

TEST_F(View, ALinkOfTheSystemLeadsToTheSamePlace) {
  host.file("/run/service/state", "", 0);
  set(Key::files_read_only, "/var/run/service");
  Plan p = plan();
  EXPECT_EQ(what(p, "/run/service"), "ro");
  EXPECT_EQ(what(p, "/var/run"), "symlink");
}

TEST_F(View, ALinkOfAnotherUserRefusesTheStart) {
  host.link("/mnt/share", "/home/ann/private", kStranger);
  host.directory("/home/ann/private");
  set(Key::files_read_only, "/mnt/share");
  EXPECT_THAT(fault(), HasSubstr("belongs to another user"));
}

TEST_F(View, ALinkThatTheProgramCouldReplaceRefusesTheStart) {
  host.directory("/home/ann/app");
  host.directory("/home/ann/.ssh");
  host.link("/home/ann/app/data", "/home/ann/.ssh");
  set(Key::files_read_write, "~/app");
  set(Key::files_read_only, "~/app/data");
  EXPECT_THAT(fault(), HasSubstr("which the program could replace"));
}

TEST_F(View, ALinkToAHiddenPathShowsNothing) {
  host.file("/home/ann/.ssh/id");
  host.link("/home/ann/keys", ".ssh");
  set(Key::files_hide, "~/.ssh");
  set(Key::files_read_only, "~/keys");
  EXPECT_EQ(what(plan(), "/home/ann/.ssh"), "none");
}

TEST_F(View, WideAndSpecialPathsAreRefused) {
  for (const char* path : {"/", "/proc", "/proc/1", "/sys", "/dev", "/dev/sda", "/etc", "/run", "/run/user",
                           "/run/user/1000", "/var/run", "/tmp", "${RUNTIME}"}) {
    for (Key key : {Key::files_read_only, Key::files_read_write}) {
      profile = Profile();
      set(key, path);
      EXPECT_NE(fault(), "") << path;
    }
  }
}

TEST_F(View, ALinkToAWidePathIsRefusedToo) {
  host.link("/home/ann/all", "/");
  set(Key::files_read_only, "~/all");
  EXPECT_THAT(fault(), HasSubstr("would change the sandbox as a whole"));
}

TEST_F(View, ADeviceIsNoFile) {
  host.node("/home/ann/disk", FileKind::block_device);
  set(Key::files_read_write, "~/disk");
  EXPECT_THAT(fault(), HasSubstr("[devices] allow"));
}

TEST_F(View, ASocketOfTheRuntimeDirectoryKeepsItsNameInside) {
  host.directory("/elsewhere/run", kAnn, 0700);
  host.set("XDG_RUNTIME_DIR", "/elsewhere/run");
  host.socket("/elsewhere/run/app/socket");
  set(Key::files_read_write, "${RUNTIME}/app/socket");
  Plan p = plan();
  const Node* node = find(p, "/run/user/1000/app/socket");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->source, "/elsewhere/run/app/socket");
}

class Sockets : public View {
 protected:
  // Sockets of the host, as the kernel lists all of them where it cannot be asked for some.
  void listed(std::initializer_list<const char*> paths) {
    host.set_bound_sockets(std::nullopt);
    std::string list = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    for (const char* path : paths) {
      list += std::string("0000000087eb5318: 00000002 00000000 00010000 0001 01 1607055 ") + path + "\n";
    }
    host.file("/proc/net/unix", list, 0);
  }
};

TEST_F(Sockets, BelowAGrantedDirectoryAreHiddenButForOneThatIsGranted) {
  for (const char* path : {"/data/a/hidden sock", "/data/named", "/other/unseen"}) host.socket(path);
  listed({"/data/a/hidden sock", "/data/named", "/data/gone", "/other/unseen", "@/data/abstract"});
  for (Key key : {Key::files_read_only, Key::files_read_write}) {
    profile = Profile();
    set(key, "/data");
    set(Key::files_read_only, "/data/named");
    Plan p = plan();
    EXPECT_EQ(what(p, "/data/a/hidden sock"), "hide");
    EXPECT_TRUE(find(p, "/data/a/hidden sock")->is_file);
    EXPECT_NE(what(p, "/data/named"), "hide");
    EXPECT_EQ(what(p, "/data/gone"), "none");
    EXPECT_EQ(what(p, "/other/unseen"), "none");
  }
}

TEST_F(Sockets, AreHiddenWhereTheKernelNamesTheBoundOnesAlone) {
  for (const char* path : {"/data/hidden", "/data/two\nlines", "/data/named"}) host.socket(path);
  host.remove("/proc/net/unix");
  host.set_bound_sockets({{"/data/hidden", "/data/two\nlines", "/data/named", "/data/gone", "relative",
                           std::string("\0/data/abstract", 15), ""}});
  set(Key::files_read_only, "/data");
  set(Key::files_read_only, "/data/named");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/hidden"), "hide");
  EXPECT_EQ(what(p, "/data/two\nlines"), "hide");
  EXPECT_NE(what(p, "/data/named"), "hide");
  EXPECT_EQ(what(p, "/data/gone"), "none");
}

TEST_F(Sockets, ThatLeadNowhereAreNoReasonToRefuse) {
  host.directory("/data");
  host.link("/data/odd", "missing/../..", 2000);
  listed({"/data/odd/socket"});
  set(Key::files_read_only, "/data");
  EXPECT_EQ(fault(), "");
}

TEST_F(Sockets, BelowAWritableDirectoryHaveTheirAncestorsPinned) {
  host.socket("/data/a/b/sock");
  listed({"/data/a/b/sock"});
  set(Key::files_read_write, "/data");
  Plan p = plan();
  EXPECT_EQ(what(p, "/data/a"), "pin");
  EXPECT_TRUE(find(p, "/data/a/b/sock")->guarded);
  EXPECT_FALSE(find(p, "/data/a/b/sock")->required) << "its program takes it away when it ends";
}

TEST_F(Sockets, ThatCannotBeListedRefuseTheStartOfWhatGrantsFiles) {
  host.set_bound_sockets(std::nullopt);
  host.remove("/proc/net/unix");
  EXPECT_EQ(fault(), "");
  host.directory("/data");
  set(Key::files_read_only, "/data");
  EXPECT_THAT(fault(), HasSubstr("/proc/net/unix"));
}

TEST_F(View, ParentsComeBeforeChildren) {
  host.directory("/data/a/b");
  set(Key::files_read_write, "/data");
  set(Key::files_hide, "/data/a/b");
  Plan p = plan();
  for (size_t i = 0; i < p.nodes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(is_at_or_below(p.nodes[j].target, p.nodes[i].target));
  }
}

class Policy : public View {};

TEST_F(Policy, DirectoriesOfSboxCannotBeNamed) {
  for (const char* path : {"~/.config/sbox", "~/.config/sbox/profiles", "~/.local/share/sbox", "/etc/sbox",
                           "/home/ann/.local/share/sbox/homes/x"}) {
    for (Key key : {Key::files_read_only, Key::files_read_write, Key::files_tmpfs}) {
      profile = Profile();
      set(key, path);
      EXPECT_THAT(fault(), HasSubstr("holds the rules of sbox itself")) << path;
    }
  }
}

TEST_F(Policy, NorByALink) {
  host.link("/home/ann/x", ".config/sbox");
  set(Key::files_read_only, "~/x");
  EXPECT_THAT(fault(), HasSubstr("holds the rules of sbox itself"));
}

TEST_F(Policy, DirectoriesOfSboxAreHiddenAndPinnedBelowAWritablePath) {
  set(Key::home_mode, "host");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann"), "rw");
  EXPECT_EQ(what(p, "/home/ann/.config"), "pin");
  EXPECT_EQ(what(p, "/home/ann/.config/sbox"), "hide");
  EXPECT_EQ(what(p, "/home/ann/.local"), "pin");
  EXPECT_EQ(what(p, "/home/ann/.local/share"), "pin");
  EXPECT_EQ(what(p, "/home/ann/.local/share/sbox"), "hide");
}

TEST_F(Policy, DirectoriesOfSboxAreHiddenBelowAReadOnlyPath) {
  set(Key::files_read_only, "~/.config");
  EXPECT_EQ(what(plan(), "/home/ann/.config/sbox"), "hide");
}

TEST_F(Policy, ADirectoryOfSboxThatIsMissingBelowAWritablePathRefusesTheStart) {
  host.remove("/home/ann/.config/sbox");
  set(Key::home_keep, "~/.config");
  EXPECT_THAT(fault(), HasSubstr("'/home/ann/.config/sbox': does not exist"));
}

TEST_F(Policy, ALinkOnTheWayToADirectoryOfSboxBelowAWritablePathRefusesTheStart) {
  host.remove("/home/ann/.config");
  host.directory("/home/ann/dotfiles/config/sbox");
  host.link("/home/ann/.config", "dotfiles/config");
  set(Key::home_mode, "host");
  EXPECT_THAT(fault(), HasSubstr("which the program could replace"));
}

TEST_F(Policy, WhatSboxIsMadeOfStaysReadOnly) {
  request.prefix = "/home/ann/sbox/build";
  for (const char* path : {"bin/sbox", "libexec/sbox/sbox-launch", "lib/sbox/filters/x", "share/sbox/profiles/x"}) {
    host.file(request.prefix + "/" + path);
  }
  set(Key::files_read_write, "~/sbox");
  Plan p = plan();
  EXPECT_EQ(what(p, "/home/ann/sbox/build"), "pin");
  EXPECT_EQ(what(p, "/home/ann/sbox/build/bin/sbox"), "ro");
  EXPECT_EQ(what(p, "/home/ann/sbox/build/libexec/sbox"), "ro");
  EXPECT_EQ(what(p, "/home/ann/sbox/build/lib/sbox"), "ro");
  EXPECT_EQ(what(p, "/home/ann/sbox/build/share/sbox"), "ro");
}

TEST_F(Policy, APartOfSboxCannotBeMadeWritable) {
  request.prefix = "/home/ann/build";
  host.directory("/home/ann/build/share/sbox/profiles");
  set(Key::files_read_write, "~/build/share/sbox/profiles");
  EXPECT_THAT(fault(), HasSubstr("is a part of sbox itself"));
}

TEST_F(Policy, ARuntimeDirectoryInsideAGrantIsHidden) {
  host.directory("/home/ann/run", kAnn, 0700);
  host.socket("/home/ann/run/bus");
  host.set("XDG_RUNTIME_DIR", "/home/ann/run");
  set(Key::home_mode, "host");
  EXPECT_EQ(what(plan(), "/home/ann/run"), "hide");
}

}  // namespace
}  // namespace sbox::testing
