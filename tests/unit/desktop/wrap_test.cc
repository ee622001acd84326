#include "desktop/wrap.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "desktop/exec.h"

namespace sbox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const char kSbox[] = "/usr/bin/sbox";
const Record kRecord{"/usr/share/applications/a.desktop", "0123456789abcdef", ""};

KeyFile entry(const std::string& lines) {
  return parse_key_file("[Desktop Entry]\nType=Application\n" + lines, kEntryGroup, "a.desktop");
}

KeyFile service(const std::string& lines) {
  return parse_key_file("[D-BUS Service]\nName=org.a\n" + lines, kServiceGroup, "org.a.service");
}

TEST(Wrap, PutsSboxInFrontOfEveryCommandLine) {
  EXPECT_EQ(
      wrapped(entry("TryExec=a\nExec=a %U\nMimeType=text/plain;\n[Desktop Action n]\nName=N\nExec=a --new\n"), kSbox,
              {"/usr/share/applications/a.desktop", "0123456789abcdef", "a"}),
      "[Desktop Entry]\nX-Sbox-Source=/usr/share/applications/a.desktop\nX-Sbox-Digest=0123456789abcdef\n"
      "X-Sbox-Shim=a\nType=Application\nTryExec=a\nExec=/usr/bin/sbox run --notify -- a %U\nMimeType=text/plain;\n"
      "[Desktop Action n]\nName=N\nExec=/usr/bin/sbox run --notify -- a --new\n");
}

TEST(Wrap, LeavesWhatStartsSboxAlready) {
  std::string text = wrapped(entry("Exec=sbox firefox\n[Desktop Action n]\nExec=b\n"), kSbox, kRecord);
  EXPECT_THAT(text, HasSubstr("\nExec=sbox firefox\n"));
  EXPECT_THAT(text, HasSubstr("\nExec=/usr/bin/sbox run --notify -- b\n"));
  EXPECT_TRUE(starts_sbox(entry("Exec=env A=1 /usr/bin/sbox run -- b\n"), kSbox));
  EXPECT_TRUE(starts_sbox(entry("Exec=/opt/s/bin/sbox b\n"), "/opt/s/bin/sbox"));
  EXPECT_FALSE(starts_sbox(entry("Exec=sbox b\n[Desktop Action n]\nExec=b\n"), kSbox));
  EXPECT_FALSE(starts_sbox(entry("Name=x\n"), kSbox));
  // Anyone can call a program sbox.
  EXPECT_FALSE(starts_sbox(entry("Exec=/tmp/sbox b\n"), kSbox));
}

TEST(Wrap, WrappingTwiceIsWrappingOnce) {
  std::string once = wrapped(entry("Exec=a %U\nDBusActivatable=true\n"), kSbox, kRecord);
  EXPECT_EQ(wrapped(parse_key_file(once, kEntryGroup, "a"), kSbox, kRecord), once);
}

TEST(Wrap, AnEntryIsNotActivatedOverTheBusWhereItHasACommandLine) {
  EXPECT_THAT(wrapped(entry("Exec=a\nDBusActivatable=true\n"), kSbox, kRecord), HasSubstr("\nDBusActivatable=false\n"));
  EXPECT_THAT(wrapped(entry("DBusActivatable=true\n"), kSbox, kRecord), HasSubstr("\nDBusActivatable=true\n"));
}

TEST(Wrap, AServiceIsStartedByTheBusItself) {
  std::string text = wrapped(service("Exec=/usr/bin/a '100% b' --x\nSystemdService=a.service\n"), kSbox, kRecord);
  EXPECT_THAT(text, HasSubstr("\nExec=/usr/bin/sbox run --notify -- /usr/bin/a \"100% b\" --x\n"));
  EXPECT_THAT(text, Not(HasSubstr("Systemd")));
}

