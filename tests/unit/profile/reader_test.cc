#include "profile/reader.h"

#include "testing.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Origin at(const ProfileTree& tree, const std::string& name, int line) { return {tree.path(name), line}; }

TEST(Profile, HasTheDefaultsOfTheTableWhereNothingIsWritten) {
  ProfileTree tree;
  tree.write("user/a.profile", "");
  Profile profile = tree.read("a");
  EXPECT_EQ(profile.name(), "a");
  EXPECT_EQ(profile.path(), tree.path("user/a.profile"));
  EXPECT_EQ(profile.text(Key::home_mode), "empty");
  EXPECT_EQ(profile.number(Key::home_size), 1u << 30);
  EXPECT_FALSE(profile.flag(Key::devices_gpu));
  EXPECT_FALSE(profile.is_set(Key::devices_gpu));
  EXPECT_EQ(profile.scalar(Key::devices_gpu).origin, Origin{});
  EXPECT_THAT(profile.list(Key::files_hide), IsEmpty());
}

TEST(Profile, EveryDefaultIsAValueThatAFileMayHold) {
  for (const Setting& row : settings()) {
    if (row.fallback.empty()) continue;
    Profile profile;
    EXPECT_NO_THROW(profile.assign(row.key, {std::string(row.fallback), {"test", 1}})) << row.section << row.name;
  }
}

TEST(Profile, OfANewerFormatIsRefusedForThatAloneWhateverElseItHas) {
  ProfileTree tree;
  tree.write("user/a.profile", "[novelty]\nkey = x\n[profile]\nformat = 2\n");
  EXPECT_THAT(tree.failure("a"), HasSubstr("a.profile:4: format = 2: this is sbox "));
  EXPECT_THAT(tree.failure("a"), HasSubstr("which knows profiles up to format 1 (update sbox"));
  tree.write("user/b.profile", "[profile]\nformat = 1\n");
  EXPECT_EQ(tree.failure("b"), "");
  tree.write("user/b.profile.d/new.conf", "[profile]\nformat = 3\n");
  EXPECT_THAT(tree.failure("b"), HasSubstr("new.conf:2: format = 3: this is sbox "));
  tree.write("user/c.profile", "[profile]\ninclude = a\n");
  EXPECT_THAT(tree.failure("c"), HasSubstr("a.profile:4: format = 2: "));
  tree.write("user/d.profile", "[profile]\nformat = 0\n");
  EXPECT_THAT(tree.failure("d"), HasSubstr("formats begin with 1"));
  tree.write("user/e.profile", "[profile]\nformat = two\n");
  EXPECT_NE(tree.failure("e"), "");
}

TEST(Profile, MayBeABlockOfTheSearchPathByItsName) {
  ProfileTree tree;
  tree.write("share/lib/gui.profile", "[profile]\ndescription = x\n[files]\nread-only = /a\n");
  tree.write("user/lib/gui.profile.d/mine.conf", "[files]\nread-only = /b\n");
  Profile block = tree.read("lib/gui");
  EXPECT_EQ(block.name(), "gui");
  EXPECT_EQ(block.path(), tree.path("share/lib/gui.profile"));
  EXPECT_THAT(texts(block.list(Key::files_read_only)), ElementsAre("/a", "/b"));
  EXPECT_EQ(tree.failure("lib/gi"), "block 'lib/gi': there is no such block (did you mean lib/gui?)");
  EXPECT_THAT(tree.failure("lib/gui.profile"), HasSubstr("there is no such file"));
  EXPECT_THAT(tree.failure("./lib/gui"), HasSubstr("there is no such file"));
}

TEST(Profile, KnowsWhereEachValueWasWritten) {
  ProfileTree tree;
  tree.write("user/a.profile", "[devices]\ngpu = yes\n[files]\nhide = /a, /b\n  \"/c, d\"\n");
  Profile profile = tree.read("a");
  EXPECT_EQ(profile.scalar(Key::devices_gpu).origin, at(tree, "user/a.profile", 2));
  std::vector<Value> hide = profile.list(Key::files_hide);
  EXPECT_THAT(texts(hide), ElementsAre("/a", "/b", "/c, d"));
  EXPECT_EQ(hide[1].origin.line, 4);
  EXPECT_EQ(hide[2].origin.line, 5);
}

