#include "plan/seccomp_arguments.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sbox {
namespace {

using Rules = std::vector<ArgumentRule>;

constexpr uint32_t kWhole = 0xffffffff;

ArgumentTest is(unsigned argument, uint32_t value) { return {argument, kWhole, {value}}; }
ArgumentTest is_none_of(unsigned argument, std::vector<uint32_t> values) {
  return {argument, kWhole, std::move(values), false};
}
ArgumentTest has_all(unsigned argument, uint32_t bits) { return {argument, bits, {bits}}; }
ArgumentTest has_any(unsigned argument, uint32_t bits) { return {argument, bits, {0}, false}; }

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
  constexpr std::string_view kWhat = "set-user-ID and set-group-ID bits";
  for (const Row& row : kWithMode) rules.push_back({row.call, EPERM, {has_any(row.mode, kSetId)}, kWhat});
  for (const Row& row : {Row{"open", 2}, Row{"openat", 3}}) {
    rules.push_back({row.call, EPERM, {has_any(row.mode - 1, O_CREAT | kTemporary), has_any(row.mode, kSetId)}, kWhat});
  }
}

// Whiteouts of overlay file systems have the form of devices, and the kernel gives them to everybody: since 2026
// Landlock too, and always by a rename.
void add_devices(Rules& rules) {
  constexpr uint32_t kDevice = S_IFCHR;  // block devices have this bit as well
  constexpr uint32_t kRenameWhiteout = 1 << 2;
  constexpr std::string_view kWhat = "device files";
  rules.push_back({"mknod", EPERM, {has_any(1, kDevice)}, kWhat});
  rules.push_back({"mknodat", EPERM, {has_any(2, kDevice)}, kWhat});
  rules.push_back({"renameat2", EINVAL, {has_any(4, kRenameWhiteout)}, kWhat});
}

// Input faked on a terminal or a console is typed by the user, as far as the reader can tell.
void add_terminal(Rules& rules) {
  constexpr uint32_t kTiocsti = 0x5412, kTioclinux = 0x541c, kTioccons = 0x541d, kTiocsetd = 0x5423;
  rules.push_back(
      {"ioctl", EPERM, {{1, kWhole, {kTiocsti, kTioclinux, kTioccons, kTiocsetd}}}, "input faked on a terminal"});
  // KD*, GIO_*, PIO_*: keyboard maps, fonts and modes of the console. VT_*: switching consoles; V4L2 and others of the
  // letter have a size in the high bits.
  constexpr uint32_t kFamily = 0xffffff00, kKeyboards = 0x4b00, kConsoles = 0x5600;
  rules.push_back({"ioctl", EPERM, {{1, kFamily, {kKeyboards, kConsoles}}}, "keyboard and mode of the console"});
}

// A snapshot shows what mounts hide and Landlock denies: it is a copy of the whole subvolume, made by who may write
// somewhere in it. The family's other requests but these three are of no use to a program that is no administrator's.
void add_snapshots(Rules& rules) {
  constexpr uint32_t kType = 0xff00, kBtrfs = 0x9400, kBcachefs = 0xbc00;
  rules.push_back({"ioctl",
                   EPERM,
                   {{1, kType, {kBtrfs, kBcachefs}}, is_none_of(1, {FICLONE, FICLONERANGE, FIDEDUPERANGE})},
                   "snapshots and subvolumes"});
}

// What holds up or locks out the user's programs outside, through files that may only be read. Keys of encrypted
// directories belong to the user, not to a process; a lease makes who writes to the file wait for its holder.
void add_shared_state(Rules& rules) {
  constexpr uint32_t kAdd = static_cast<uint32_t>(FS_IOC_ADD_ENCRYPTION_KEY),
                     kRemove = static_cast<uint32_t>(FS_IOC_REMOVE_ENCRYPTION_KEY),
                     kRemoveAll = static_cast<uint32_t>(FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS);
  rules.push_back({"ioctl", EPERM, {{1, kWhole, {kAdd, kRemove, kRemoveAll}}}, "keys of encrypted directories"});
  constexpr uint32_t kSetLease = 1024, kSetDelegation = 1040;  // the second since Linux 6.19
  for (std::string_view call : {"fcntl", "fcntl64"}) {
    rules.push_back({call, EPERM, {{1, kWhole, {kSetLease, kSetDelegation}}}, "leases of files"});
  }
}