TEST(Wrap, RemembersWhereItCameFrom) {
  Record record{"/usr/share/a b\\c/x.desktop", "0123456789abcdef", "tool"};
  EXPECT_EQ(record_of(parse_key_file(wrapped(entry("Exec=a\n"), kSbox, record), kEntryGroup, "a")), record);
  EXPECT_EQ(record_of(entry("Exec=a\n")), std::nullopt);
  // Keys of that name in the original are not believed.
  std::string text = wrapped(entry("X-Sbox-Source=/etc/passwd\nX-Sbox-Shim=ls\nExec=a\n"), kSbox, kRecord);
  EXPECT_EQ(record_of(parse_key_file(text, kEntryGroup, "a")), kRecord);
}

TEST(Wrap, TheCommandLineIsThatOfTheOriginal) {
  EXPECT_THAT(command_of(entry("Exec=a %U\nExec=b %U\n")), ElementsAre("b", "%U"));
  EXPECT_THAT(command_of(entry("[Desktop Action n]\nExec=c\n")), ElementsAre("c"));
  EXPECT_THAT(command_of(entry("Name=x\n")), IsEmpty());
  std::string text = wrapped(entry("Exec=a %U\n"), kSbox, kRecord);
  EXPECT_THAT(command_of(parse_key_file(text, kEntryGroup, "a")), ElementsAre("a", "%U"));
}

TEST(Wrap, HostileCommandLinesBecomeArguments) {
  for (const char* line : {"a; touch x", "a $(touch x)", "a `touch x`", "a && touch x", "a | tee x", "a > x", "-a --b",
                           "sh -c \"touch x; echo \\\\$HOME\"", "sh -c 'touch x'", "-- x", "--notify -p none -- x"}) {
    std::vector<std::string> original = parse_exec(line);
    std::string text = wrapped(entry("Exec=" + std::string(line) + "\n"), kSbox, kRecord);
    std::string value = text.substr(text.find("\nExec=") + 6);
    value = value.substr(0, value.find('\n'));
    std::vector<std::string> words = parse_exec(value);
    ASSERT_GE(words.size(), 5u) << line;
    EXPECT_THAT(std::vector<std::string>(words.begin(), words.begin() + 4),
                ElementsAre(kSbox, "run", "--notify", "--"));
    EXPECT_EQ(std::vector<std::string>(words.begin() + 4, words.end()), original) << line;
    // Outside of quotations nothing is left that a shell would act on.
    bool quoted = false;
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '\\')
        i += value[i + 1] == '\\' ? 2 : 1;
      else if (value[i] == '"')
        quoted = !quoted;
      else
        EXPECT_TRUE(quoted || std::string_view(";$`&|<>()*?~#'").find(value[i]) == std::string_view::npos) << value;
    }
  }
}

TEST(Wrap, RefusesWithTheLineOfTheOriginal) {
  for (const char* line : {"Exec=a \"b", "Exec=a %x", "Exec=%f", "Exec=", "Exec[de]=a", "Exec[$e]=a", "Exec=a\x01"}) {
    try {
      wrapped(entry("Name=x\n" + std::string(line) + "\n"), kSbox, kRecord);
      ADD_FAILURE() << line;
    } catch (const Error& error) {
      EXPECT_EQ(error.where().text(), kRecord.source + ":4") << line;
    }
  }
}

TEST(Wrap, HostileNamesStayText) {
  std::string name = "Name=$(touch x); `y`\\nExec=touch x";
  std::string text = wrapped(entry(name + "\nExec=a\n"), kSbox, kRecord);
  EXPECT_THAT(text, HasSubstr("\n" + name + "\n"));
  EXPECT_THAT(command_of(parse_key_file(text, kEntryGroup, "a")), ElementsAre("a"));
}

TEST(Wrap, APercentInThePathOfSboxIsNoFieldCode) {
  EXPECT_THAT(wrapped(entry("Exec=a\n"), "/opt/100%/bin/sbox", kRecord), HasSubstr("\nExec=/opt/100%%/bin/sbox run"));
}

}  // namespace
}  // namespace sbox::testing
