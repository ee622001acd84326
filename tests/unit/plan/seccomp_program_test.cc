// How a program is put together: what leads where, also over more instructions than a branch can skip.
#include "plan/seccomp_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>

#include "seccomp_policies.h"

namespace sbox::test {
namespace {

using Places = std::map<uint32_t, SeccompProgram::Place>;

uint32_t answer_to(const Filter& filter, uint32_t number) {
  return evaluate(filter, call_of("x86_64", static_cast<int>(number))).action;
}

TEST(SeccompProgram, ASearchFindsTheLastKeyThatIsNotAboveTheWord) {
  std::mt19937 random(1);
  auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  for (size_t count : {1, 2, 3, 10, 300, 1200}) {
    SeccompProgram program;
    std::map<uint32_t, uint32_t> errors{{0, 1}};
    while (errors.size() < count) errors[below(5000)] = 1 + below(50);
    Places places;
    for (const auto& [first, error] : errors) places[first] = program.answer(SECCOMP_RET_ERRNO | error);
    program.load(offsetof(seccomp_data, nr), program.search(places));
    Filter filter{"search", std::move(program).take()};
    for (uint32_t number = 0; number < 6000; ++number) {
      uint32_t error = std::prev(errors.upper_bound(number))->second;
      ASSERT_EQ(answer_to(filter, number), SECCOMP_RET_ERRNO | error) << number << " of " << count;
    }
    EXPECT_EQ(answer_to(filter, 0xffffffff), SECCOMP_RET_ERRNO | errors.rbegin()->second);
  }
}

TEST(SeccompProgram, ATestLooksAtTheBitsThatAreKept) {
  SeccompProgram program;
  auto yes = program.answer(SECCOMP_RET_ALLOW), no = program.answer(SECCOMP_RET_KILL_PROCESS);
  program.load(offsetof(seccomp_data, nr), program.keep(0xf0, program.if_equal(0x30, yes, no)));
  Filter filter{"kept", std::move(program).take()};
  for (uint32_t number = 0; number < 1024; ++number) {
    EXPECT_EQ(answer_to(filter, number) == SECCOMP_RET_ALLOW, (number & 0xf0) == 0x30) << number;
  }
}

TEST(SeccompProgram, EveryTargetIsReachedOverAnyDistance) {
  for (uint32_t distance : {0, 253, 254, 255, 256, 257, 600}) {
    SeccompProgram program;
    auto low = program.answer(SECCOMP_RET_ERRNO | 1), high = program.answer(SECCOMP_RET_ERRNO | 2);
    SeccompProgram::Place other = program.answer(SECCOMP_RET_ERRNO | 3);
    for (uint32_t i = 0; i < distance; ++i) other = program.keep(0xffffffff, other);
    program.load(offsetof(seccomp_data, nr), program.if_at_least(5, high, program.if_equal(3, low, other)));
    Filter filter{"far", std::move(program).take()};
    EXPECT_EQ(answer_to(filter, 3), SECCOMP_RET_ERRNO | 1U) << distance;
    EXPECT_EQ(answer_to(filter, 4), SECCOMP_RET_ERRNO | 3U) << distance;
    EXPECT_EQ(answer_to(filter, 5), SECCOMP_RET_ERRNO | 2U) << distance;
  }
}

TEST(SeccompProgram, TheNewestCallsOfTheHostHaveNames) {
  std::string host = seccomp_arch_native() == SCMP_ARCH_X86_64 ? "x86_64" : "aarch64";
  EXPECT_EQ(calls_by_number(host).at(462), "mseal");
  EXPECT_EQ(calls_by_number("i386").at(359), "socket");
  EXPECT_EQ(calls_by_number("i386").at(102), "socketcall");
}

}  // namespace
}  // namespace sbox::test
