#include "planning.h"

namespace sbox::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Program : public Planning {
 protected:
  Program() { set(Key::seccomp_mode, "none"); }

  int status() {
    try {
      plan();
    } catch (const Error& error) {
      return error.exit_status();
    }
    return 0;
  }
};

TEST_F(Program, IsLookedForInPath) {
  request = {"viewer", {"-x", "a b"}, "", "/usr/local", false};
  Plan p = plan();
  EXPECT_EQ(p.program, "/usr/bin/viewer");
  EXPECT_THAT(p.argv, ElementsAre("viewer", "-x", "a b"));
}

TEST_F(Program, IsNotLookedForWhereAnyoneMayWriteNorRelativeToTheDirectory) {
  host.program("/scratch/bin/tool", kStranger);
  host.directory("/scratch/bin", kStranger, 0777);
  host.program("/home/ann/tool");
  host.set("PATH", "/scratch/bin:.::bin");
  request.program = "tool";
  EXPECT_EQ(status(), kExitNotFound);
}

TEST_F(Program, ThatIsMissingHasStatus127) {
  for (const char* name : {"nosuch", "/usr/bin/nosuch", "./nosuch", "", ".", ".."}) {
    request.program = name;
    EXPECT_EQ(status(), kExitNotFound) << name;
  }
}

TEST_F(Program, ThatCannotBeExecutedHasStatus126) {
  host.file("/usr/bin/data", "", 0, 0644);
  host.file("/usr/bin/roots", "", 0, 0700);
  for (const char* name : {"data", "/usr/bin/data", "roots", "/usr/bin", "/"}) {
    request.program = name;
    EXPECT_EQ(status(), kExitNotExecutable) << name;
  }
}

TEST_F(Program, ThatTheProfileHidesHasStatus126) {
  set(Key::files_hide, "/usr/bin/viewer");
  request.program = "viewer";
  EXPECT_EQ(status(), kExitNotExecutable);
}

TEST_F(Program, InADirectoryThatIsNotGrantedIsGrantedAlone) {
  host.program("/home/ann/project/build/tool", kAnn);
  host.file("/home/ann/project/secret");
  host.change_to("/home/ann/project");
  request.program = "./build/tool";
  Plan p = plan();
  EXPECT_EQ(p.program, "/home/ann/project/build/tool");
  EXPECT_EQ(what(p, "/home/ann/project/build/tool"), "ro");
  EXPECT_EQ(what(p, "/home/ann/project"), "directory");
  EXPECT_EQ(p.directory, "/home/ann/project");
}

TEST_F(Program, OfAParentDirectoryIsCalledByItsPlace) {
  host.program("/home/ann/tool", kAnn);
  host.directory("/home/ann/project");
  host.change_to("/home/ann/project");
  request.program = "../tool";
  EXPECT_EQ(plan().program, "/home/ann/tool");
}

TEST_F(Program, BelowOptBringsItsDirectory) {
  host.program("/opt/maker/app/bin/app");
  host.link("/usr/bin/app", "/opt/maker/app/bin/app", 0);
  request.program = "app";
  Plan p = plan();
  EXPECT_EQ(p.program, "/usr/bin/app");
  EXPECT_EQ(what(p, "/opt/maker"), "ro");
}

TEST_F(Program, OfSboxsOwnDirectoriesIsRefused) {
  host.program("/home/ann/.local/share/sbox/homes/x/bin/tool", kAnn);
  request.program = "/home/ann/.local/share/sbox/homes/x/bin/tool";
  EXPECT_THAT(fault(), HasSubstr("sbox itself"));
}

TEST_F(Program, TheDirectoryIsTheHomeWhereThatOfTheCallerIsNotThere) {
  host.directory("/mnt/disk");
  for (const char* path : {"/mnt/disk", "", "/mnt/gone"}) {
    host.change_to(path);
    EXPECT_EQ(plan().directory, "/home/ann") << path;
  }
  host.change_to("/usr/lib");
  EXPECT_EQ(plan().directory, "/usr/lib");
}

TEST_F(Program, ThePrivateHomeDoesNotHaveTheHostsDirectories) {
  host.directory("/home/ann/project");
  host.change_to("/home/ann/project");
  set(Key::home_mode, "private");
  EXPECT_EQ(plan().directory, "/home/ann");
}

class ArgumentFiles : public Program {
 protected:
  ArgumentFiles() {
    set(Key::files_arguments, "read-only");
    host.file("/home/ann/a.pdf");
    host.file("/home/ann/b c%.pdf");
    host.file("/home/ann/new\nline");
    host.directory("/home/ann/docs");
  }

