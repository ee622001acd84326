// Which calls come through: every number of every architecture against the table of groups.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <random>
#include <set>

#include "base/error.h"
#include "plan/syscall_groups.h"
#include "seccomp_policies.h"

namespace sbox::test {
namespace {

constexpr int kX32 = 0x40000000;
constexpr int kLastNumber = 1023;

const std::map<std::string, int> kNewer = {
    {"statmount", 457},        {"listmount", 458},     {"lsm_get_self_attr", 459}, {"lsm_set_self_attr", 460},
    {"lsm_list_modules", 461}, {"mseal", 462},         {"setxattrat", 463},        {"getxattrat", 464},
    {"listxattrat", 465},      {"removexattrat", 466}, {"open_tree_attr", 467}};

// The name behind a number, "" for none.
std::string name_of(const std::string& architecture, int number) {
  char* found = seccomp_syscall_resolve_num_arch(library_architecture(architecture), number);
  std::string name = found != nullptr ? found : "";
  free(found);
  if (!name.empty() || library_architecture(architecture) != seccomp_arch_native()) return name;
  for (const auto& [newer, its_number] : kNewer) {
    if (its_number == number) return newer;
  }
  return "";
}

std::set<std::string> calls_in(const std::string& word) {
  for (const SyscallGroup& group : syscall_groups()) {
    if (group.name == word) return {group.calls.begin(), group.calls.end()};
  }
  return {word};
}

const std::set<std::string> kMissing = {"clone3", "openat2", "fchmodat2"};

// The rules as the manual states them, written down a second time.
uint32_t expected(const SeccompPolicy& policy, const std::string& call) {
  const uint32_t denied = policy.kill ? SECCOMP_RET_KILL_PROCESS : fails_with(EPERM);
  auto listed = [&](const std::vector<std::string>& words) {
    return std::ranges::any_of(words, [&](const std::string& word) { return calls_in(word).contains(call); });
  };
  if (call.empty()) return fails_with(ENOSYS);
  if (call == "clone3") return fails_with(ENOSYS);
  if (policy.write_xor_execute && call.starts_with("memfd_")) return fails_with(ENOSYS);
  if (policy.write_xor_execute && call == "ipc") return denied;
  if (listed(policy.deny)) return kMissing.contains(call) ? fails_with(ENOSYS) : denied;
  if (call == "socketcall" && std::ranges::count(policy.deny, "@network") > 0) return denied;
  if (listed(policy.allow)) return SECCOMP_RET_ALLOW;
  if (policy.nested_sandbox && calls_in("@namespace").contains(call)) return SECCOMP_RET_ALLOW;
  if (policy.debug && calls_in("@debug").contains(call)) return SECCOMP_RET_ALLOW;
  if (kMissing.contains(call)) return fails_with(ENOSYS);
  for (const SyscallGroup& group : syscall_groups()) {
    if (group.by_default && calls_in(std::string(group.name)).contains(call)) return SECCOMP_RET_ALLOW;
  }
  return denied;
}

std::vector<std::string> architectures_of(const SeccompPolicy& policy) {
  if (policy.compat_32_bit) return {policy.architecture, "i386"};
  return {policy.architecture};
}

TEST(SeccompCalls, EveryNumberOfEveryArchitectureIsDecidedAsTheTableOfGroupsSays) {
  for (const NamedPolicy& each : every_kind_of_policy()) {
    Filter calls = compile_filters(each.policy).front();
    for (const std::string& architecture : architectures_of(each.policy)) {
      for (int number = 0; number <= kLastNumber; ++number) {
        std::string name = name_of(architecture, number);
        Verdict verdict = evaluate(calls, call_of(architecture, number));
        ASSERT_EQ(verdict.action, expected(each.policy, name))
            << each.name << " " << architecture << " " << number << " " << name;
        ASSERT_FALSE(verdict.saw_arguments) << name;
      }
    }
  }
}

TEST(SeccompCalls, TheNumbersOfX32AreKilled) {
  for (const NamedPolicy& each : every_kind_of_policy()) {
    if (each.policy.architecture != "x86_64") continue;
    for (const Filter& filter : compile_filters(each.policy)) {
      for (int number = 0; number <= kLastNumber; ++number) {
        EXPECT_EQ(evaluate(filter, call_of("x86_64", number | kX32)).action, SECCOMP_RET_KILL_PROCESS) << number;
      }
    }
  }
}

TEST(SeccompCalls, EveryOtherArchitectureIsKilled) {
  for (const NamedPolicy& each : every_kind_of_policy()) {
    std::vector<std::string> own = architectures_of(each.policy);
    for (const Filter& filter : compile_filters(each.policy)) {
      for (std::string architecture : {"x86_64", "i386", "aarch64"}) {
        if (std::ranges::count(own, architecture) > 0) continue;
        EXPECT_EQ(evaluate(filter, call_of(architecture, 39)).action, SECCOMP_RET_KILL_PROCESS) << each.name;
      }
      seccomp_data odd = call_of("x86_64", 39);
      odd.arch = 0;
      EXPECT_EQ(evaluate(filter, odd).action, SECCOMP_RET_KILL_PROCESS) << each.name;
    }
  }
}

TEST(SeccompCalls, EveryCallThatTheLibraryKnowsIsInExactlyOneGroup) {
  std::map<std::string, int> groups_with;
  for (const SyscallGroup& group : syscall_groups()) {
    for (std::string_view call : group.calls) ++groups_with[std::string(call)];
  }
  for (const auto& [call, count] : groups_with) EXPECT_EQ(count, 1) << call;
  for (std::string architecture : {"x86_64", "i386", "aarch64"}) {
    for (int number = 0; number <= kLastNumber; ++number) {
      std::string name = name_of(architecture, number);
      if (!name.empty()) {
        EXPECT_EQ(groups_with.count(name), 1U) << name;
      }
    }
  }
}

TEST(SeccompCalls, WhatIsNewerThanTheTableOrAGapInTheNumbersLooksMissing) {
  std::vector<Filter> filters = compile_filters(default_policy());
  for (int number : {335, 400, 423, 468, 500, 700, 1023, -1}) {
    EXPECT_EQ(evaluate(filters, call_of("x86_64", number)).action, fails_with(ENOSYS)) << number;
  }
}

TEST(SeccompCalls, CallsThatReachOutOfTheSandboxAreDeniedByDefault) {
  std::vector<Filter> filters = compile_filters(default_policy());
  for (const char* name : {"ptrace",
                           "process_vm_readv",
                           "process_vm_writev",
                           "kcmp",
                           "pidfd_getfd",
                           "unshare",
                           "setns",
                           "mount",
                           "umount2",
                           "pivot_root",
                           "chroot",
                           "fsopen",
                           "open_tree",
                           "move_mount",
                           "mount_setattr",
                           "keyctl",
                           "add_key",
                           "request_key",
                           "init_module",
                           "finit_module",
                           "kexec_load",
                           "io_uring_setup",
                           "io_uring_enter",
                           "bpf",
                           "perf_event_open",
                           "userfaultfd",
                           "name_to_handle_at",
                           "open_by_handle_at",
                           "reboot",
                           "swapon",
                           "iopl",
                           "ioperm",
                           "acct",
                           "syslog",
                           "quotactl",
                           "vhangup",
                           "fanotify_init",
                           "settimeofday",
                           "clock_settime",
                           "lookup_dcookie",
                           "modify_ldt",
                           "move_pages",
                           "uselib"}) {
    int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);
    EXPECT_EQ(evaluate(filters, call_of("x86_64", number)).action, fails_with(EPERM)) << name;
  }
  for (int newer : {457, 458, 467}) {
    EXPECT_EQ(evaluate(filters, call_of("x86_64", newer)).action, fails_with(EPERM)) << newer;
  }
}

// Not fcntl, whose leases are denied: a call that the kernel has to ask about costs some 25 ns more.
TEST(SeccompCalls, HotCallsAreAllowedWithoutALookAtTheirArgumentsSoThatTheKernelRemembersThem) {
  for (std::string architecture : {"x86_64", "aarch64"}) {
    std::vector<Filter> filters = compile_filters(default_policy(architecture));
    for (const char* name : {"read",        "write",         "readv",       "writev",     "pread64", "futex",
                             "getppid",     "getpid",        "gettid",      "recvmsg",    "sendmsg", "recvfrom",
                             "sendto",      "ppoll",         "epoll_pwait", "mmap",       "munmap",  "mprotect",
                             "madvise",     "brk",           "close",       "fstat",      "lseek",   "rt_sigprocmask",
                             "sched_yield", "clock_gettime", "nanosleep",   "newfstatat", "prctl",   "rt_sigreturn"}) {
      int number = seccomp_syscall_resolve_name_arch(library_architecture(architecture), name);
      Verdict verdict = evaluate(filters, call_of(architecture, number));
      EXPECT_EQ(verdict.action, SECCOMP_RET_ALLOW) << name;
      EXPECT_FALSE(verdict.saw_arguments) << name;
    }
  }
}

TEST(SeccompCalls, DenyingACallOrGroupNeverLetsAnythingThroughThatWasDeniedBefore) {
  std::vector<std::string> words;
  for (const SyscallGroup& group : syscall_groups()) {
    words.emplace_back(group.name);
    words.insert(words.end(), group.calls.begin(), group.calls.end());
  }
  std::mt19937 random(1);
  auto some = [&](size_t count) {
    std::vector<std::string> chosen;
    for (size_t i = 0; i < count; ++i) chosen.push_back(words[random() % words.size()]);
    return chosen;
  };
  for (int round = 0; round < 12; ++round) {
    SeccompPolicy before = default_policy();
    before.compat_32_bit = round % 3 == 0;
    before.allow = some(6);
    before.deny = some(2);
    if (round % 2 == 0) before.allow.push_back("socketcall");
    SeccompPolicy after = before;
    for (const std::string& word : some(6)) after.deny.push_back(word);
    std::vector<Filter> wide = compile_filters(before), narrow = compile_filters(after);
    for (const std::string& architecture : architectures_of(before)) {
      for (int number = 0; number <= kLastNumber; ++number) {
        // 0x5412 is TIOCSTI, 1 is AF_UNIX, 3 is no family that is granted, all bits are everything a flag can be.
        for (uint64_t argument : std::initializer_list<uint64_t>{0, 1, 3, 0x5412, 0xffffffff}) {
          seccomp_data call = call_of(architecture, number, std::vector<uint64_t>(6, argument));
          if (evaluate(narrow, call).action != SECCOMP_RET_ALLOW) continue;
          ASSERT_EQ(evaluate(wide, call).action, SECCOMP_RET_ALLOW) << architecture << " " << number;
        }
      }
    }
  }
}

TEST(SeccompCalls, DenyWinsOverAllowAndSwitchesForTheSameCall) {
  SeccompPolicy policy = default_policy();
  policy.debug = true;
  policy.allow = {"bpf", "read"};
  policy.deny = {"@debug", "bpf", "read"};
  std::set<std::string_view> allowed = allowed_calls(policy);
  for (const char* call : {"bpf", "read", "ptrace"}) EXPECT_FALSE(allowed.contains(call)) << call;
}

TEST(SeccompCalls, AMultiplexerIsDeniedAlongWithAnyOfItsParts) {
  SeccompPolicy policy = default_policy();
  policy.compat_32_bit = true;
  policy.allow = {"socketcall"};
  EXPECT_TRUE(allowed_calls(policy).contains("socketcall"));
  policy.deny = {"connect", "shmat"};
  EXPECT_FALSE(allowed_calls(policy).contains("socketcall"));
  EXPECT_FALSE(allowed_calls(policy).contains("ipc"));
}

TEST(SeccompCalls, SocketcallIsNoWayAroundTheFamiliesOn32Bit) {
  SeccompPolicy policy = default_policy();
  policy.compat_32_bit = true;
  Filter calls = compile_filters(policy).front();
  constexpr int kSocketcall = 102;
  for (uint64_t which = 0; which < 32; ++which) {
    for (uint64_t high : {0ULL, 1ULL << 32}) {
      EXPECT_EQ(evaluate(calls, call_of("i386", kSocketcall, {which | high, 0x1000})).action, fails_with(EPERM))
          << which;
    }
  }
}

TEST(SeccompCalls, AnUnknownNameIsAnError) {
  SeccompPolicy policy = default_policy();
  policy.deny = {"no_such_call"};
  EXPECT_THROW(compile_filters(policy), Error);
  policy.deny = {"@no-such-group"};
  EXPECT_THROW(compile_filters(policy), Error);
}

TEST(SeccompCalls, AnArchitectureWithoutATableIsAnError) {
  EXPECT_THROW(compile_filters(default_policy("riscv64")), Error);
  SeccompPolicy policy = default_policy("aarch64");
  policy.compat_32_bit = true;
  EXPECT_THROW(compile_filters(policy), Error);
}

}  // namespace
}  // namespace sbox::test