TEST(Profile, TakesWhatEachTypeAllows) {
  ProfileTree tree;
  tree.write("user/a.profile",
             "[files]\nread-only = /, ~, ~/x y, ${HOME}/.a, ${DOWNLOADS}, /run/user/${UID}/x, /a..b/...\n"
             "[dbus]\ntalk = org.a.B, org.a.*\ncall = org.a.*=*, org.a.B=org.a.C.D@/org/a, org.a.B=org.a.C.*@/org/*\n"
             "[environment]\nkeep = LC_*, _A1\nset = A=, B=b=c, \"C=d, e\"\n"
             "[system]\nhostname = host\ntime-zone = Etc/GMT+1\netc = ssl, foo.d\n"
             "[limits]\nfile-size = 4K\nopen-files = 18446744073709551615\n"
             "[seccomp]\nallow = @debug, ptrace\n");
  EXPECT_EQ(tree.failure("a"), "");
  Profile profile = tree.read("a");
  EXPECT_EQ(profile.number(Key::limits_file_size), 4096u);
  EXPECT_THAT(texts(profile.list(Key::environment_set)), ElementsAre("A=", "B=b=c", "C=d, e"));
}

TEST(Profile, ADoubledQuoteStandsForOneWithinQuotes) {
  ProfileTree tree;
  tree.write("user/a.profile", "[environment]\nset = \"A=\"\"b\"\"\"\n");
  EXPECT_THAT(texts(tree.read("a").list(Key::environment_set)), ElementsAre("A=\"b\""));
}

TEST(Includes, AreReadFirstAndScalarsAreWonByTheLast) {
  ProfileTree tree;
  tree.write("share/lib/one.profile", "[home]\nmode = private\n[files]\nhide = /one\n[devices]\ngpu = yes\n");
  tree.write("share/lib/two.profile", "[home]\nmode = overlay\n[files]\nhide = /two\n");
  tree.write("user/a.profile", "[files]\nhide = /a\n[devices]\ngpu = no\n[profile]\ninclude = lib/one,\n");
  EXPECT_THAT(tree.failure("a"), HasSubstr("empty"));
  tree.write("user/a.profile", "[files]\nhide = /a\n[devices]\ngpu = no\n[profile]\ninclude = lib/one\n  lib/two\n");
  Profile profile = tree.read("a");
  EXPECT_EQ(profile.text(Key::home_mode), "overlay");
  EXPECT_FALSE(profile.flag(Key::devices_gpu));
  EXPECT_THAT(texts(profile.list(Key::files_hide)), ElementsAre("/one", "/two", "/a"));
  EXPECT_EQ(profile.list(Key::files_hide)[0].origin, at(tree, "share/lib/one.profile", 4));
}

TEST(Includes, AnEmptyAssignmentClearsWhatCameBefore) {
  ProfileTree tree;
  tree.write("share/lib/one.profile", "[files]\nhide = /one\nread-only = /one\n");
  tree.write("user/a.profile", "[profile]\ninclude = lib/one\n[files]\nhide =\nhide = /a\nread-only =\n");
  Profile profile = tree.read("a");
  EXPECT_THAT(texts(profile.list(Key::files_hide)), ElementsAre("/a"));
  EXPECT_THAT(profile.list(Key::files_read_only), IsEmpty());
  EXPECT_TRUE(profile.is_set(Key::files_read_only));
}

TEST(Includes, AListThatBeginsOnTheNextLineClearsNothing) {
  ProfileTree tree;
  tree.write("share/lib/one.profile", "[files]\nhide = /one\n");
  tree.write("user/a.profile", "[profile]\ninclude = lib/one\n[files]\nhide =\n  /a\n");
  EXPECT_THAT(texts(tree.read("a").list(Key::files_hide)), ElementsAre("/one", "/a"));
}

TEST(Includes, DoNotHandOnTheirDescriptionOrPrograms) {
  ProfileTree tree;
  tree.write("share/base.profile", "[profile]\ndescription = Base.\nprograms = other\ninclude = lib/one\n");
  tree.write("share/lib/one.profile", "[profile]\noptional = display\n");
  tree.write("user/a.profile", "[profile]\ninclude = base\n");
  Profile profile = tree.read("a");
  EXPECT_FALSE(profile.is_set(Key::profile_description));
  EXPECT_THAT(profile.list(Key::profile_programs), IsEmpty());
  EXPECT_THAT(texts(profile.list(Key::profile_include)), ElementsAre("base"));
  EXPECT_TRUE(profile.is_optional("display"));
}

