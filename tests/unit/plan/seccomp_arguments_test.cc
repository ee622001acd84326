// What allowed calls may be given. Each case is tried with every high half that a 32-bit argument can be dressed up
// with.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "seccomp_policies.h"

namespace sbox::test {
namespace {

const std::vector<uint64_t> kHighHalves = {0, 1ULL << 32, 1ULL << 63, 0xffffffff00000000};

class Arguments : public testing::Test {
 protected:
  void use(const SeccompPolicy& policy, std::string architecture = "") {
    filters_ = compile_filters(policy);
    architecture_ = architecture.empty() ? policy.architecture : std::move(architecture);
  }

  int number(const char* call) const {
    for (int candidate = 0; candidate < 1024; ++candidate) {
      char* name = seccomp_syscall_resolve_num_arch(library_architecture(architecture_), candidate);
      bool same = name != nullptr && std::string(name) == call;
      free(name);
      if (same) return candidate;
    }
    return -2;
  }

  // error 0: comes through.
  void expect(int error, const char* call, const std::vector<uint64_t>& arguments) const {
    expect_action(error == 0 ? SECCOMP_RET_ALLOW : fails_with(error), call, arguments);
  }
  void expect_action(uint32_t action, const char* call, const std::vector<uint64_t>& arguments) const {
    int nr = number(call);
    for (uint64_t high : kHighHalves) {
      std::vector<uint64_t> dressed = arguments;
      for (uint64_t& argument : dressed) argument |= high;
      ASSERT_EQ(evaluate(filters_, call_of(architecture_, nr, dressed)).action, action)
          << architecture_ << " " << call << " high " << std::hex << high << " of "
          << testing::PrintToString(arguments);
    }
  }

