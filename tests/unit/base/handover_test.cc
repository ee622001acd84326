#include "base/handover.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "base/unique_fd.h"

namespace sbox {
namespace {

constexpr std::string_view kLine = "sbox: it failed\n";

class SayAndWait : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    listener_.reset(ends[0]);
    errors_.reset(ends[1]);
  }
  // What was said up to the end of the stream.
  std::string heard() {
    std::string all;
    char byte = 0;
    while (read(listener_.get(), &byte, 1) == 1) all += byte;
    return all;
  }

  UniqueFd listener_, errors_;
};

TEST_F(SayAndWait, WaitsUntilTheLineIsShown) {
  std::atomic<bool> is_shown = false;
  std::string line;
  std::thread shows([&] {
    line = heard();
    is_shown = true;
    listener_.reset();
  });
  say_and_wait(errors_.get(), kLine, {1000, 0});
  EXPECT_TRUE(is_shown);
  shows.join();
  EXPECT_EQ(line, kLine);
}

TEST_F(SayAndWait, LeavesAListenerThatNeverAnswersInTheEnd) {
  say_and_wait(errors_.get(), kLine, {0, 1000});
  EXPECT_EQ(heard(), kLine);
}

TEST_F(SayAndWait, TakesThatNobodyListens) {
  listener_.reset();
  say_and_wait(errors_.get(), kLine, {1000, 0});
}

}  // namespace
}  // namespace sbox