TEST(Optional, TakesOnlyTheFeaturesThatExist) {
  ProfileTree tree;
  tree.write("user/a.profile", "[profile]\noptional = dispaly\n");
  try {
    tree.read("a");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.where().line, 2);
    EXPECT_EQ(error.hint_text(), "did you mean display?");
  }
}

TEST(Includes, TakeTheFileOfTheHighestDirectory) {
  ProfileTree tree;
  tree.write("share/lib/one.profile", "[home]\nmode = host\n");
  tree.write("etc/lib/one.profile", "[home]\nmode = private\n");
  tree.write("user/a.profile", "[profile]\ninclude = lib/one\n");
  EXPECT_EQ(tree.read("a").text(Key::home_mode), "private");
}

TEST(Includes, ABlockThatTwoBlocksIncludeIsMergedOnce) {
  ProfileTree tree;
  tree.write("share/lib/base.profile", "[files]\nhide = /base\n[home]\nmode = private\n");
  tree.write("share/lib/one.profile", "[profile]\ninclude = lib/base\n[home]\nmode = overlay\n");
  tree.write("share/lib/two.profile", "[profile]\ninclude = lib/base\n");
  tree.write("user/a.profile", "[profile]\ninclude = lib/one, lib/two\n");
  Profile profile = tree.read("a");
  EXPECT_THAT(texts(profile.list(Key::files_hide)), ElementsAre("/base"));
  EXPECT_EQ(profile.text(Key::home_mode), "overlay");
}

TEST(Includes, LoopsAreErrorsThatNameTheChain) {
  ProfileTree tree;
  tree.write("user/a.profile", "[profile]\ninclude = lib/one\n");
  tree.write("user/lib/one.profile", "[profile]\ninclude = lib/two\n");
  tree.write("user/lib/two.profile", "[profile]\n\ninclude = lib/one\n");
  EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/user/lib/two.profile:3: "));
  EXPECT_THAT(tree.failure("a"), HasSubstr("a -> lib/one -> lib/two -> lib/one"));
  tree.write("user/b.profile", "[profile]\ninclude = b\n");
  EXPECT_THAT(tree.failure("b"), HasSubstr("b -> b"));
  EXPECT_THAT(tree.failure("b"), HasSubstr("drop-in"));
}

TEST(Includes, MayBeSixteenDeepAndNotDeeper) {
  ProfileTree tree;
  for (int i = 0; i < 17; ++i) {
    std::string next = "[profile]\ninclude = p" + std::to_string(i + 1) + "\n";
    tree.write("user/p" + std::to_string(i) + ".profile", next);
  }
  tree.write("user/p17.profile", "");
  EXPECT_EQ(tree.failure("p1"), "");
  EXPECT_THAT(tree.failure("p0"), HasSubstr("p0 -> p1 -> p2"));
}

TEST(Includes, ThatAreMissingAreSuggested) {
  ProfileTree tree;
  tree.write("share/lib/network-client.profile", "");
  tree.write("user/a.profile", "[profile]\ninclude = lib/network-cleint\n");
  EXPECT_THAT(tree.failure("a"), HasSubstr("did you mean lib/network-client?"));
  tree.write("user/a.profile", "[profile]\ninclude = network-client\n");
  EXPECT_THAT(tree.failure("a"), HasSubstr("did you mean lib/network-client?"));
}

TEST(DropIns, AreMergedAfterTheProfileByFileNameFromAllDirectories) {
  ProfileTree tree;
  tree.write("share/a.profile", "[home]\nmode = empty\n[files]\nhide = /main\n");
  tree.write("share/a.profile.d/20.conf", "[home]\nmode = overlay\n[files]\nhide = /20\n");
  tree.write("etc/a.profile.d/30.conf", "[files]\nhide = /30\n");
  tree.write("user/a.profile.d/10.conf", "[home]\nmode = private\n[files]\nhide = /10\n");
  Profile profile = tree.read("a");
  EXPECT_EQ(profile.text(Key::home_mode), "overlay");
  EXPECT_THAT(texts(profile.list(Key::files_hide)), ElementsAre("/main", "/10", "/20", "/30"));
  EXPECT_EQ(profile.list(Key::files_hide)[2].origin, at(tree, "share/a.profile.d/20.conf", 4));
}

