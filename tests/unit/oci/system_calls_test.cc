// The seccomp section of a bundle, loaded into libseccomp as runtimes do, against the filters that sbox loads.
#include "oci/system_calls.h"

#include <gtest/gtest.h>

#include <linux/filter.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "../plan/seccomp_policies.h"
#include "base/unique_fd.h"
#include "oci/argument_space.h"
#include "plan/seccomp_arguments.h"
#include "plan/seccomp_program.h"

namespace sbox::test {
namespace {

using nlohmann::ordered_json;

uint32_t action_of(const ordered_json& rule) {
  if (rule["action"] == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (rule["action"] == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  return SCMP_ACT_ERRNO(rule["errnoRet"].get<uint32_t>());
}

void add_rule(scmp_filter_ctx context, const ordered_json& rule) {
  std::vector<scmp_arg_cmp> conditions;
  if (rule.contains("args")) {
    for (const ordered_json& each : rule["args"]) {
      ASSERT_EQ(each["op"], "SCMP_CMP_MASKED_EQ");
      conditions.push_back({each["index"], SCMP_CMP_MASKED_EQ, each["value"], each["valueTwo"]});
    }
    ASSERT_FALSE(conditions.empty());
  }
  for (const ordered_json& name : rule["names"]) {
    int call = seccomp_syscall_resolve_name(name.get<std::string>().c_str());
    if (call == __NR_SCMP_ERROR) continue;
    auto count = static_cast<unsigned>(conditions.size());
    ASSERT_EQ(seccomp_rule_add_array(context, action_of(rule), call, count, conditions.data()), 0) << rule;
  }
}

// What a runtime makes of the section, in the order in which it does so.
Filter load(const ordered_json& section) {
  EXPECT_EQ(section["defaultAction"], "SCMP_ACT_ERRNO");
  uint32_t otherwise = SCMP_ACT_ERRNO(section["defaultErrnoRet"].get<uint32_t>());
  std::unique_ptr<void, void (*)(void*)> context(seccomp_init(otherwise), seccomp_release);
  EXPECT_EQ(seccomp_arch_remove(context.get(), SCMP_ARCH_NATIVE), 0);
  EXPECT_EQ(section["architectures"].size(), 1U);
  bool is_intel = section["architectures"][0] == "SCMP_ARCH_X86_64";
  EXPECT_EQ(seccomp_arch_add(context.get(), is_intel ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64), 0);
  for (const ordered_json& rule : section["syscalls"]) add_rule(context.get(), rule);
  UniqueFd file(memfd_create("filter", MFD_CLOEXEC));
  EXPECT_EQ(seccomp_export_bpf(context.get(), file.get()), 0);
  Filter filter{"bundle", {}};
  filter.code.resize(static_cast<size_t>(lseek(file.get(), 0, SEEK_END)) / sizeof(FilterInstruction));
  ssize_t size = static_cast<ssize_t>(filter.code.size() * sizeof(FilterInstruction));
  EXPECT_EQ(pread(file.get(), filter.code.data(), static_cast<size_t>(size), 0), size);
  EXPECT_LE(filter.code.size(), static_cast<size_t>(BPF_MAXINSNS)) << "the kernel takes no longer one";
  return filter;
}

bool is_killed(uint32_t action) { return action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD; }

// Values that rules speak of, each with one bit changed, and in the whole width of a register.
std::vector<uint64_t> values_for(const std::vector<ArgumentRule>& rules, const std::string& call, unsigned argument) {
  std::set<uint64_t> values{0, 0xffffffff};
  for (const ArgumentRule& rule : rules) {
    if (rule.call != call) continue;
    for (const ArgumentTest& test : rule.tests) {
      if (test.argument != argument) continue;
      for (uint64_t value : test.values) {
        values.insert(value);
        for (int bit = 0; bit < 32; ++bit) values.insert(value ^ (1ULL << bit));
      }
    }
  }
  return {values.begin(), values.end()};
}

class BundleCalls : public testing::TestWithParam<NamedPolicy> {
 protected:
  void SetUp() override {
    policy_ = GetParam().policy;
    own_ = compile_filters(policy_);
    bundled_ = load(seccomp_section(policy_));
  }

  void expect_same(int number, const std::vector<uint64_t>& arguments = {}) {
    seccomp_data call = call_of(policy_.architecture, number, arguments);
    // Of a call that is denied altogether, sbox's second filter may choose another errno than the first.
    uint32_t wanted = evaluate(own_[0], call).action, found = evaluate(bundled_, call).action;
    if (wanted == SECCOMP_RET_ALLOW) wanted = evaluate(own_, call).action;
    ASSERT_EQ(found, wanted) << number << " " << testing::PrintToString(arguments);
  }

  SeccompPolicy policy_;
  std::vector<Filter> own_;
  Filter bundled_;
};

std::vector<NamedPolicy> policies() {
  std::vector<NamedPolicy> list;
  for (NamedPolicy& each : every_kind_of_policy()) {
    each.policy.compat_32_bit = false;
    list.push_back(std::move(each));
  }
  return list;
}
INSTANTIATE_TEST_SUITE_P(, BundleCalls, testing::ValuesIn(policies()), [](const auto& one) {
  std::string name = one.param.name;
  for (char& c : name) c = isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

TEST_P(BundleCalls, EachNumberIsAnsweredAsByTheFiltersOfAStart) {
  constexpr int kLast = 1023;
  auto calls = calls_by_number(policy_.architecture);
  for (int number = 0; number <= kLast; ++number) {
    auto call = calls.find(static_cast<uint32_t>(number));
    bool is_known = call == calls.end() || seccomp_syscall_resolve_name(call->second.c_str()) != __NR_SCMP_ERROR;
    if (is_known) {
      expect_same(number);
    } else {  // a library that does not know the name yet lets nobody call it
      EXPECT_EQ(evaluate(bundled_, call_of(policy_.architecture, number)).action, fails_with(ENOSYS));
    }
  }
}

TEST_P(BundleCalls, OtherArchitecturesAreKilled) {
  for (const char* other : {"x86_64", "i386", "aarch64"}) {
    if (other == policy_.architecture) continue;
    EXPECT_TRUE(is_killed(evaluate(bundled_, call_of(other, 0)).action)) << other;
  }
  if (policy_.architecture != "x86_64") return;
  for (int number : {0x40000000, 0x40000001, 0x400003ff, 0x7fffffff}) {
    EXPECT_TRUE(is_killed(evaluate(bundled_, call_of("x86_64", number)).action)) << number;
  }
}

TEST_P(BundleCalls, EachArgumentIsAnsweredAsByTheFiltersOfAStart) {
  std::vector<ArgumentRule> rules = argument_rules(policy_, policy_.architecture);
  std::mt19937_64 random(1);
  for (const auto& [number, call] : calls_by_number(policy_.architecture)) {
    std::array<std::vector<uint64_t>, 6> values;
    size_t most = 0;
    for (unsigned i = 0; i < values.size(); ++i) {
      values[i] = values_for(rules, call, i);
      if (values[i].size() > 2) most += values[i].size();
    }
    if (most == 0) continue;
    constexpr size_t kTries = 10;
    for (size_t n = 0; n < most * kTries; ++n) {
      std::vector<uint64_t> arguments;
      for (const std::vector<uint64_t>& row : values) {
        uint64_t high = random() % 2 == 0 ? 0 : random() << 32;
        arguments.push_back(row[random() % row.size()] | high);
      }
      ASSERT_NO_FATAL_FAILURE(expect_same(static_cast<int>(number), arguments)) << call;
    }
  }
}

TEST(ArgumentSpace, HoldsEachCallOnce) {
  std::mt19937_64 random(2);
  SeccompPolicy policy = default_policy();
  std::vector<ArgumentRule> rules;
  for (ArgumentRule& rule : argument_rules(policy, "x86_64")) {
    if (rule.call == "socket") rules.push_back(std::move(rule));
  }
  std::vector<AnsweredBox> boxes = divide_arguments(rules);
  constexpr int kTries = 20'000;
  for (int n = 0; n < kTries; ++n) {
    std::array<uint64_t, 6> arguments{};
    for (uint64_t& argument : arguments) argument = random() % 4 == 0 ? random() : random() % 20;
    size_t holders = 0;
    for (const AnsweredBox& each : boxes) {
      bool holds = true;
      for (size_t i = 0; i < arguments.size(); ++i) {
        holds = holds && (static_cast<uint32_t>(arguments[i]) & each.box.mask[i]) == each.box.value[i];
      }
      holders += holds ? 1 : 0;
    }
    ASSERT_EQ(holders, 1U);
  }
}

TEST(ArgumentSpace, WithoutRulesIsOneBoxThatIsAllowed) {
  std::vector<AnsweredBox> boxes = divide_arguments({});
  ASSERT_EQ(boxes.size(), 1U);
  EXPECT_EQ(boxes[0].error, 0);
  EXPECT_EQ(boxes[0].box, ArgumentBox());
}

}  // namespace
}  // namespace sbox::test
