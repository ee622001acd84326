#include "desktop/exec.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "desktop/key_file.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using Words = std::vector<std::string>;

TEST(Exec, ReadsWhatTheSpecificationAllows) {
  EXPECT_THAT(parse_exec("firefox %u"), ElementsAre("firefox", "%u"));
  EXPECT_THAT(parse_exec("\"/opt/a b/run\" --name=%c  \"\" end"), ElementsAre("/opt/a b/run", "--name=%c", "", "end"));
  // Two levels: the escapes of values first, then the quotation.
  EXPECT_THAT(parse_exec(R"(sh -c "echo \\$HOME \\`x\\` \\"q\\" \\\\")"),
              ElementsAre("sh", "-c", R"(echo $HOME `x` "q" \)"));
  EXPECT_THAT(parse_exec(R"(a "one\ntwo\tthree\sfour")"), ElementsAre("a", "one\ntwo\tthree four"));
  EXPECT_THAT(parse_exec(R"(a "C:\\\\dir")"), ElementsAre("a", R"(C:\dir)"));
}

TEST(Exec, ReadsWhatIsBeyondItAsAShellWouldSplitIt) {
  EXPECT_THAT(parse_exec("sh -c 'a \"b\" $c'"), ElementsAre("sh", "-c", "a \"b\" $c"));
  EXPECT_THAT(parse_exec("env WINEPREFIX=\"/home/a b\" wine C:\\\\\\\\x"),
              ElementsAre("env", "WINEPREFIX=/home/a b", "wine", "C:\\x"));
  EXPECT_THAT(parse_exec("a; touch $(x) `y` && b | c > d"),
              ElementsAre("a;", "touch", "$(x)", "`y`", "&&", "b", "|", "c", ">", "d"));
  EXPECT_THAT(parse_exec("a\\nb"), ElementsAre("a", "b"));
}

TEST(Exec, RefusesWhatHasNoMeaning) {
  for (const char* value : {"", "   ", "\"\" x", "a \"b", "a 'b", "a \\\\", "a #b", "a\x01", "a\x7f", "a\rb", "a\nb"}) {
    EXPECT_THROW(parse_exec(value), Error) << value;
  }
}

TEST(Exec, WritesSoThatNothingIsLeftToExpand) {
  EXPECT_EQ(write_exec({"a", "%u", "--x=%f"}), "a %u --x=%f");
  EXPECT_EQ(write_exec({"a", "", "b c", "$(x)", "`y`", "a;b", "q\"q", "\\"}),
            R"-(a "" "b c" "\\$(x)" "\\`y\\`" "a;b" "q\\"q" "\\\\")-");
  EXPECT_EQ(write_exec({"a", "one\ntwo\tthree"}), R"-(a "one\ntwo\tthree")-");
  EXPECT_EQ(write_exec({"a", "~", "#", "*", "?", "&", "|", "<", ">", "'", "(", ")"}),
            R"-(a "~" "#" "*" "?" "&" "|" "<" ">" "'" "(" ")")-");
}

TEST(Exec, ReadsBackWhatItWrote) {
  for (const Words& words : {Words{"a"}, Words{"a", "", " ", "\t", "\n", "\r", "\\", "\\\\", "\"", "'", "%%", "%u"},
                             Words{"--", "-x", "$(touch x)", "`touch x`", ";", "a\\nb", "\\n", "\\s", "ünï", "\xff"}}) {
    EXPECT_EQ(parse_exec(write_exec(words)), words);
  }
}

TEST(Exec, KnowsTheFieldCodes) {
  for (const char* code : {"%f", "%F", "%u", "%U", "%i", "%c", "%k", "%%", "%d", "%v", "x%%y%fz"}) {
    EXPECT_NO_THROW(check_field_codes({"a", code})) << code;
  }
  for (const char* code : {"%", "%x", "%%%", "a%", "% f", "%\xff"}) EXPECT_THROW(check_field_codes({"a", code}), Error);
  EXPECT_THROW(check_field_codes({"%f"}), Error);
  EXPECT_NO_THROW(check_field_codes({"/opt/100%%/run"}));
}

TEST(Exec, LooksBehindEnvForTheProgram) {
  EXPECT_EQ(program_of({"firefox", "x"}), "firefox");
  EXPECT_EQ(program_of({"env", "A=1", "B=", "firefox", "C=2"}), "firefox");
  EXPECT_EQ(program_of({"/usr/bin/env", "firefox"}), "firefox");
  EXPECT_EQ(program_of({"env", "A=1"}), "env");
  EXPECT_EQ(program_of({"env", "-u", "A", "firefox"}), "env");
  EXPECT_EQ(program_of({"env", "=x", "firefox"}), "=x");
  EXPECT_EQ(program_of({"env", "", "firefox"}), "env");
}

TEST(KeyFile, KeepsLinesAndTheirOrder) {
  std::string text = "# about\n\n[Desktop Entry]\nName=A\nName[de]=Ä\n# c\n\n[Desktop Action x]\nExec=b\n";
  KeyFile file = parse_key_file(text, kEntryGroup, "x.desktop");
  EXPECT_EQ(file.text(), text);
  EXPECT_EQ(file.value("Name"), "A");
  EXPECT_EQ(file.value("Exec"), "");
}

TEST(KeyFile, TheLastOfSeveralCountsAndEscapesAreUndone) {
  KeyFile file = parse_key_file("[Desktop Entry]\nName=A\nName = \\sB\\\\n \n", kEntryGroup, "x");
  EXPECT_EQ(file.value("Name"), " B\\n");
}

TEST(KeyFile, RefusesWhatReadersMayTakeDifferently) {
  using namespace std::string_view_literals;
  for (std::string_view line : {" Exec=x"sv, "\tExec=x"sv, "\vExec=x"sv, "Exec\x01=x"sv, "Ex ec=x"sv, "nothing"sv,
                                "=x"sv, "[a"sv, "[]"sv, "[a]]["sv, "[a\x01]"sv, "Name=a\0b"sv, "\rExec=x"sv}) {
    std::string text = "[Desktop Entry]\nName=A\n" + std::string(line) + "\n";
    try {
      parse_key_file(text, kEntryGroup, "x.desktop");
      ADD_FAILURE() << line;
    } catch (const Error& error) {
      EXPECT_EQ(error.where().text(), "x.desktop:3") << line;
    }
  }
  EXPECT_THROW(parse_key_file("", kEntryGroup, "x"), Error);
  EXPECT_THROW(parse_key_file("Name=x\n[Desktop Entry]\n", kEntryGroup, "x"), Error);
  EXPECT_THROW(parse_key_file("[D-BUS Service]\nName=x\n[Desktop Entry]\n", kEntryGroup, "x"), Error);
}

}  // namespace
}  // namespace sbox::testing
