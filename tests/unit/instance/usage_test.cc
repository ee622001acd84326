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

}  // namespace
}  // namespace sbox
