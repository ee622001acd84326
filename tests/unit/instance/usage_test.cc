#include "instance/usage.h"

#include <gtest/gtest.h>

namespace sbox {
namespace {

using Processes = std::map<pid_t, pid_t>;

TEST(Descendants, AreThoseBelowEachRoot) {
  Processes parents = {{10, 1}, {11, 10}, {12, 11}, {20, 1}, {21, 20}, {30, 1}, {5, 12}};
  Processes expected = {{10, 10}, {11, 10}, {12, 10}, {5, 10}, {20, 20}, {21, 20}};
  EXPECT_EQ(descendants_of({10, 20}, parents), expected);
}

TEST(Descendants, OfNobodyAreNobody) { EXPECT_TRUE(descendants_of({}, {{10, 1}, {11, 10}}).empty()); }

TEST(Descendants, EndWhereAProcessIsItsOwnAncestor) {
  Processes parents = {{10, 11}, {11, 10}, {12, 12}, {20, 7}};
  EXPECT_EQ(descendants_of({20}, parents), (Processes{{20, 20}}));
}

TEST(Descendants, OfARootBelowARootAreItsOwn) {
  Processes parents = {{10, 1}, {11, 10}, {12, 11}};
  EXPECT_EQ(descendants_of({10, 11}, parents), (Processes{{10, 10}, {11, 11}, {12, 11}}));
}

TEST(Traffic, IsWhatLeavesTheSandbox) {
  Usage usage;
  add_traffic(
      "Inter-|   Receive  |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls\n"
      "    lo:    1000      10    0    0    0     0          0         0     1000      10    0    0    0     0\n"
      "  eth0:      42       1    0    0    0     0          0         0    95906      93    0    0    0     0\n"
      "sbox-down:   7       1    0    0    0     0          0         0       7       1    0    0    0     0\n"
      "  tun0:8  1 0 0 0 0 0 0 1\n",
      usage);
  EXPECT_EQ(usage.received, 50u);
  EXPECT_EQ(usage.sent, 95907u);
}

TEST(Traffic, OfATextThatIsNoneIsNone) {
  Usage usage;
  for (const char* text : {"", ":", "eth0", "eth0:", "eth0: x y", "\n\n:\n"}) add_traffic(text, usage);
  EXPECT_EQ(usage.received + usage.sent, 0u);
}

}  // namespace
}  // namespace sbox
