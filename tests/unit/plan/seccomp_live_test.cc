// The filters in the running kernel, each case in a child of its own that ends with the errno it met.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "seccomp_policies.h"

namespace sbox::test {
namespace {

constexpr int kCannotLoad = 200;

bool load(const std::vector<Filter>& filters) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return false;
  for (const Filter& filter : filters) {
    std::vector<FilterInstruction> code = filter.code;
    sock_fprog program{static_cast<unsigned short>(code.size()), reinterpret_cast<sock_filter*>(code.data())};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) return false;
  }
  return true;
}

// The wait status of a child that loads the filters, makes the call, and exits with its errno (0 for success).
int status_of(const SeccompPolicy& policy, const std::function<long()>& call) {
  std::vector<Filter> filters = compile_filters(policy);
  pid_t child = fork();
  if (child == 0) {
    if (!load(filters)) _exit(kCannotLoad);
    errno = 0;
    _exit(call() < 0 ? errno : 0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

int error_of(const std::function<long()>& call) {
  int status = status_of(default_policy(), call);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#if defined(__x86_64__)

TEST(SeccompLive, ALoadedFilterLetsOrdinaryCallsThrough) {
  EXPECT_EQ(error_of([] { return syscall(SYS_getpid); }), 0);
  EXPECT_EQ(error_of([] { return open("/dev/null", O_RDWR | O_CREAT, 0600); }), 0);
  EXPECT_EQ(error_of([] { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }), 0);
  EXPECT_EQ(error_of([] { return socket(AF_INET, SOCK_DGRAM, 0); }), 0);
}

TEST(SeccompLive, TerminalInputCannotBeFakedWithHighBitsEither) {
  EXPECT_EQ(error_of([] { return syscall(SYS_ioctl, -1, 0x5401UL, 0); }), EBADF);
  EXPECT_EQ(error_of([] { return syscall(SYS_ioctl, -1, 0x5412UL, 0); }), EPERM);
  EXPECT_EQ(error_of([] { return syscall(SYS_ioctl, -1, 0x5412UL | 1UL << 32, 0); }), EPERM);
  EXPECT_EQ(error_of([] { return syscall(SYS_ioctl, -1, 0x541cUL | 1UL << 63, 0); }), EPERM);
}

TEST(SeccompLive, OtherFamiliesLookMissing) {
  for (int family : {AF_VSOCK, AF_PACKET, AF_ALG, AF_BLUETOOTH}) {
    EXPECT_EQ(error_of([=] { return socket(family, SOCK_RAW, 0); }), EAFNOSUPPORT) << family;
  }
}

TEST(SeccompLive, Clone3LooksMissingAndThreadsAndForksStillWork) {
  EXPECT_EQ(error_of([] { return syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
  EXPECT_EQ(error_of([] {
              pid_t child = fork();
              if (child == 0) _exit(0);
              return waitpid(child, nullptr, 0);
            }),
            0);
}

TEST(SeccompLive, NoNamespaceIsMade) {
  EXPECT_EQ(error_of([] { return unshare(CLONE_NEWUSER); }), EPERM);
  EXPECT_EQ(error_of([] { return syscall(SYS_clone, CLONE_NEWUSER | 17UL, 0, 0, 0, 0); }), EPERM);
}

TEST(SeccompLive, ADeniedCallEndsTheProgramWhereTheProfileSaysSo) {
  SeccompPolicy policy = default_policy();
  policy.kill = true;
  int status = status_of(policy, [] { return unshare(CLONE_NEWUSER); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << status;
}

TEST(SeccompLive, AnX32NumberEndsTheProgram) {
  int status = status_of(default_policy(), [] { return syscall(0x40000000 | 39); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << status;
}

TEST(SeccompLive, The32BitEntryEndsTheProgramUnlessTheProfileHas32Bit) {
  auto getpid_by_the_old_entry = [] {
    long result = 20;
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result;
  };
  auto unshare_by_the_old_entry = [] {
    long result = 310, flags = CLONE_NEWUSER;
    asm volatile("int $0x80" : "+a"(result) : "b"(flags) : "memory", "r8", "r9", "r10", "r11");
    errno = static_cast<int>(-result);
    return result < 0 ? -1L : 0L;
  };
  SeccompPolicy compat = default_policy();
  compat.compat_32_bit = true;
  int status = status_of(compat, getpid_by_the_old_entry);
  if (WIFSIGNALED(status)) GTEST_SKIP() << "this kernel has no 32-bit entry";
  EXPECT_EQ(status, 0);
  status = status_of(compat, unshare_by_the_old_entry);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == EPERM) << status;
  status = status_of(default_policy(), getpid_by_the_old_entry);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << status;
}

#endif

}  // namespace
}  // namespace sbox::test