 private:
  std::vector<Filter> filters_;
  std::string architecture_;
};

// For all architectures in turn, i386 as the second of x86_64.
class ArgumentsEverywhere : public Arguments, public testing::WithParamInterface<std::string> {
 protected:
  ArgumentsEverywhere() { use_with({}); }
  void use_with(SeccompPolicy policy) {
    bool compat = GetParam() == "i386";
    policy.architecture = compat ? "x86_64" : GetParam();
    policy.compat_32_bit = compat;
    use(policy, GetParam());
  }
  bool has_old_calls() const { return GetParam() != "aarch64"; }
};
INSTANTIATE_TEST_SUITE_P(, ArgumentsEverywhere, testing::Values("x86_64", "i386", "aarch64"));

TEST_P(ArgumentsEverywhere, TerminalInputCannotBeFakedNorAConsoleSwitched) {
  for (uint64_t request : {0x5412, 0x541c, 0x541d, 0x5423, 0x4b3a, 0x4b45, 0x4b47, 0x4b72, 0x5602, 0x5606, 0x560c}) {
    expect(EPERM, "ioctl", {0, request});
  }
  // TCGETS, TIOCGWINSZ, FIONREAD, TIOCSCTTY, FICLONE, VIDIOC_QUERYCAP
  for (uint64_t request : {0x5401U, 0x5413U, 0x541bU, 0x540eU, 0x40049409U, 0x80685600U}) {
    expect(0, "ioctl", {0, request});
  }
}

TEST_P(ArgumentsEverywhere, NoSnapshotShowsWhatIsHidden) {
  // BTRFS_IOC_SNAP_CREATE and _V2, SUBVOL_CREATE and _V2, SNAP_DESTROY and _V2, TREE_SEARCH, DEFRAG
  for (uint64_t request :
       {0x50009401U, 0x50009417U, 0x5000940eU, 0x50009418U, 0x5000940fU, 0x5000943fU, 0xd0009411U, 0x50009402U}) {
    expect(EPERM, "ioctl", {3, request});
  }
  // BCH_IOCTL_SUBVOLUME_CREATE and _DESTROY, and the whole family
  for (uint64_t number = 0; number < 256; ++number) expect(EPERM, "ioctl", {3, 0x4018bc00U | number});
  for (uint64_t request : {FICLONE, FICLONERANGE, FIDEDUPERANGE}) expect(0, "ioctl", {3, request});
  expect(0, "ioctl", {3, FS_IOC_GETFLAGS});
}

TEST_P(ArgumentsEverywhere, KeysOfEncryptedDirectoriesAndLeasesStayWithTheUser) {
  for (uint64_t request :
       {FS_IOC_ADD_ENCRYPTION_KEY, FS_IOC_REMOVE_ENCRYPTION_KEY, FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS}) {
    expect(EPERM, "ioctl", {3, request});
  }
  expect(0, "ioctl", {3, FS_IOC_GET_ENCRYPTION_POLICY_EX});
  std::vector<const char*> calls = {"fcntl"};
  if (GetParam() == "i386") calls.push_back("fcntl64");
  for (const char* call : calls) {
    for (uint64_t command : {1024, 1040}) expect(EPERM, call, {3, command});
    for (uint64_t command : {F_GETFD, F_SETFL, F_SETLK, 1025, 1030, 1031, 1033, 1039}) expect(0, call, {3, command});
  }
}

TEST_P(ArgumentsEverywhere, OnlyFourFamiliesHaveSockets) {
  for (uint64_t family = 0; family < 64; ++family) {
    bool granted = family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
    expect(granted ? 0 : EAFNOSUPPORT, "socket", {family, SOCK_DGRAM, 0});
  }
  for (uint64_t family : {AF_INET + (1U << 8), AF_UNIX + (1U << 31), 0xffffffffU}) {
    expect(EAFNOSUPPORT, "socket", {family, SOCK_STREAM, 0});
  }
  for (uint64_t family = 0; family < 64; ++family) {
    expect(family == AF_UNIX ? 0 : EAFNOSUPPORT, "socketpair", {family, SOCK_STREAM, 0});
  }
}

TEST_P(ArgumentsEverywhere, InternetSocketsAreStreamsAndDatagramsOfTheUsualProtocols) {
  constexpr uint64_t kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  for (uint64_t family : {AF_INET, AF_INET6}) {
    for (uint64_t type = 0; type < 16; ++type) {
      int error = type == SOCK_STREAM || type == SOCK_DGRAM ? 0 : EPERM;
      expect(error, "socket", {family, type, 0});
      expect(error, "socket", {family, type | kFlags, 0});
    }
    for (uint64_t protocol = 0; protocol < 300; ++protocol) {
      bool usual = protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP ||
                   protocol == IPPROTO_ICMPV6;
      expect(usual ? 0 : EPROTONOSUPPORT, "socket", {family, SOCK_DGRAM | kFlags, protocol});
    }
  }
  expect(0, "socket", {AF_UNIX, SOCK_SEQPACKET | kFlags, 0});
}

TEST_P(ArgumentsEverywhere, OfNetlinkOnlyRoutesAreThere) {
  for (uint64_t protocol = 0; protocol < 64; ++protocol) {
    expect(protocol == 0 ? 0 : EPROTONOSUPPORT, "socket", {AF_NETLINK, SOCK_RAW, protocol});
  }
}

TEST_P(ArgumentsEverywhere, CloneMakesNoNamespaces) {
  for (uint64_t flag :
       {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET}) {
    expect(EPERM, "clone", {flag});
    expect(EPERM, "clone", {flag | CLONE_VM | CLONE_FILES | 17});
  }
  expect(0, "clone", {17});
  expect(0, "clone",
         {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
          CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID});
  SeccompPolicy nested;
  nested.nested_sandbox = true;
  use_with(nested);
  expect(0, "clone", {CLONE_NEWUSER | CLONE_NEWPID | 17});
}

TEST_P(ArgumentsEverywhere, AnInnerSandboxHasTheMountsOfTheOuterOne) {
  SeccompPolicy nested;
  nested.nested_sandbox = true;
  use_with(nested);
  constexpr uint64_t kUnshareEmpty = 0x00100000, kNamespace = 2, kCloexec = O_CLOEXEC, kClone = 1;
  expect(0, "unshare", {CLONE_NEWUSER | CLONE_NEWNS});
  expect(0, "open_tree", {3, 0x1000, kClone | kCloexec});
  expect(0, "fsmount", {3, 1});
  expect(EINVAL, "unshare", {kUnshareEmpty});
  expect(EINVAL, "unshare", {CLONE_NEWUSER | CLONE_NEWNS | kUnshareEmpty});
  expect(EINVAL, "open_tree", {3, 0x1000, kNamespace});
  expect(EINVAL, "open_tree", {3, 0x1000, kNamespace | kCloexec | AT_RECURSIVE});
  expect(EINVAL, "fsmount", {3, kNamespace | 1});
}

TEST_P(ArgumentsEverywhere, NoFileGetsASetIdBit) {
  for (uint64_t mode : {04000, 02000, 06000, 04755, 02755, 06777}) {
    expect(EPERM, "fchmod", {3, mode});
    expect(EPERM, "fchmodat", {3, 0x1000, mode});
    expect(EPERM, "mkdirat", {3, 0x1000, mode});
    expect(EPERM, "mknodat", {3, 0x1000, mode});
    expect(EPERM, "openat", {3, 0x1000, O_CREAT, mode});
    expect(EPERM, "openat", {3, 0x1000, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode});
    expect(EPERM, "openat", {3, 0x1000, O_TMPFILE | O_RDWR, mode});
    expect(0, "openat", {3, 0x1000, O_RDONLY, mode});  // then the mode is whatever was in the register
    if (!has_old_calls()) continue;
    expect(EPERM, "chmod", {0x1000, mode});
    expect(EPERM, "mkdir", {0x1000, mode});
    expect(EPERM, "mknod", {0x1000, mode});
    expect(EPERM, "creat", {0x1000, mode});
    expect(EPERM, "open", {0x1000, O_CREAT, mode});
    expect(EPERM, "open", {0x1000, O_TMPFILE | O_RDWR, mode});
    expect(0, "open", {0x1000, O_RDONLY, mode});
  }
  for (uint64_t mode : {0, 0644, 0755, 01777, 0100644}) {
    expect(0, "fchmod", {3, mode});
    expect(0, "mkdirat", {3, 0x1000, mode});
    expect(0, "openat", {3, 0x1000, O_CREAT, mode});
  }
  expect(ENOSYS, "fchmodat2", {3, 0x1000, 0644});
}

TEST_P(ArgumentsEverywhere, NoDeviceFileIsMade) {
  for (uint64_t type : {S_IFCHR, S_IFBLK}) {
    expect(EPERM, "mknodat", {3, 0x1000, type | 0600, 0});
    if (has_old_calls()) expect(EPERM, "mknod", {0x1000, type, 0});
  }
  for (uint64_t type : {0U, S_IFREG | 0U, S_IFIFO | 0U, S_IFSOCK | 0U}) {
    expect(0, "mknodat", {3, 0x1000, type | 0644, 0});
    if (has_old_calls()) expect(0, "mknod", {0x1000, type | 0644, 0});
  }
  constexpr uint64_t kNoReplace = 1, kExchange = 2, kWhiteout = 4;
  for (uint64_t flags : {kWhiteout, kWhiteout | kNoReplace}) expect(EINVAL, "renameat2", {3, 0x1000, 3, 0x2000, flags});
  for (uint64_t flags : {0UL, kNoReplace, kExchange}) expect(0, "renameat2", {3, 0x1000, 3, 0x2000, flags});
}

TEST_P(ArgumentsEverywhere, NoConnectionIsMadeBySendingWherePortsAreLimited) {
  constexpr uint64_t kFastOpen = 0x20000000, kNoSignal = 0x4000, kHigh = uint64_t{1} << 32;
  for (uint64_t flags : {uint64_t{0}, kNoSignal, kFastOpen}) expect(0, "sendto", {3, 0x1000, 5, flags, 0x2000, 16});
  SeccompPolicy limited;
  limited.tcp_by_port = true;
  use_with(limited);
  for (uint64_t flags : {kFastOpen, kFastOpen | kNoSignal, kFastOpen | kHigh}) {
    expect(EOPNOTSUPP, "sendto", {3, 0x1000, 5, flags, 0x2000, 16});
    expect(EOPNOTSUPP, "sendmsg", {3, 0x1000, flags});
    expect(EOPNOTSUPP, "sendmmsg", {3, 0x1000, 1, flags});
  }
  for (uint64_t flags : {uint64_t{0}, kNoSignal}) {
    expect(0, "sendto", {3, 0x1000, 5, flags, 0x2000, 16});
    expect(0, "sendmsg", {3, 0x1000, flags});
    expect(0, "sendmmsg", {3, 0x1000, 1, flags});
  }
}

TEST_P(ArgumentsEverywhere, NoSocketOfTcpBecomesAnotherWherePortsAreLimited) {
  constexpr uint64_t kTcp = 6, kSocket = 1, kNoDelay = 1, kUpperLayer = 31, kHigh = uint64_t{1} << 32;
  expect(0, "setsockopt", {3, kTcp, kUpperLayer, 0x1000, 3});
  SeccompPolicy limited;
  limited.tcp_by_port = true;
  use_with(limited);
  for (uint64_t high : {uint64_t{0}, kHigh}) {
    expect(ENOPROTOOPT, "setsockopt", {3, kTcp | high, kUpperLayer | high, 0x1000, 3});
  }
  expect(0, "setsockopt", {3, kTcp, kNoDelay, 0x1000, 4});
  expect(0, "setsockopt", {3, kSocket, kUpperLayer, 0x1000, 4});
}

TEST_P(ArgumentsEverywhere, WhoMayMakeNetworksHasNoPacketFiltersNorIpsecInThem) {
  constexpr uint64_t kFour = 0, kSix = 41, kHigh = uint64_t{1} << 32;
  SeccompPolicy nested;
  nested.nested_sandbox = true;
  for (const char* call : {"setsockopt", "getsockopt"}) {
    expect(0, call, {3, kFour, 64, 0x1000, 84});
  }
  use_with(nested);
  for (const char* call : {"setsockopt", "getsockopt"}) {
    for (uint64_t high : {uint64_t{0}, kHigh}) {
      for (uint64_t option : {16, 17, 64, 65, 96, 97, 128, 129, 200, 1152}) {
        expect(ENOPROTOOPT, call, {3, kFour | high, option | high, 0x1000, 84});
      }
      for (uint64_t option : {34, 35, 64, 65, 128, 200}) {
        expect(ENOPROTOOPT, call, {3, kSix | high, option | high, 0x1000, 84});
      }
    }
    for (uint64_t option : {1, 2, 10, 11, 32, 35, 36, 50, 51}) expect(0, call, {3, kFour, option, 0x1000, 4});
    for (uint64_t option : {20, 26, 49, 66, 67, 72, 78}) expect(0, call, {3, kSix, option, 0x1000, 4});
  }
}

TEST_P(ArgumentsEverywhere, NoPipeIsOneForNotificationsOfTheKernel) {
  constexpr uint64_t kNotification = 0x80, kOthers = 02000000 | 04000 | 040000, kHigh = uint64_t{1} << 32;
  expect(0, "pipe2", {0x1000, 0});
  expect(0, "pipe2", {0x1000, kOthers});
  for (uint64_t flags : {kNotification, kNotification | kOthers, kNotification | kHigh}) {
    expect(ENOPKG, "pipe2", {0x1000, flags});
  }
}

TEST_P(ArgumentsEverywhere, ThePersonalityStaysLinux) {
  for (uint64_t persona : {0x0U, 0x8U, 0xffffffffU}) expect(0, "personality", {persona});
  for (uint64_t persona : {0x0040000U, 0x0400000U, 0x4000000U, 0x0020000U, 0x1U, 0x9U, 0xfffffffeU, 0x80000000U}) {
    expect(EPERM, "personality", {persona});
  }
  SeccompPolicy debug;
  debug.debug = true;
  use_with(debug);
  expect(0, "personality", {0x0040000});
  expect(EPERM, "personality", {0x0400000});
}

TEST_P(ArgumentsEverywhere, WriteXorExecuteRefusesMemoryThatIsOrBecomesBoth) {
  const char* map = GetParam() == "i386" ? "mmap2" : "mmap";
  expect(0, map, {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC});
  expect(0, "mprotect", {0, 4096, PROT_READ | PROT_EXEC});
  SeccompPolicy exclusive;
  exclusive.write_xor_execute = true;
  use_with(exclusive);
  expect(EPERM, map, {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC});
  expect(EPERM, map, {0, 4096, PROT_WRITE | PROT_EXEC});
  expect(0, map, {0, 4096, PROT_READ | PROT_EXEC});
  expect(0, map, {0, 4096, PROT_READ | PROT_WRITE});
  expect(EPERM, "mprotect", {0, 4096, PROT_READ | PROT_EXEC});
  expect(0, "mprotect", {0, 4096, PROT_READ | PROT_WRITE});
  expect(EPERM, "pkey_mprotect", {0, 4096, PROT_EXEC});
  expect(EPERM, "shmat", {1, 0, SHM_EXEC});
  expect(0, "shmat", {1, 0, 0});
  expect(ENOSYS, "memfd_create", {0x1000, 0});
  expect(ENOSYS, "memfd_secret", {0});
  expect(EPERM, "personality", {0x0400000});
  if (GetParam() != "i386") return;
  expect(EPERM, "mmap", {0x1000});  // arguments in memory
  expect(EPERM, "ipc", {21, 1, 0100000});
}

TEST_F(Arguments, KillingIsForWhatWouldFailWithEpermOnly) {
  SeccompPolicy policy = default_policy();
  policy.kill = true;
  use(policy);
  expect_action(SECCOMP_RET_KILL_PROCESS, "ioctl", {0, 0x5412});
  expect_action(SECCOMP_RET_KILL_PROCESS, "clone", {CLONE_NEWUSER});
  expect(EAFNOSUPPORT, "socket", {AF_VSOCK, SOCK_STREAM, 0});
  expect(ENOSYS, "clone3", {});
}

TEST_F(Arguments, AProfileThatAllowsSocketcallHasAllItsPartsOn32Bit) {
  SeccompPolicy policy = default_policy();
  policy.compat_32_bit = true;
  policy.allow = {"socketcall"};
  use(policy, "i386");
  for (uint64_t part = 1; part <= 20; ++part) expect(0, "socketcall", {part, 0x1000});
  use(policy, "x86_64");
  expect(EAFNOSUPPORT, "socket", {AF_VSOCK, SOCK_STREAM, 0});
}

}  // namespace
}  // namespace sbox::test