TEST(DropIns, OfAHigherDirectoryReplaceThoseOfTheSameName) {
  ProfileTree tree;
  tree.write("share/a.profile", "");
  tree.write("share/a.profile.d/10.conf", "[devices]\ngpu = yes\n");
  tree.write("etc/a.profile.d/10.conf", "");
  EXPECT_FALSE(tree.read("a").is_set(Key::devices_gpu));
}

TEST(DropIns, TakeOutOneElementOfAListAndPutItBack) {
  ProfileTree tree;
  tree.write("share/lib/b.profile", "[files]\nhide = /block\n");
  tree.write("share/a.profile", "[profile]\ninclude = lib/b\n[files]\nhide = /main, /main/x, \"/a, b\"\n");
  tree.write("user/a.profile.d/10.conf", "[files]\nhide -= /block, \"/a, b\"\n  /main/x\nhide += /10\n");
  Profile profile = tree.read("a");
  EXPECT_THAT(texts(profile.list(Key::files_hide)), ElementsAre("/main", "/10"));
  EXPECT_THAT(texts(profile.taken_out(Key::files_hide)), ElementsAre("/block", "/a, b", "/main/x"));
  EXPECT_EQ(profile.taken_out(Key::files_hide)[2].origin, at(tree, "user/a.profile.d/10.conf", 3));
  tree.write("etc/a.profile.d/20.conf", "[files]\nhide = /block\n");
  EXPECT_THAT(texts(tree.read("a").list(Key::files_hide)), ElementsAre("/main", "/10", "/block"));
  EXPECT_THAT(texts(tree.read("a").taken_out(Key::files_hide)), ElementsAre("/a, b", "/main/x"));
}

TEST(DropIns, ThatTakeOutWhatIsNotThereRefuseTheProfile) {
  ProfileTree tree;
  tree.write("share/a.profile", "[files]\nhide = /main\n");
  tree.write("user/a.profile.d/10.conf", "[files]\nhide -= /mian\n");
  EXPECT_EQ(tree.failure("a"),
            "ROOT/user/a.profile.d/10.conf:2: files.hide = /mian: is not in the list (did you mean /main?)");
}

TEST(DropIns, ReadAloneTakeOutNothing) {
  ProfileTree tree;
  tree.write("share/a.profile", "[files]\nhide = /main\n");
  for (const char* name : {"local.conf", "local.conf.edit"}) {
    std::string path = tree.write("user/a.profile.d/" + std::string(name), "[files]\nhide -= /main\n");
    EXPECT_EQ(tree.failure(path), "") << name;
    tree.write("user/a.profile.d/" + std::string(name), "[files]\nhide -= main\n");
    EXPECT_THAT(tree.failure(path), HasSubstr("not absolute")) << name;
  }
}

TEST(DropIns, TakeNothingFromWhatAnIncludedFileKeepsToItself) {
  ProfileTree tree;
  tree.write("share/b.profile", "[profile]\nprograms = b\n");
  tree.write("user/b.profile.d/10.conf", "[profile]\nprograms -= b\n");
  tree.write("share/a.profile", "[profile]\ninclude = b\nprograms = a\n");
  EXPECT_THAT(texts(tree.read("a").list(Key::profile_programs)), ElementsAre("a"));
  EXPECT_THAT(tree.read("b").list(Key::profile_programs), IsEmpty());
}

TEST(DropIns, ChangeIncludedProfilesAndBlocksToo) {
  ProfileTree tree;
  tree.write("share/a.profile", "[profile]\ninclude = lib/gui\n");
  tree.write("share/lib/gui.profile", "[devices]\ngpu = yes\n");
  tree.write("user/lib/gui.profile.d/local.conf", "[devices]\ngpu = no\n[profile]\nprograms = x\n");
  Profile profile = tree.read("a");
  EXPECT_FALSE(profile.flag(Key::devices_gpu));
  EXPECT_THAT(profile.list(Key::profile_programs), IsEmpty());
}

TEST(DropIns, MayIncludeABlock) {
  ProfileTree tree;
  tree.write("share/a.profile", "[files]\nhide = /main\n");
  tree.write("share/lib/gpu.profile", "[devices]\ngpu = yes\n");
  tree.write("user/a.profile.d/10.conf", "[profile]\ninclude = lib/gpu\n");
  EXPECT_TRUE(tree.read("a").flag(Key::devices_gpu));
}

