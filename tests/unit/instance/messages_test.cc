#include <gtest/gtest.h>

#include "launcher/guest.h"
#include "launcher/step.h"

namespace sbox {
namespace {

// A sandbox that runs while sbox is updated is joined by another version than it was started by.
TEST(Messages, OfWhoJoinsHaveTheNumbersOfEachOtherVersion) {
  auto number = [](Kind auto kind) { return static_cast<int>(kind); };
  EXPECT_EQ(number(MessageKind::failed), 1);
  EXPECT_EQ(number(MessageKind::terminal), 3);
  EXPECT_EQ(number(MessageKind::started), 7);
  EXPECT_EQ(number(MessageKind::stopped), 8);
  EXPECT_EQ(number(MessageKind::ended), 9);
  EXPECT_EQ(number(CommandKind::signal), 2);
  EXPECT_EQ(number(CommandKind::signal_group), 3);
  EXPECT_EQ(number(GuestMessage::stream), 16);
  EXPECT_EQ(number(GuestMessage::request), 17);
}

}  // namespace
}  // namespace sbox
