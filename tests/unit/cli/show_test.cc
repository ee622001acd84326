#include "cli/show.h"

#include "../plan/fake_host.h"
#include "../profile/testing.h"

namespace sbox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

void expect_same_values(const Profile& one, const Profile& two) {
  for (const Setting& row : settings()) {
    if (row.key == Key::profile_include) continue;
    EXPECT_EQ(one.is_set(row.key), two.is_set(row.key)) << row.section << "." << row.name;
    EXPECT_EQ(texts(one.list(row.key)), texts(two.list(row.key))) << row.section << "." << row.name;
    EXPECT_EQ(one.scalar(row.key).text, two.scalar(row.key).text) << row.section << "." << row.name;
  }
}

TEST(Show, NamesTheOriginOfEachValueAboveIt) {
  ProfileTree tree;
  tree.write("share/lib/gui.profile", "[files]\nhide = /b\n");
  tree.write("user/a.profile", "[files]\nhide = \"/c, d\"\n[profile]\ninclude = lib/gui\n[home]\nmode = private\n");
  EXPECT_EQ(tree.without_root(show_profile(tree.read("a", {"devices.gpu=yes"}), false)),
            "# a: ROOT/user/a.profile\n"
            "# includes lib/gui (ROOT/user/a.profile:4)\n"
            "\n[home]\n# ROOT/user/a.profile:6\nmode = private\n"
            "\n[files]\nhide =\n# ROOT/share/lib/gui.profile:2\n  /b\n# ROOT/user/a.profile:2\n  \"/c, d\"\n"
            "\n[devices]\n# command line\ngpu = yes\n");
}

TEST(Show, NamesTheLineThatTookOutAnElement) {
  ProfileTree tree;
  tree.write("share/a.profile", "[files]\nhide = /b, /c\n");
  std::string drop_in = tree.write("user/a.profile.d/1.conf", "[files]\nhide -= /b\n");
  EXPECT_THAT(show_profile(tree.read("a"), false), HasSubstr("  /c\n# " + drop_in + ":2 takes out /b\n"));
}

TEST(Show, YieldsTheSameProfileWhenItIsReadAgain) {
  ProfileTree tree;
  tree.write("share/lib/gui.profile", "[files]\nhide = /b, \" /x\"\nread-only = /gone\n");
  EXPECT_THAT(tree.failure("./none"), Not(""));
  tree.write("share/lib/gui.profile", "[files]\nhide = /b, \"/x \"\nread-only = /gone\n");
  tree.write("user/a.profile",
             "[profile]\ninclude = lib/gui\ndescription = Text, with \"quotes\" = and # marks.\nprograms = x, y\n"
             "[files]\nread-only =\nhide = \"/c, d\", /#e\n"
             "[environment]\nset = \"A=\"\"b\"\" \", C=, D=#, E=;\n[home]\nsize = 12M\n[limits]\nopen-files = 7\n");
  Profile first = tree.read("a");
  for (bool all : {false, true}) {
    std::string again = tree.write("again/a.profile", show_profile(first, all));
    EXPECT_EQ(tree.failure(again), "");
    Profile second = tree.read(again);
    if (!all) expect_same_values(first, second);
    EXPECT_EQ(texts(second.list(Key::files_hide)), texts(first.list(Key::files_hide)));
    EXPECT_EQ(texts(second.list(Key::environment_set)), texts(first.list(Key::environment_set)));
    EXPECT_EQ(second.text(Key::profile_description), first.text(Key::profile_description));
  }
}

TEST(Show, WithAllPrintsDefaultsThatCanBeReadAgain) {
  ProfileTree tree;
  tree.write("user/a.profile", "");
  std::string text = show_profile(tree.read("a"), true);
  EXPECT_THAT(text, HasSubstr("[network]\n# default\nmode = none\n"));
  EXPECT_EQ(tree.failure(tree.write("again/a.profile", text)), "");
}

TEST(Show, EscapesWhatAFileNameMayHold) {
  ProfileTree tree;
  std::string file = tree.write("a\x1b[2K\nb/a.profile", "[home]\nmode = private\n");
  EXPECT_THAT(show_profile(tree.read(file), false), HasSubstr("a\\x1b[2K\\x0ab/a.profile:2\n"));
}

TEST(Show, TakesOneProfile) {
  ProfileTree tree;
  tree.write("user/a.profile", "");
  const SearchPath search = tree.search();
  const std::string prefix = "/usr";
  FakeHost host;
  const Context context{host, search, prefix};
  EXPECT_EQ(run_show(context, {"a"}), 0);
  EXPECT_EQ(run_show(context, {}), 0);
  EXPECT_THROW(run_show(context, {"a", "a"}), Error);
  EXPECT_THROW(run_show(context, {"--al"}), Error);
  EXPECT_THROW(run_show(context, {"missing"}), Error);
}

}  // namespace
}  // namespace sbox::testing
