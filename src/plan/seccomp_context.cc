#include "plan/seccomp_context.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

// libseccomp answers with small negative numbers of its own for what an architecture has by a multiplexer only, and
// with these for what it does not have.
constexpr int kAbsent = -10000;

uint32_t token_of(std::string_view architecture) {
  if (architecture == "x86_64") return SCMP_ARCH_X86_64;
  if (architecture == "i386") return SCMP_ARCH_X86;
  if (architecture == "aarch64") return SCMP_ARCH_AARCH64;
  throw Error("seccomp filter", "no table of system calls for architecture " + std::string(architecture));
}

void check(int result, std::string_view what) {
  if (result < 0) throw system_error("seccomp filter: " + std::string(what), -result);
}

}  // namespace

SeccompContext::SeccompContext(std::string_view architecture, uint32_t default_action)
    : architecture_(token_of(architecture)), context_(seccomp_init(default_action)) {
  if (!context_) throw Error("seccomp filter", "out of memory");
  if (architecture_ != seccomp_arch_native()) {
    check(seccomp_arch_remove(context_.get(), seccomp_arch_native()), "architecture");
    check(seccomp_arch_add(context_.get(), architecture_), "architecture");
  }
  check(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "architecture");
}

bool SeccompContext::has(std::string_view call) const {
  int number = seccomp_syscall_resolve_name_arch(architecture_, std::string(call).c_str());
  if (number != __NR_SCMP_ERROR) return number > kAbsent;
  return newer_call_number(call) && architecture_ == seccomp_arch_native();
}

// The library wants the number that the call has on the host, also for another architecture, and translates it.
int SeccompContext::native_number(std::string_view call) {
  int number = seccomp_syscall_resolve_name(std::string(call).c_str());
  return number != __NR_SCMP_ERROR ? number : newer_call_number(call).value();
}

void SeccompContext::add(uint32_t action, std::string_view call, std::span<const ArgumentTest> tests) {
  std::array<scmp_arg_cmp, 6> compare{};
  if (tests.size() > compare.size()) throw Error("seccomp filter", "too many tests for " + std::string(call));
  for (size_t i = 0; i < tests.size(); ++i) {
    compare[i] = {tests[i].argument, SCMP_CMP_MASKED_EQ, tests[i].mask, tests[i].value};
  }
  auto count = static_cast<unsigned>(tests.size());
  check(seccomp_rule_add_array(context_.get(), action, native_number(call), count, compare.data()), call);
}

void SeccompContext::bisect() { check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "bisection"); }

void SeccompContext::test_first(std::string_view call) {
  check(seccomp_syscall_priority(context_.get(), native_number(call), UINT8_MAX), call);
}

void SeccompContext::merge(SeccompContext&& other) {
  check(seccomp_merge(context_.get(), other.context_.get()), "merge");
  static_cast<void>(other.context_.release());  // freed by the library
}

Filter SeccompContext::export_as(std::string name) const {
  UniqueFd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) throw system_error("seccomp filter: memory file", errno);
  check(seccomp_export_bpf(context_.get(), file.get()), "export");
  struct stat status {};
  if (fstat(file.get(), &status) < 0) throw system_error("seccomp filter: memory file", errno);
  Filter filter{std::move(name),
                std::vector<FilterInstruction>(static_cast<size_t>(status.st_size) / sizeof(FilterInstruction))};
  if (pread(file.get(), filter.code.data(), static_cast<size_t>(status.st_size), 0) != status.st_size) {
    throw Error("seccomp filter", "memory file cut short");
  }
  return filter;
}

}  // namespace sbox