  Plan with(std::vector<std::string> arguments) {
    request = {"viewer", std::move(arguments), "", "/usr/local", false};
    return plan();
  }
};

TEST_F(ArgumentFiles, FilesAndDirectoriesAreGranted) {
  Plan p = with({"a.pdf", "/home/ann/b c%.pdf", "new\nline", "docs"});
  for (const char* path : {"/home/ann/a.pdf", "/home/ann/b c%.pdf", "/home/ann/new\nline", "/home/ann/docs"}) {
    EXPECT_EQ(what(p, path), "ro") << path;
  }
}

TEST_F(ArgumentFiles, UrlsAndValuesOfOptionsAreRead) {
  Plan p = with({"file:///home/ann/b%20c%25.pdf", "--open=a.pdf", "--dir=file://localhost/home/ann/docs"});
  for (const char* path : {"/home/ann/a.pdf", "/home/ann/b c%.pdf", "/home/ann/docs"}) {
    EXPECT_EQ(what(p, path), "ro") << path;
  }
  p = with({"file://server/home/ann/a.pdf", "file:///home/ann/a%00.pdf", "file:///home/ann/%zz", "http://x/a.pdf"});
  EXPECT_EQ(what(p, "/home/ann/a.pdf"), "none");
}

TEST_F(ArgumentFiles, OfARelativeWordBringTheDirectoryThatItStartsFrom) {
  host.file("/home/ann/docs/x.pdf");
  host.directory("/home/ann/docs/drafts");
  host.change_to("/home/ann/docs/drafts");
  Plan p = with({"../x.pdf"});
  EXPECT_EQ(what(p, "/home/ann/docs/x.pdf"), "ro");
  EXPECT_EQ(what(p, "/home/ann/docs/drafts"), "directory");
  EXPECT_EQ(p.directory, "/home/ann/docs/drafts");
  EXPECT_EQ(what(with({"/home/ann/docs/x.pdf"}), "/home/ann/docs/drafts"), "none");
}

TEST_F(ArgumentFiles, BringTheDirectoriesThatTheWordLeavesAgain) {
  host.link("/home/ann/docs/link.pdf", "../a.pdf");
  host.directory("/home/ann/docs/old");
  Plan p = with({"docs/old/../link.pdf"});
  EXPECT_EQ(what(p, "/home/ann/docs/old"), "directory");
  EXPECT_EQ(what(p, "/home/ann/docs/link.pdf"), "symlink");
  EXPECT_EQ(what(p, "/home/ann/a.pdf"), "ro");
}

TEST_F(ArgumentFiles, OfARelativeWordAreThereInAPrivateHomeToo) {
  host.file("/home/ann/docs/x.pdf");
  host.directory("/home/ann/work");
  set(Key::home_mode, "private");
  host.change_to("/home/ann/docs");
  EXPECT_EQ(with({"x.pdf"}).directory, "/home/ann/docs");
  host.change_to("/home/ann/work");
  Plan p = with({"../docs/x.pdf"});
  EXPECT_EQ(p.directory, "/home/ann/work");
  EXPECT_THAT(p.make_directories, Contains("/home/ann/.local/share/sbox/homes/test/work"));
}

TEST_F(ArgumentFiles, OfARelativeWordChangeNothingWhereTheDirectoryIsShown) {
  host.file("/home/ann/docs/x.pdf");
  host.change_to("/home/ann/docs");
  for (const char* path : {"~/docs/drafts", "~/docs"}) {
    set(Key::home_keep, path);
    host.directory("/home/ann/docs/drafts");
    Plan p = with({".", "x.pdf", "drafts/../x.pdf"});
    EXPECT_EQ(p.directory, "/home/ann/docs");
    EXPECT_NE(what(p, "/home/ann/docs"), "directory");
  }
}

TEST_F(ArgumentFiles, OfADirectoryThatTheProfileHidesDoNotOpenIt) {
  host.file("/home/ann/docs/x.pdf");
  host.directory("/home/ann/docs/keys");
  set(Key::files_read_only, "~/docs");
  set(Key::files_hide, "~/docs/keys");
  host.change_to("/home/ann/docs/keys");
  Plan p = with({"../x.pdf"});
  EXPECT_EQ(what(p, "/home/ann/docs/keys"), "hide");
  EXPECT_EQ(p.directory, "/home/ann");
}

TEST_F(ArgumentFiles, ADetourByItsParentDoesNotHideWhichLinkAProgramCouldHavePlanted) {
  host.file("/home/ann/.ssh/id");
  host.link("/home/ann/docs/x.pdf", "/home/ann/.ssh/id");
  host.link("/home/ann/docs/keys", "/home/ann/.ssh");
  set(Key::files_read_write, "~/docs");
  request = {"viewer", {"docs/../docs/x.pdf"}, "", "/usr/local", false};
  EXPECT_THAT(fault(), HasSubstr("which the program could replace"));
  EXPECT_EQ(what(with({"docs/keys/../.ssh/id"}), "/home/ann/.ssh/id"), "none");
}

