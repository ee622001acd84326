#include "learn/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sbox::learn {
namespace {

using ::testing::ElementsAre;

TEST(TraceLine, IsACallWithItsArgumentsAndItsResult) {
  LineReader reader;
  auto call =
      reader.read(R"(7<cat> openat(AT_FDCWD</home/ann>, "doc/a, b", O_RDONLY|O_CLOEXEC) = 3</home/ann/doc/a, b>)");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->process, 7u);
  EXPECT_EQ(call->by, "cat");
  EXPECT_EQ(call->name, "openat");
  EXPECT_THAT(call->arguments, ElementsAre("AT_FDCWD</home/ann>", "\"doc/a, b\"", "O_RDONLY|O_CLOEXEC"));
  EXPECT_EQ(call->error, "");
  EXPECT_EQ(annotation_of(call->result), "/home/ann/doc/a, b");
}

TEST(TraceLine, SaysWhichErrorItWas) {
  LineReader reader;
  auto call = reader.read(R"(7<cat> access("/etc/x", F_OK) = -1 ENOENT (No such file or directory))");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->error, "ENOENT");
  EXPECT_EQ(call->result, "-1");
}

TEST(TraceLine, IsPutTogetherFromItsTwoHalvesOfOneProcess) {
  LineReader reader;
  EXPECT_FALSE(reader.read(R"(7<a> openat(AT_FDCWD</>, "x", O_RDONLY <unfinished ...>)"));
  EXPECT_FALSE(reader.read(R"(8<b> <... openat resumed>) = 4</y>)"));
  auto call = reader.read(R"(7<a> <... openat resumed>) = 3</x>)");
  ASSERT_TRUE(call);
  EXPECT_THAT(call->arguments, ElementsAre("AT_FDCWD</>", "\"x\"", "O_RDONLY"));
  EXPECT_FALSE(reader.read(R"(7<a> <... openat resumed>) = 3</x>)"));
}

TEST(TraceLine, HasBracketsAndQuotesInItsArguments) {
  LineReader reader;
  auto call = reader.read(R"(7<a> f({x="a)\", b", y=[1, 2]}, 1<<3, "c"...) = 0)");
  ASSERT_TRUE(call);
  EXPECT_THAT(call->arguments, ElementsAre(R"({x="a)\", b", y=[1, 2]})", "1<<3", "\"c\"..."));
}

TEST(TraceLine, IsNoneOfWhatIsNoCall) {
  LineReader reader;
  for (const char* line : {"", "7", "7<a>", "7<a> ", "7<a> +++ exited with 0 +++", "7<a> --- SIGCHLD {} ---",
                           "x<a> f() = 0", "7<a f() = 0", "7<a> f( = 0", "7<a> f(\"x) = 0", "7<a> f() = ?", "7<a> f()",
                           "7<a> F() = 0", "99999999999<a> f() = 0"}) {
    EXPECT_FALSE(reader.read(line)) << line;
  }
  EXPECT_FALSE(reader.read("7<a> f(\"" + std::string(kLongestLine, 'x') + "\") = 0"));
  EXPECT_TRUE(reader.read("7<a> f() = 0"));
}

TEST(TraceString, IsTakenOutOfItsEscapes) {
  EXPECT_EQ(string_of(R"("a\"b\\c\n\1\0019\x41")"), std::string("a\"b\\c\n\1\1"
                                                                "9A"));
  EXPECT_EQ(string_of(R"("cut"...)"), "cut");
  EXPECT_EQ(string_of(R"("open)"), std::nullopt);
  EXPECT_EQ(string_of("NULL"), std::nullopt);
  EXPECT_EQ(string_of(R"("\)"), std::nullopt);
}

TEST(TraceFields, AreFoundByNameOutsideOfStrings) {
  EXPECT_THAT(fields_of(R"([{iov_base="a iov_base=\"no\"", iov_len=1}, {iov_base="b"}])", "iov_base"),
              ElementsAre("a iov_base=\"no\"", "b"));
  EXPECT_THAT(fields_of(R"({sa_family=AF_UNIX, sun_path=@"/tmp/x"})", "sun_path"), ElementsAre("@/tmp/x"));
  EXPECT_EQ(inner_of(R"({sin_port=htons(53), sin_addr=inet_addr("10.0.0.1")})", "htons"), "53");
  EXPECT_EQ(inner_of(R"({sin_port=htons(53), sin_addr=inet_addr("10.0.0.1")})", "inet_addr"), "10.0.0.1");
  EXPECT_EQ(inner_of("htons(", "inet_addr"), "");
}

}  // namespace
}  // namespace sbox::learn