// Pipes in which the kernel tells of changed keys: nobody here may watch a key, and what makes such a pipe wrote past
// its memory (CVE-2022-0995). The answer is that of a kernel without them.
void add_notification_pipes(Rules& rules) {
  constexpr uint32_t kNotificationPipe = O_EXCL;
  rules.push_back({"pipe2", ENOPKG, {has_any(1, kNotificationPipe)}, "pipes for notifications of the kernel"});
}

void add_namespaces(Rules& rules) {
  constexpr uint32_t kNamespaces =
      CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  rules.push_back({"clone", EPERM, {has_any(0, kNamespaces)}, "new namespaces", "[process] nested-sandbox = yes"});
}

// A mount namespace without the mounts of this one (Linux 7.0 and 7.1): nothing keeps a program there from renaming
// what is protected here, in a directory that it holds open. The answer is that of older kernels.
void add_empty_namespaces(Rules& rules) {
  constexpr uint32_t kUnshareEmpty = 0x00100000, kOpenTreeNamespace = 1 << 1, kFsmountNamespace = 1 << 1;
  constexpr std::string_view kWhat = "mount namespaces without the mounts of this one";
  rules.push_back({"unshare", EINVAL, {has_any(0, kUnshareEmpty)}, kWhat});
  rules.push_back({"open_tree", EINVAL, {has_any(2, kOpenTreeNamespace)}, kWhat});
  rules.push_back({"fsmount", EINVAL, {has_any(1, kFsmountNamespace)}, kWhat});
}

void add_sockets(Rules& rules, bool has_netfilter) {
  const ArgumentTest internet{0, kWhole, {AF_INET, AF_INET6}};
  constexpr uint32_t kType = 0xf;  // above are SOCK_CLOEXEC and SOCK_NONBLOCK
  std::vector<uint32_t> netlink = {NETLINK_ROUTE};
  if (has_netfilter) netlink.push_back(NETLINK_NETFILTER);
  rules.push_back({"socket",
                   EAFNOSUPPORT,
                   {is_none_of(0, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})},
                   "sockets other than UNIX, IPv4, IPv6 and netlink"});
  rules.push_back(
      {"socket", EPERM, {internet, {1, kType, {SOCK_STREAM, SOCK_DGRAM}, false}}, "raw and other special sockets"});
  rules.push_back({"socket",
                   EPROTONOSUPPORT,
                   {internet, is_none_of(2, {IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6})},
                   "protocols other than TCP, UDP and ping"});
  rules.push_back({"socket",
                   EPROTONOSUPPORT,
                   {is(0, AF_NETLINK), is_none_of(2, std::move(netlink))},
                   "netlink other than for routes and addresses"});
  rules.push_back({"socketpair", EAFNOSUPPORT, {is_none_of(0, {AF_UNIX})}, "pairs of sockets other than UNIX"});
}

// A connection that is made by sending passes the rules of Landlock by, which are asked at connect(2) alone; and a
// socket of TCP becomes one of SMC by a word (TCP_ULP), for which they do not hold. Libraries take these errors for a
// kernel without.
void add_ways_past_ports(Rules& rules) {
  struct Row {
    std::string_view call;
    unsigned flags;
  };
  for (const Row& row : {Row{"sendto", 3}, Row{"sendmsg", 2}, Row{"sendmmsg", 3}}) {
    rules.push_back(
        {row.call, EOPNOTSUPP, {has_any(row.flags, MSG_FASTOPEN)}, "TCP Fast Open, which ports do not hold"});
  }
  rules.push_back({"setsockopt",
                   ENOPROTOOPT,
                   {is(1, IPPROTO_TCP), is(2, TCP_ULP)},
                   "other protocols on a socket of TCP, which ports do not hold"});
}

