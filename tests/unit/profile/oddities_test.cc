// Whatever is odd in a profile is an error at its line, and nothing of the file is used.
#include <gtest/gtest.h>

#include <ostream>

#include "testing.h"

namespace sbox::testing {
namespace {

struct Oddity {
  std::string name;     // a sentence in one word, for the test's name
  std::string content;  // of the profile
  int line;             // where the error must be
  std::string part;     // of the message, reason or hint

  friend void PrintTo(const Oddity& oddity, std::ostream* out) { *out << oddity.content; }
};

using std::string_literals::operator""s;

std::string with(const std::string& section, const std::string& line) { return "[" + section + "]\n" + line + "\n"; }
Oddity path(const std::string& name, const std::string& text, const std::string& part) {
  return {name, with("files", "read-only = " + text), 2, part};
}

const Oddity kBytes[] = {
    {"BomAtTheStart", "\xef\xbb\xbf[home]\nmode = empty\n", 1, "byte order mark"},
    {"BomLater", "[home]\n\xef\xbb\xbfmode = empty\n", 2, "invisible"},
    {"CarriageReturn", "[home]\nmode = empty\r\n", 2, "carriage return"},
    {"LoneCarriageReturn", "[home]\rmode = empty\n", 1, "carriage return"},
    {"NulByte", "[home]\nmode = empty\0x\n"s, 2, "NUL"},
    {"NulByteInComment", "# \0\n"s, 1, "NUL"},
    {"InvalidUtf8", "[home]\nmode = \xff\n", 2, "not UTF-8"},
    {"OverlongUtf8", "# \xc0\xaf\n", 1, "not UTF-8"},
    {"Surrogate", "# \xed\xa0\x80\n", 1, "not UTF-8"},
    {"EscapeCharacter", "[home]\nmode = \x1b[2Kempty\n", 2, "control"},
    {"VerticalTab", "[home]\nmode = empty\x0b\n", 2, "control"},
    {"FormFeed", "[home]\n\x0cmode = empty\n", 2, "control"},
    {"C1Control",
     "[home]\nmode = \xc2\x9b"
     "empty\n",
     2, "control"},
    {"BidirectionalOverride", "# \xe2\x80\xae live\n", 1, "control"},
    {"ZeroWidthSpace",
     "[home]\nmo\xe2\x80\x8b"
     "de = empty\n",
     2, "control"},
    {"TabWithinAValue", with("files", "read-only = /a\tb"), 2, "control"},
    {"NoFinalNewline", "[home]\nmode = empty", 2, "newline"},
    {"CommentWithoutFinalNewline", "[home]\n# cut", 2, "newline"},
    {"LineOneByteTooLong", with("profile", "description = " + std::string(185, 'x')), 2, "longer than 198"},
    {"LineMuchTooLong", with("profile", "description = " + std::string(5000, 'x')), 2, "longer than 198"},
    {"LongComment", "# " + std::string(300, 'x') + "\n[home]\nmode = host\n", 1, "longer than 198"},
    {"KeyHiddenBehindALongComment", "#" + std::string(198, 'x') + "[home]\n", 1, "longer than 198"},
};

const Oddity kSyntax[] = {
    {"SignForOneValue", with("home", "mode += private"), 2, "is not a list"},
    {"MinusForOneValue", with("home", "mode -= private"), 2, "is not a list"},
    {"PlusNothing", with("home", "keep +="), 2, "names nothing"},
    {"MinusNothing", with("home", "keep -="), 2, "names nothing"},
    {"MinusWhatIsNotThere", with("home", "keep -= ~/x"), 2, "is not in the list"},
    {"MinusTwice", "[home]\nkeep = ~/x, ~/y\nkeep -= ~/x\nkeep -= ~/y\n", 4, "in line 3"},
    {"PlusAfterEquals", "[home]\nkeep = ~/x\nkeep += ~/y\n", 3, "in line 2"},
    {"EqualsAfterPlus", "[home]\nkeep += ~/x\nkeep = ~/y\n", 3, "in line 2"},
    {"ClearedAfterPlus", "[home]\nkeep +=\nkeep = ~/y\n", 3, "in line 2"},
    {"SignAlone", "[home]\n-= ~/x\n", 2, "no key"},
    {"SignOfAnUnknownKey", with("home", "kep -= ~/x"), 2, "did you mean keep?"},
    {"SignApart", with("home", "keep - = ~/x"), 2, "no such key"},
    {"TextAfterASection", "[home] junk\n", 1, "is not a section"},
    {"TwoSectionsInALine", "[home][files]\n", 1, "is not a section"},
    {"OpenSection", "[home\nmode = empty\n", 1, "is not a section"},
    {"EmptySectionName", "[]\nmode = empty\n", 1, "no name"},
    {"BlankSectionName", "[  ]\n", 1, "no name"},
    {"SpacesInASectionName", "[ home ]\n", 1, "spaces"},
    {"LongSectionName", "[" + std::string(60, 'a') + "]\n", 1, "no such section"},
    {"IndentedSection", "  [home]\nmode = empty\n", 1, "continues nothing"},
    {"SectionTwice", "[home]\n[files]\n[home]\n", 3, "in line 1"},
    {"KeyOutsideASection", "mode = empty\n", 1, "outside of any section"},
    {"IndentedKeyAfterASection", "[home]\n  mode = empty\n", 2, "continues nothing"},
    {"LineWithoutEquals", "[home]\nmode\n", 2, "neither"},
    {"ColonForEquals", "[home]\nmode: empty\n", 2, "neither"},
    {"ColonBeforeEquals", "[home]\nmode: a=empty\n", 2, "':'"},
    {"NoKey", "[home]\n= empty\n", 2, "no key"},
    {"KeyTwice", "[home]\nmode = empty\nmode = empty\n", 3, "in line 2"},
    {"ListTwice", "[files]\nhide = /a\nhide = /b\n", 3, "in line 2"},
    {"ListThenCleared", "[files]\nhide = /a\nhide =\n", 3, "in line 2"},
    {"ClearedTwice", "[files]\nhide =\nhide =\nhide = /a\n", 4, "in line 3"},
    {"InlineComment", "[home]\nmode = empty ; really\n", 2, "';'"},
    {"InlineCommentAfterATab", "[home]\nmode = empty\t; really\n", 2, "';'"},
    {"InlineCommentInAContinuation", "[files]\nhide =\n  /a ; b\n", 3, "';'"},
    {"InlineCommentAsAValue", "[files]\nhide = ;\n", 2, "';'"},
    {"InlineCommentWithinQuotes", "[environment]\nset = \"A=b ;c\"\n", 2, "';'"},
    {"InlineHash", "[home]\nmode = empty # really\n", 2, "is not one of"},
    {"IndentedComment", "[files]\nhide =\n  # x\n  /a\n", 3, "not a comment"},
    {"IndentedSemicolon", "[files]\nhide =\n  ; x\n", 3, "';'"},
    {"ContinuedScalar", "[home]\nmode = empty\n  private\n", 3, "continues home.mode"},
    {"ContinuedDescription", "[profile]\ndescription = a\n  b\n", 3, "continues profile.description"},
    {"IndentedLineAfterAnEmptyOne", "[files]\nhide =\n  /a\n\n  /b\n", 5, "continues nothing"},
    {"SectionAsListElement", "[files]\nhide =\n  [home]\n", 3, "not absolute"},
    {"KeyAsListElement", "[files]\nhide = /a\n  read-only = /b\n", 3, "not absolute"},
    {"LongKey", with("home", std::string(60, 'k') + " = empty"), 2, "no such key"},
};

const Oddity kElements[] = {
    {"EmptyElement", with("files", "hide = /a,,/b"), 2, "empty"},
    {"LeadingComma", with("files", "hide = ,/a"), 2, "empty"},
    {"TrailingComma", with("files", "hide = /a,"), 2, "empty"},
    {"EmptyQuotes", with("files", "hide = \"\""), 2, "empty"},
    {"OpenQuote", with("files", "hide = \"/a"), 2, "not closed"},
    {"TextAfterQuotes", with("files", "hide = \"/a\"b"), 2, "after the closing quote"},
    {"QuoteWithin", with("environment", "set = A=\"b, c\""), 2, "quote within"},
};

const Oddity kNames[] = {
    {"UnknownSection", "[hoem]\nmode = empty\n", 1, "did you mean home?"},
    {"UnknownSectionWithoutKeys", "[home]\nmode = empty\n[firewall]\n", 3, "no such section"},
    {"UnknownKey", with("files", "read-olny = /a"), 2, "did you mean read-only?"},
    {"KeyThatOthersBeginWith", with("limits", "io = 1M"), 2, "did you mean io-read or io-write or io-read-operations"},
    {"KeyInCapitals", with("home", "Mode = empty"), 2, "did you mean mode?"},
    {"KeyOfAnotherSection", with("home", "read-only = /a"), 2, "it belongs to [files]"},
    {"KeyOfTwoOtherSections", with("files", "mode = empty"), 2, "it belongs to [home] or [network] or [seccomp]"},
    {"KeyNearOneOfAnotherSection", with("home", "nested-sandbx = yes"), 2, "did you mean nested-sandbox in [process]?"},
};

const Oddity kScalars[] = {
    {"BooleanTrue", with("devices", "gpu = true"), 2, "write yes"},
    {"BooleanOn", with("devices", "gpu = on"), 2, "write yes"},
    {"BooleanOne", with("devices", "gpu = 1"), 2, "write yes"},
    {"BooleanYesInCapitals", with("devices", "gpu = Yes"), 2, "write yes"},
    {"BooleanOff", with("devices", "gpu = OFF"), 2, "write no"},
    {"BooleanMaybe", with("devices", "gpu = maybe"), 2, "write yes or no"},
    {"BooleanInQuotes", with("devices", "gpu = \"yes\""), 2, "neither yes nor no"},
    {"BooleanWithoutValue", with("devices", "gpu ="), 2, "no value"},
    {"ChoiceUnknown", with("network", "mode = hots"), 2, "did you mean host?"},
    {"ChoiceListsItsValues", with("network", "mode = x"), 2, "none, private, host"},
    {"ChoiceWithTheSeparator", with("network", "mode = none|host"), 2, "is not one of"},
    {"ChoiceWithoutValue", with("network", "mode ="), 2, "no value"},
    {"SizeNegative", with("home", "size = -1"), 2, "not a size"},
    {"SizePlus", with("home", "size = +1"), 2, "not a size"},
    {"SizeHexadecimal", with("home", "size = 0x10"), 2, "not a size"},
    {"SizeOctal", with("home", "size = 010"), 2, "not a size"},
    {"SizeTrailingJunk", with("home", "size = 10MB"), 2, "not a size"},
    {"SizeSmallUnit", with("home", "size = 10m"), 2, "not a size"},
    {"SizeUnitOnly", with("home", "size = M"), 2, "not a size"},
    {"SizeSpaceBeforeUnit", with("home", "size = 1 G"), 2, "not a size"},
    {"SizeFraction", with("home", "size = 1.5G"), 2, "not a size"},
    {"SizeOverflow", with("home", "size = 18446744073709551616"), 2, "not a size"},
    {"SizeOverflowByUnit", with("home", "size = 8589934592G"), 2, "not a size"},
    {"SizeZeroWhereThatMeansNoLimit", with("home", "size = 0"), 2, "must not be 0"},
    {"CountNegative", with("limits", "open-files = -1"), 2, "not a number"},
    {"CountWithUnit", with("limits", "open-files = 1K"), 2, "not a number"},
    {"CountOverflow", with("limits", "open-files = 18446744073709551616"), 2, "not a number"},
    {"HostnameEmpty", with("system", "hostname ="), 2, "no value"},
    {"HostnameWithSlash", with("system", "hostname = a/b"), 2, "host name"},
    {"HostnameTooLong", with("system", "hostname = " + std::string(65, 'a')), 2, "host name"},
    {"TimeZoneLeadsOut", with("system", "time-zone = ../../etc/passwd"), 2, "time zone"},
    {"TimeZoneAbsolute", with("system", "time-zone = /etc/passwd"), 2, "time zone"},
};

const Oddity kPaths[] = {
    path("PathRelative", "a/b", "not absolute"),
    path("PathOfAnotherUser", "~joe/x", "another user"),
    path("PathWithParent", "/a/../b", ".."),
    path("PathEndsInParent", "/a/..", ".."),
    path("PathWithDot", "/a/./b", "write it as /a/b"),
    path("PathWithTwoSlashes", "/a//b", "write it as /a/b"),
    path("PathStartsWithTwoSlashes", "//a", "write it as /a"),
    path("PathOfTwoSlashes", "//", "write it as /"),
    path("PathEndsInSlash", "/a/", "write it as /a"),
    path("HomeEndsInSlash", "~/", "write it as ~"),
    path("MacroEndsInSlash", "${HOME}/", "write it as ${HOME}"),
    path("PathWithStar", "/a/*.conf", "patterns"),
    path("PathWithQuestionMark", "/a?", "patterns"),
    path("PathWithBracket", "/a[b]", "patterns"),
    path("MacroUnknown", "${DOWNLOAD}", "did you mean ${DOWNLOADS}?"),
    path("MacroInSmallLetters", "${home}/x", "no macro"),
    path("MacroEmpty", "${}/x", "no macro"),
    path("MacroOpen", "${HOME", "write macros as"),
    path("MacroWithoutBraces", "$HOME/x", "not absolute"),
    path("DollarWithin", "/a/$HOME", "write macros as"),
    path("MacroGluedToText", "${HOME}x", "put a / there"),
    path("MacroNotAtTheStart", "/a/${HOME}", "begin the path with it"),
    path("MacroThatIsNoDirectory", "${UID}/x", "not a directory"),
    path("MacroAfterMacro", "${HOME}${HOME}", "put a / there"),
    path("PathOfHtml", "file:///etc", "not absolute"),
    {"DeviceOutsideDev", with("devices", "allow = /etc/passwd"), 2, "below /dev"},
    {"DeviceIsDevItself", with("devices", "allow = /dev"), 2, "below /dev"},
};

const Oddity kWords[] = {
    {"WordWithSlash", with("system", "etc = ssl/private"), 2, "not a name"},
    {"WordOfDots", with("system", "etc = .."), 2, "not a name"},
    {"WordDot", with("system", "etc = ."), 2, "not a name"},
    {"WordWithDash", with("seccomp", "allow = -ptrace"), 2, "begins with"},
    {"WordWithSpace", with("seccomp", "allow = ptrace bpf"), 2, "not a name"},
    {"IncludeWithParent", with("profile", "include = ../x"), 2, "not the name"},
    {"IncludeWithDots", with("profile", "include = lib/.."), 2, "not the name"},
    {"IncludeOfAnotherFolder", with("profile", "include = other/x"), 2, "not the name"},
    {"IncludeHidden", with("profile", "include = .x"), 2, "not the name"},
    {"IncludeAbsolute", with("profile", "include = /etc/x"), 2, "not the name"},
    {"IncludeMissing", with("profile", "include = lib/nothing"), 2, "no such profile"},
    {"IncludeRemoved", with("profile", "include -= lib/gui"), 2, "taken back"},
    {"IncludeCleared", with("profile", "include ="), 2, "taken back"},
    {"ProgramWithSlash", with("profile", "programs = /usr/bin/x"), 2, "base name"},
    {"BusNameOfOneElement", with("dbus", "talk = org"), 2, "not a bus name"},
    {"BusNameUnique", with("dbus", "talk = :1.5"), 2, "not a bus name"},
    {"BusNameStar", with("dbus", "talk = *"), 2, "not a bus name"},
    {"BusNameOfOneElementAndStar", with("dbus", "talk = org.*"), 2, "not a bus name"},
    {"BusNameStarWithin", with("dbus", "talk = org.*.a"), 2, "not a bus name"},
    {"BusNameEmptyElement", with("dbus", "own = org..a"), 2, "not a bus name"},
    {"BusNameWithDigit", with("dbus", "see = org.1a"), 2, "not a bus name"},
    {"BusNameTooLong", with("dbus", "talk = a." + std::string(180, 'b') + ".c/"), 2, "not a bus name"},
    {"CallWithoutMethod", with("dbus", "call = org.a.B"), 2, "not a call rule"},
    {"CallWithoutPath", with("dbus", "call = org.a.B=org.a.B.C@"), 2, "not a call rule"},
    {"CallWithRelativePath", with("dbus", "call = org.a.B=org.a.B.C@a"), 2, "not a call rule"},
    {"CallWithOption", with("dbus", "call = org.a.B=org.a.B.C --log"), 2, "not a call rule"},
    {"VariableWithDigit", with("environment", "keep = 1A"), 2, "variable"},
    {"VariableStar", with("environment", "keep = *"), 2, "variable"},
    {"VariableWithValue", with("environment", "keep = A=b"), 2, "variable"},
    {"AssignmentWithoutEquals", with("environment", "set = A"), 2, "NAME=VALUE"},
    {"AssignmentWithStar", with("environment", "set = A*=b"), 2, "NAME=VALUE"},
    {"AssignmentWithSpace", with("environment", "set = A =b"), 2, "NAME=VALUE"},
};

class AnOddity : public ::testing::TestWithParam<Oddity> {};

TEST_P(AnOddity, IsAnErrorAtItsLine) {
  ProfileTree tree;
  tree.write("user/odd.profile", GetParam().content);
  std::string failure = tree.failure("odd");
  EXPECT_THAT(failure, ::testing::StartsWith("ROOT/user/odd.profile:" + std::to_string(GetParam().line) + ": "));
  EXPECT_THAT(failure, ::testing::HasSubstr(GetParam().part));
}

TEST_P(AnOddity, InADropInRefusesTheWholeProfile) {
  ProfileTree tree;
  tree.write("user/odd.profile", "[home]\nmode = private\n");
  tree.write("share/odd.profile.d/50.conf", GetParam().content);
  std::string place = "ROOT/share/odd.profile.d/50.conf:" + std::to_string(GetParam().line) + ": ";
  EXPECT_THAT(tree.failure("odd"), ::testing::StartsWith(place));
}

TEST_P(AnOddity, InABlockRefusesTheWholeProfile) {
  ProfileTree tree;
  tree.write("user/odd.profile", "[profile]\ninclude = lib/b\n");
  tree.write("share/lib/b.profile", GetParam().content);
  std::string place = "ROOT/share/lib/b.profile:" + std::to_string(GetParam().line) + ": ";
  EXPECT_THAT(tree.failure("odd"), ::testing::StartsWith(place));
}

std::string name_of(const ::testing::TestParamInfo<Oddity>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(OfBytes, AnOddity, ::testing::ValuesIn(kBytes), name_of);
INSTANTIATE_TEST_SUITE_P(OfSyntax, AnOddity, ::testing::ValuesIn(kSyntax), name_of);
INSTANTIATE_TEST_SUITE_P(OfElements, AnOddity, ::testing::ValuesIn(kElements), name_of);
INSTANTIATE_TEST_SUITE_P(OfNames, AnOddity, ::testing::ValuesIn(kNames), name_of);
INSTANTIATE_TEST_SUITE_P(OfScalars, AnOddity, ::testing::ValuesIn(kScalars), name_of);
INSTANTIATE_TEST_SUITE_P(OfPaths, AnOddity, ::testing::ValuesIn(kPaths), name_of);
INSTANTIATE_TEST_SUITE_P(OfWords, AnOddity, ::testing::ValuesIn(kWords), name_of);

}  // namespace
}  // namespace sbox::testing
