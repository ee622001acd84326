#include "plan/seccomp_arguments.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include "plan/syscall_groups.h"

namespace sbox {
namespace {

using Rules = std::vector<ArgumentRule>;

constexpr uint32_t kWhole = 0xffffffff;

constexpr ArgumentTest is(unsigned argument, uint32_t value) { return {argument, kWhole, value}; }
constexpr ArgumentTest has(unsigned argument, uint32_t bits) { return {argument, bits, bits}; }

// One rule for each bit: the library has no "any of these".
void refuse_any_bit(Rules& rules, std::string_view call, std::vector<ArgumentTest> tests, unsigned argument,
                    uint32_t bits) {
  for (uint32_t rest = bits; rest != 0; rest &= rest - 1) {
    tests.push_back(has(argument, 1U << std::countr_zero(rest)));
    rules.push_back({call, EPERM, tests});
    tests.pop_back();
  }
}

// A program that the user runs outside, with the ids of whoever owns the file, must not come from a sandbox.
void add_set_id_bits(Rules& rules) {
  constexpr uint32_t kSetId = S_ISUID | S_ISGID;
  constexpr uint32_t kTemporary = O_TMPFILE & ~O_DIRECTORY;  // openat(2) without O_DIRECTORY fails in any case
  struct Row {
    std::string_view call;
    unsigned mode;
  };
  constexpr auto kWithMode = std::to_array<Row>({{"chmod", 1},
                                                 {"fchmod", 1},
                                                 {"fchmodat", 2},
                                                 {"creat", 1},
                                                 {"mkdir", 1},
                                                 {"mkdirat", 2},
                                                 {"mknod", 1},
                                                 {"mknodat", 2}});
  for (const Row& row : kWithMode) refuse_any_bit(rules, row.call, {}, row.mode, kSetId);
  for (const Row& row : {Row{"open", 2}, Row{"openat", 3}}) {
    for (uint32_t creating : {static_cast<uint32_t>(O_CREAT), kTemporary}) {
      refuse_any_bit(rules, row.call, {has(row.mode - 1, creating)}, row.mode, kSetId);
    }
  }
}

// Input faked on a terminal or a console is typed by the user, as far as the reader can tell.
void add_terminal(Rules& rules) {
  constexpr uint32_t kFamily = 0xffffff00;
  constexpr auto kRequests = std::to_array<ArgumentTest>({
      is(1, 0x5412),         // TIOCSTI
      is(1, 0x541c),         // TIOCLINUX
      is(1, 0x541d),         // TIOCCONS
      is(1, 0x5423),         // TIOCSETD
      {1, kFamily, 0x4b00},  // KD*, GIO_*, PIO_*: keyboard maps, fonts and modes of the console
      {1, kFamily, 0x5600},  // VT_*: switching consoles; V4L2 and others of the letter have a size in the high bits
  });
  for (const ArgumentTest& request : kRequests) rules.push_back({"ioctl", EPERM, {request}});
}

void add_namespaces(Rules& rules) {
  refuse_any_bit(
      rules, "clone", {}, 0,
      CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
}

void refuse(Rules& rules, std::string_view call, int error, const std::vector<ArgumentTest>& before,
            const std::vector<ArgumentTest>& alternatives) {
  for (const ArgumentTest& test : alternatives) {
    std::vector<ArgumentTest> tests = before;
    tests.push_back(test);
    rules.push_back({call, error, std::move(tests)});
  }
}

void add_sockets(Rules& rules) {
  // One bit apart, so one test finds both.
  static_assert((AF_INET ^ AF_INET6) == 8);
  constexpr ArgumentTest kInternet{0, kWhole & ~8U, AF_INET};
  constexpr uint32_t kTypeMask = 0xf;  // above are SOCK_CLOEXEC and SOCK_NONBLOCK
  refuse(rules, "socket", EAFNOSUPPORT, {}, none_of(0, kWhole, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}));
  refuse(rules, "socket", EPERM, {kInternet}, none_of(1, kTypeMask, {SOCK_STREAM, SOCK_DGRAM}));
  refuse(rules, "socket", EPROTONOSUPPORT, {kInternet},
         none_of(2, kWhole, {IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6}));
  constexpr uint32_t kNetlinkRoute = 0;
  refuse(rules, "socket", EPROTONOSUPPORT, {is(0, AF_NETLINK)}, none_of(2, kWhole, {kNetlinkRoute}));
  refuse(rules, "socketpair", EAFNOSUPPORT, {}, none_of(0, kWhole, {AF_UNIX}));
}

void add_personality(Rules& rules, const SeccompPolicy& policy) {
  constexpr uint32_t kQuery = 0xffffffff;
  std::vector<uint32_t> personas = {PER_LINUX, PER_LINUX32, kQuery};
  if (policy.debug) personas.push_back(ADDR_NO_RANDOMIZE);  // debuggers start programs so
  refuse(rules, "personality", EPERM, {}, none_of(0, kWhole, personas));
}

void add_write_xor_execute(Rules& rules, std::string_view architecture) {
  if (architecture == "i386") {
    rules.push_back({"mmap", EPERM, {}});  // the old one: its arguments are in memory; libraries use mmap2
    rules.push_back({"mmap2", EPERM, {has(2, PROT_WRITE | PROT_EXEC)}});
  } else {
    rules.push_back({"mmap", EPERM, {has(2, PROT_WRITE | PROT_EXEC)}});
  }
  rules.push_back({"mprotect", EPERM, {has(2, PROT_EXEC)}});
  rules.push_back({"pkey_mprotect", EPERM, {has(2, PROT_EXEC)}});
  rules.push_back({"shmat", EPERM, {has(2, SHM_EXEC)}});
}

// The same among the arguments whose `decided` bits are `prefix`.
void collect_none_of(unsigned argument, uint32_t mask, const std::vector<uint32_t>& values, uint32_t decided,
                     uint32_t prefix, std::vector<ArgumentTest>& tests) {
  bool some = std::ranges::any_of(values, [&](uint32_t value) { return (value & decided) == prefix; });
  if (!some) {
    tests.push_back({argument, decided, prefix});
    return;
  }
  if (decided == mask) return;
  uint32_t bit = std::bit_floor(mask & ~decided);
  collect_none_of(argument, mask, values, decided | bit, prefix, tests);
  collect_none_of(argument, mask, values, decided | bit, prefix | bit, tests);
}

}  // namespace

std::vector<ArgumentRule> argument_rules(const SeccompPolicy& policy, std::string_view architecture) {
  Rules rules;
  add_set_id_bits(rules);
  add_terminal(rules);
  if (!policy.nested_sandbox) add_namespaces(rules);
  // Who may call socketcall has every family anyhow, and the library would refuse it along with socket.
  bool multiplexed = architecture == "i386" && allowed_calls(policy).contains("socketcall");
  if (!multiplexed) add_sockets(rules);
  add_personality(rules, policy);
  if (policy.write_xor_execute) add_write_xor_execute(rules, architecture);
  return rules;
}

std::vector<ArgumentTest> none_of(unsigned argument, uint32_t mask, const std::vector<uint32_t>& values) {
  std::vector<ArgumentTest> tests;
  collect_none_of(argument, mask, values, 0, 0, tests);
  return tests;
}

}  // namespace sbox