// Who makes a network namespace has all privileges over it, and by these options reaches parts of the kernel that no
// program of a user's needs: the older tables of packet filters (iptables, arptables, ebtables, IPVS), policies of
// IPsec and multicast routes. Without that privilege the kernel refuses them itself. The answer is that of one without.
void add_network_privileges(Rules& rules) {
  constexpr uint32_t kAbove4 = ~0x3fU, kAbove6 = ~0x7fU, kReplaceTable = 64, kAddCounters = 65;
  constexpr std::string_view kWhat = "packet filters, IPsec and multicast routes of an own network";
  for (std::string_view call : {"getsockopt", "setsockopt"}) {
    rules.push_back({call, ENOPROTOOPT, {is(1, IPPROTO_IP), has_any(2, kAbove4)}, kWhat});
    rules.push_back({call, ENOPROTOOPT, {is(1, IPPROTO_IP), {2, kWhole, {IP_IPSEC_POLICY, IP_XFRM_POLICY}}}, kWhat});
    rules.push_back({call, ENOPROTOOPT, {is(1, IPPROTO_IPV6), has_any(2, kAbove6)}, kWhat});
    rules.push_back(
        {call,
         ENOPROTOOPT,
         {is(1, IPPROTO_IPV6), {2, kWhole, {kReplaceTable, kAddCounters, IPV6_IPSEC_POLICY, IPV6_XFRM_POLICY}}},
         kWhat});
  }
}

void add_personality(Rules& rules, const SeccompPolicy& policy) {
  constexpr uint32_t kQuery = 0xffffffff;
  std::vector<uint32_t> personas = {PER_LINUX, PER_LINUX32, kQuery};
  if (policy.debug) personas.push_back(ADDR_NO_RANDOMIZE);  // debuggers start programs so
  rules.push_back({"personality", EPERM, {is_none_of(0, std::move(personas))}, "other kinds of execution"});
}

void add_write_xor_execute(Rules& rules, std::string_view architecture) {
  constexpr std::string_view kWhat = "memory that is or becomes writable and executable",
                             kRemedy = "[process] write-xor-execute = no";
  if (architecture == "i386") {
    rules.push_back(
        {"mmap", EPERM, {}, kWhat, kRemedy});  // the old one: its arguments are in memory; libraries use mmap2
    rules.push_back({"mmap2", EPERM, {has_all(2, PROT_WRITE | PROT_EXEC)}, kWhat, kRemedy});
  } else {
    rules.push_back({"mmap", EPERM, {has_all(2, PROT_WRITE | PROT_EXEC)}, kWhat, kRemedy});
  }
  rules.push_back({"mprotect", EPERM, {has_all(2, PROT_EXEC)}, kWhat, kRemedy});
  rules.push_back({"pkey_mprotect", EPERM, {has_all(2, PROT_EXEC)}, kWhat, kRemedy});
  rules.push_back({"shmat", EPERM, {has_all(2, SHM_EXEC)}, kWhat, kRemedy});
}

}  // namespace

std::vector<ArgumentRule> argument_rules(const SeccompPolicy& policy, std::string_view architecture) {
  Rules rules;
  add_set_id_bits(rules);
  add_devices(rules);
  add_terminal(rules);
  add_snapshots(rules);
  add_shared_state(rules);
  add_notification_pipes(rules);
  if (policy.nested_sandbox) {
    add_empty_namespaces(rules);
    add_network_privileges(rules);
  } else {
    add_namespaces(rules);
  }
  add_sockets(rules, policy.netfilter);
  if (policy.tcp_by_port) add_ways_past_ports(rules);
  add_personality(rules, policy);
  if (policy.write_xor_execute) add_write_xor_execute(rules, architecture);
  return rules;
}

bool applies(const ArgumentRule& rule, std::span<const uint64_t, 6> arguments) {
  return std::ranges::all_of(rule.tests, [&](const ArgumentTest& test) {
    uint32_t value = static_cast<uint32_t>(arguments[test.argument]) & test.mask;
    return (std::ranges::count(test.values, value) > 0) == test.one_of;
  });
}

}  // namespace sbox
