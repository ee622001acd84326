#include "plan/notify_filter.h"

#include <gtest/gtest.h>

#include <linux/filter.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>

#include "seccomp_policies.h"

namespace sbox::test {
namespace {

// Arguments that rules look at, in every position, alone and dressed up.
std::vector<std::vector<uint64_t>> samples() {
  std::vector<std::vector<uint64_t>> all;
  for (uint64_t value : {0UL, 1UL, 2UL, 3UL, 16UL, 17UL, 38UL, 0x5412UL, 0x541cUL, 0x4b3aUL, 04755UL, 0x10000000UL,
                         0xffffffffUL, 0x8000000000005412UL, ~0UL}) {
    all.push_back(std::vector<uint64_t>(6, value));
  }
  all.push_back({AF_INET, SOCK_RAW, 0, 0, 0, 0});
  all.push_back({AF_INET, SOCK_STREAM, 132, 0, 0, 0});
  all.push_back({AF_NETLINK, SOCK_RAW, 15, 0, 0, 0});
  all.push_back({0, 0, PROT_WRITE | PROT_EXEC, 0, 0, 0});
  all.push_back({CLONE_NEWUSER, 0, 0, 0, 0, 0});
  all.push_back({0, 0100, 04755, 04755, 0, 0});
  return all;
}

std::vector<std::string> architectures(const SeccompPolicy& policy) {
  if (policy.architecture == "aarch64") return {"aarch64", "x86_64"};
  return {"x86_64", "i386", "aarch64"};
}

void expect_the_same(const std::vector<Filter>& filters, const Filter& whole, const seccomp_data& call) {
  Verdict before = evaluate(filters, call), after = evaluate(whole, call);
  bool is_told = (before.action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && before.action != fails_with(ENOSYS);
  ASSERT_EQ(are_allowing(filters, call), before.action == SECCOMP_RET_ALLOW) << call.nr;
  ASSERT_EQ(after.action, is_told ? SECCOMP_RET_USER_NOTIF : before.action) << call.nr;
  if (is_told) {
    ASSERT_EQ(errno_of(filters, call), static_cast<int>(before.action & SECCOMP_RET_DATA)) << call.nr;
  }
  // What the kernel remembers as allowed, it remembers of the one program too.
  if (before.action == SECCOMP_RET_ALLOW) {
    ASSERT_EQ(after.saw_arguments, before.saw_arguments) << call.nr;
  }
}

class Notifying : public testing::TestWithParam<NamedPolicy> {};
INSTANTIATE_TEST_SUITE_P(, Notifying, testing::ValuesIn(every_kind_of_policy()));

TEST_P(Notifying, DecidesAsTheFiltersDoAndTellsOfWhatTheyDeny) {
  std::vector<Filter> filters = compile_filters(GetParam().policy);
  Filter whole = notifying(filters);
  ASSERT_LE(whole.code.size(), static_cast<size_t>(BPF_MAXINSNS));
  const std::vector<std::vector<uint64_t>> arguments = samples();
  for (const std::string& architecture : architectures(GetParam().policy)) {
    for (int number = -2; number < 700; ++number) {
      for (const auto& sample : arguments) {
        expect_the_same(filters, whole, call_of(architecture, number, sample));
        if (HasFatalFailure()) return;
      }
    }
    for (int number : {0x40000000, 0x40000001, 0x40000200, 0x7fffffff}) {
      expect_the_same(filters, whole, call_of(architecture, number));
    }
  }
}

TEST(NotifyFilter, NeverAnswersWithSuccess) {
  seccomp_data call = call_of("x86_64", 0);
  EXPECT_EQ(errno_of({}, call), EPERM);
  EXPECT_EQ(errno_of({{"zero", {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO}}}}, call), EPERM);
  EXPECT_EQ(errno_of({{"allow", {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}}}, call), EPERM);
  EXPECT_EQ(errno_of({{"end", {{BPF_JMP | BPF_JA, 0, 0, 9}}}}, call), EPERM);
  EXPECT_EQ(errno_of({{"odd", {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0xffffffff}, {BPF_MISC, 0, 0, 0}}}}, call), EPERM);
}

}  // namespace
}  // namespace sbox::test
