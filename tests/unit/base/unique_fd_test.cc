#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace sbox {
namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

int open_one() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd> && std::is_nothrow_move_assignable_v<UniqueFd>);

TEST(UniqueFds, CloseWhatTheyHoldAtTheEnd) {
  int number = open_one();
  {
    UniqueFd fd(number);
    EXPECT_TRUE(fd);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(UniqueFds, HoldNothingAtFirst) {
  UniqueFd fd;
  EXPECT_FALSE(fd.ok());
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFds, MoveWithoutClosing) {
  UniqueFd first(open_one());
  int number = first.get();
  UniqueFd second(std::move(first));
  EXPECT_EQ(second.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(UniqueFds, CloseTheirOldOneWhenTheyTakeAnother) {
  UniqueFd fd(open_one());
  UniqueFd other(open_one());
  int old_number = fd.get(), number = other.get();
  fd = std::move(other);
  EXPECT_FALSE(is_open(old_number));
  EXPECT_TRUE(is_open(number));
  EXPECT_EQ(fd.get(), number);
}

TEST(UniqueFds, GiveAwayWhatTheyNoLongerOwn) {
  UniqueFd fd(open_one());
  int number = fd.release();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(number));
  close(number);
}

TEST(UniqueFds, KeepErrnoWhenTheyClose) {
  UniqueFd fd(open_one());
  close(fd.get());
  errno = ENOENT;
  fd.reset();
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace sbox