TEST(DropIns, AreOnlyFilesThatEndInConf) {
  ProfileTree tree;
  tree.write("share/a.profile", "");
  for (const char* name : {".hidden.conf", "10.conf~", "10.conf.bak", "#10.conf#", "README"}) {
    tree.write("user/a.profile.d/" + std::string(name), "nonsense");
  }
  EXPECT_EQ(tree.failure("a"), "");
  tree.make_directory("user/a.profile.d/x.conf");
  EXPECT_THAT(tree.failure("a"), StartsWith("ROOT/user/a.profile.d/x.conf: "));
}

TEST(DropIns, BelongToNamesAndNotToFiles) {
  ProfileTree tree;
  std::string file = tree.write("share/a.profile", "");
  tree.write("user/a.profile.d/10.conf", "[devices]\ngpu = yes\n");
  EXPECT_FALSE(tree.read(file).flag(Key::devices_gpu));
}

TEST(Names, AreLookedForInTheSearchPathOnly) {
  ProfileTree tree;
  tree.write("etc/a.profile", "[home]\nmode = private\n");
  tree.write("share/a.profile", "[home]\nmode = host\n");
  EXPECT_EQ(tree.read("a").path(), tree.path("etc/a.profile"));
  tree.write("here/local.profile", "");
  tree.write("here/plain", "");
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(tree.path("here"));
  std::string local = tree.failure("local"), plain = tree.failure("plain"), dotted = tree.failure("./local.profile");
  std::string folder = tree.failure("./local");
  std::filesystem::current_path(before);
  EXPECT_THAT(local, HasSubstr("write ./local.profile"));
  EXPECT_THAT(plain, HasSubstr("write ./plain"));
  EXPECT_EQ(dotted, "");
  EXPECT_THAT(folder, HasSubstr("did you mean ./local.profile?"));
}

TEST(Names, ThatAreMissingAreSuggested) {
  ProfileTree tree;
  tree.write("share/firefox.profile", "");
  EXPECT_THAT(tree.failure("firefxo"), HasSubstr("did you mean firefox?"));
  EXPECT_THAT(tree.failure("firefox.profile"), HasSubstr("did you mean firefox?"));
  for (const char* name : {"", ".", "..", "-x", ".hidden", "a b", "a..b", "\x1b"}) {
    EXPECT_THAT(tree.failure(name), HasSubstr("is not the name of a profile")) << name;
  }
}

TEST(Names, OfDirectoriesAreNotProfiles) {
  ProfileTree tree;
  EXPECT_THAT(tree.failure(tree.path("user/")), HasSubstr("no proper name for a profile (name it NAME.profile"));
  EXPECT_THAT(tree.failure(tree.path("user")), HasSubstr("is not a regular file"));
  EXPECT_THAT(tree.failure("/nowhere/at/all/x.profile"), HasSubstr("no such file"));
}

TEST(Names, AreListedOnceAndSorted) {
  ProfileTree tree;
  for (const char* name : {"user/b", "share/b", "etc/a", "share/lib/block", "share/.c", "share/d e", "share/z"}) {
    tree.write(std::string(name) + ".profile", "");
  }
  EXPECT_THAT(list_profiles(tree.search()), ElementsAre("a", "b", "z"));
  EXPECT_THAT(list_profiles({{tree.path("missing")}}), IsEmpty());
}

TEST(Overrides, AssignAddAndRemove) {
  ProfileTree tree;
  tree.write("user/a.profile", "[files]\nhide = /a, /b\n");
  Profile profile = tree.read("a", {"files.hide-=/a", "files.hide+=/c, /d", "home.mode=private", "devices.gpu=yes"});
  EXPECT_THAT(texts(profile.list(Key::files_hide)), ElementsAre("/b", "/c", "/d"));
  EXPECT_EQ(profile.list(Key::files_hide)[1].origin.text(), "command line");
  EXPECT_EQ(profile.text(Key::home_mode), "private");
  EXPECT_THAT(texts(tree.read("a", {"files.hide=/x"}).list(Key::files_hide)), ElementsAre("/x"));
  EXPECT_THAT(tree.read("a", {"files.hide="}).list(Key::files_hide), IsEmpty());
  EXPECT_THAT(texts(tree.read("a", {"environment.set+=A=b"}).list(Key::environment_set)), ElementsAre("A=b"));
}

