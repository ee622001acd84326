#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sbox {
namespace {

TEST(Errors, AreOneLineWithPlaceReasonAndRemedy) {
  Error error = Error("files.hide = x", "is not absolute").at({"/p", 3}).hint("begin it with /");
  EXPECT_EQ(error.line(), "sbox: /p:3: files.hide = x: is not absolute (begin it with /)");
  EXPECT_EQ(error.exit_status(), 125);
}

TEST(Errors, LeaveOutWhatTheyDoNotKnow) {
  EXPECT_EQ(Error("a", "b").line(), "sbox: a: b");
  EXPECT_EQ(Error("a", "b").at({"command line", 0}).line(), "sbox: command line: a: b");
  EXPECT_EQ(Error("a", "b").at({"sbox", 0}).line(), "sbox: a: b");
}

TEST(Errors, NeverPassControlCharactersToTheTerminal) {
  EXPECT_EQ(Error("a\nb", "\x1b[2K").at({"/p\r", 1}).line(), "sbox: /p\\x0d:1: a\\x0ab: \\x1b[2K");
}

TEST(Errors, CarryTheStatusThatTheProgramEndsWith) {
  EXPECT_EQ(Error("a", "b").status(kExitNotFound).exit_status(), 127);
}

TEST(Errors, OfTheSystemSayWhatTheSystemSays) {
  EXPECT_EQ(system_error("open", ENOENT).line(), "sbox: open: No such file or directory");
  EXPECT_EQ(system_error("open", EMFILE).line(),
            "sbox: open: Too many open files (let more files be open: `ulimit -n 1024`)");
}

}  // namespace
}  // namespace sbox