TEST_F(ArgumentFiles, BehindTwoDashesAreNoOptions) {
  host.file("/home/ann/-x.pdf");
  EXPECT_EQ(what(with({"-v", "--", "-x.pdf"}), "/home/ann/-x.pdf"), "ro");
  EXPECT_EQ(what(with({"-v", "-x.pdf"}), "/home/ann/-x.pdf"), "none");
}

TEST_F(ArgumentFiles, OfTheRootAndOfTheKernelsDirectoriesAreNamedFromThere) {
  host.change_to("/");
  EXPECT_EQ(with({"home/ann/a.pdf"}).directory, "/");
  host.directory("/proc/1");
  host.change_to("/proc/1");
  EXPECT_EQ(what(with({"../../home/ann/a.pdf"}), "/proc/1"), "none");
}

TEST_F(ArgumentFiles, AreNotReadWhereTheProfileSaysNo) {
  set(Key::files_arguments, "no");
  EXPECT_EQ(what(with({"a.pdf"}), "/home/ann/a.pdf"), "none");
}

TEST_F(ArgumentFiles, AreWritableWhereTheProfileSaysSo) {
  set(Key::files_arguments, "read-write");
  EXPECT_EQ(what(with({"a.pdf"}), "/home/ann/a.pdf"), "rw");
}

TEST_F(ArgumentFiles, AreEditedInADirectoryThatTakesNoOtherFiles) {
  set(Key::files_arguments, "read-write");
  for (const char* path : {"/home/ann/notes/a", "/home/ann/.config/x.conf"}) host.file(path);
  Plan p = with({"notes/a", ".config/x.conf", "a.pdf"});
  const Node* parent = find(p, "/home/ann/notes");
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->kind, NodeKind::tmpfs);
  EXPECT_EQ(parent->mode, 0555u);
  EXPECT_NE(what(p, "/home/ann/.config"), "tmpfs") << "the program's own settings";
  set(Key::home_keep, "~/notes");
  EXPECT_EQ(what(with({"notes/a"}), "/home/ann/notes"), "rw");
}

TEST_F(ArgumentFiles, TooWideOnesAreLeftOut) {
  Plan first = with({});
  Plan second =
      with({"/", "/home", "/home/ann", ".", "..", "/etc", "/usr", "/proc/1", "/tmp", "/run/user/1000", "/dev/null"});
  EXPECT_EQ(first.nodes, second.nodes);
}

TEST_F(ArgumentFiles, DirectoriesOfSboxAreRefused) {
  host.file("/home/ann/.config/sbox/profiles/x.profile");
  request = {"viewer", {".config/sbox/profiles/x.profile"}, "", "/usr/local", false};
  EXPECT_THAT(fault(), HasSubstr("sbox itself"));
}

TEST_F(ArgumentFiles, NeverOpenWhatTheProfileHides) {
  host.file("/home/ann/docs/keys/id");
  set(Key::files_read_only, "~/docs");
  set(Key::files_hide, "~/docs/keys");
  EXPECT_EQ(what(with({"docs/keys/id"}), "/home/ann/docs/keys/id"), "none");
}

TEST_F(ArgumentFiles, DoNotTakeAwayWhatTheProfileGives) {
  host.file("/home/ann/docs/x");
  set(Key::files_read_write, "~/docs");
  EXPECT_EQ(what(with({"docs/x"}), "/home/ann/docs/x"), "none");
}

TEST_F(ArgumentFiles, ALinkIsGrantedWithWhatItLeadsTo) {
  host.file("/mnt/disk/x.pdf");
  host.link("/home/ann/x.pdf", "/mnt/disk/x.pdf");
  Plan p = with({"x.pdf"});
  EXPECT_EQ(what(p, "/home/ann/x.pdf"), "symlink");
  EXPECT_EQ(what(p, "/mnt/disk/x.pdf"), "ro");
}

TEST_F(ArgumentFiles, ALinkThatAProgramCouldHavePlantedRefusesTheStart) {
  host.file("/home/ann/.ssh/id");
  host.link("/home/ann/docs/x.pdf", "/home/ann/.ssh/id");
  set(Key::files_read_write, "~/docs");
  request = {"viewer", {"docs/x.pdf"}, "", "/usr/local", false};
  EXPECT_THAT(fault(), HasSubstr("which the program could replace"));
}

}  // namespace
}  // namespace sbox::testing