TEST(Overrides, AreCheckedLikeFiles) {
  ProfileTree tree;
  tree.write("user/a.profile", "[files]\nhide = /a\n");
  const std::pair<const char*, const char*> kCases[] = {
      {"files.hide-=/b", "not in the list"},   {"files.hide+=", "names nothing"},   {"files.hide=../x", "not absolute"},
      {"home.mode+=private", "not a list"},    {"home.mode=privat", "private?"},    {"profile.include=x", "in a file"},
      {"profile.programs+=x", "in a file"},    {"home.mode=", "no value"},          {"devices.gpu=true", "write yes"},
      {"files.hide=/a\n/b", "control"},        {"environment.set=A=\xff", "UTF-8"}, {"environment.set=A=b ;c", "';'"},
      {"environment.set=A=\x1b[2K", "control"}};
  for (const auto& [option, part] : kCases) EXPECT_THAT(tree.failure("a", {option}), HasSubstr(part)) << option;
}

TEST(Overrides, WithoutAKeyAreRefused) {
  for (const char* text : {"", "=", "home", "home.mode", "home=x", "a=b.c"}) {
    EXPECT_THROW(parse_override(text), Error) << text;
  }
  try {
    parse_override("home.mod=private");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint_text(), "did you mean mode?");
    EXPECT_EQ(error.where().file, "command line");
  }
}

TEST(FindProfile, TakesTheOneOfTheProgramsOwnName) {
  ProfileTree tree;
  tree.write("share/firefox.profile", "");
  tree.write("user/aaa.profile", "[profile]\nprograms = firefox\n");
  EXPECT_EQ(find_profile_for(tree.search(), "/usr/bin/firefox"), "firefox");
  EXPECT_EQ(find_profile_for(tree.search(), "firefox"), "firefox");
}

TEST(FindProfile, ElseOneThatNamesTheProgram) {
  ProfileTree tree;
  tree.write("share/browser.profile", "[profile]\nprograms = firefox-bin, firefox-esr\n");
  tree.write("share/comment.profile", "# not for firefox-esr\n");
  tree.write("share/aaa.profile", "[profile]\nprograms = firefox-esr-x\n");
  tree.write("etc/later.profile", "");
  tree.write("share/dropped.profile", "");
  tree.write("etc/dropped.profile.d/x.conf", "[profile]\nprograms = thing\n");
  EXPECT_EQ(find_profile_for(tree.search(), "firefox-esr"), "browser");
  EXPECT_EQ(find_profile_for(tree.search(), "thing"), "dropped");
  EXPECT_EQ(find_profile_for(tree.search(), "firefox-es"), std::nullopt);
  EXPECT_EQ(find_profile_for(tree.search(), "lib/.."), std::nullopt);
  EXPECT_EQ(find_profile_for(tree.search(), ""), std::nullopt);
}

TEST(FindProfile, AsksTheHigherDirectoryFirstAndNotWhatItHides) {
  ProfileTree tree;
  tree.write("share/aaa.profile", "[profile]\nprograms = tool\n");
  tree.write("etc/zzz.profile", "[profile]\nprograms = tool\n");
  EXPECT_EQ(find_profile_for(tree.search(), "tool"), "zzz");
  tree.write("user/zzz.profile", "");
  EXPECT_EQ(find_profile_for(tree.search(), "tool"), "aaa");
}

TEST(FindProfile, DoesNotPassOverABrokenOne) {
  ProfileTree tree;
  tree.write("share/tool.profile", "");
  tree.write("user/tool.profile", "nonsense");
  EXPECT_EQ(find_profile_for(tree.search(), "tool"), "tool");
  EXPECT_THAT(tree.failure("tool"), StartsWith("ROOT/user/tool.profile:1: "));
  ASSERT_EQ(symlink("/nowhere/at/all", tree.path("user/link.profile").c_str()), 0);
  EXPECT_EQ(find_profile_for(tree.search(), "link"), "link");
  EXPECT_THAT(tree.failure("link"), HasSubstr("leads nowhere"));
  tree.write("user/suite.profile", "[profile]\nprograms = writer\nnonsense\n");
  EXPECT_THROW(find_profile_for(tree.search(), "writer"), Error);
}

}  // namespace
}  // namespace sbox::testing
