#include "plan/seccomp_program.h"

#include <linux/filter.h>
#include <seccomp.h>

#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "base/error.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

using Place = SeccompProgram::Place;
using Range = std::pair<uint32_t, Place>;  // where it starts, where it leads

Place search_ranges(SeccompProgram& program, std::span<const Range> ranges) {
  if (ranges.size() == 1) return ranges[0].second;
  size_t middle = ranges.size() / 2;
  Place above = search_ranges(program, ranges.subspan(middle));
  Place below = search_ranges(program, ranges.first(middle));
  return program.if_at_least(ranges[middle].first, above, below);
}

}  // namespace

Place SeccompProgram::put(uint16_t code, uint32_t operand, size_t jump_true, size_t jump_false) {
  backwards_.push_back({code, static_cast<uint8_t>(jump_true), static_cast<uint8_t>(jump_false), operand});
  return backwards_.size();
}

Place SeccompProgram::answer(uint32_t action) {
  auto [known, is_new] = answers_.try_emplace(action);
  if (is_new) known->second = put(BPF_RET | BPF_K, action);
  return known->second;
}

void SeccompProgram::fall_to(Place next) {
  size_t skipped = backwards_.size() - next;
  if (skipped > 0) put(BPF_JMP | BPF_JA, static_cast<uint32_t>(skipped));
}

Place SeccompProgram::load(size_t offset, Place next) {
  fall_to(next);
  return put(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

Place SeccompProgram::keep(uint32_t mask, Place next) {
  fall_to(next);
  return put(BPF_ALU | BPF_AND | BPF_K, mask);
}

// A branch counts in one byte what it skips; one less, for the other target may need a jump in between too.
Place SeccompProgram::within_reach(Place target) {
  size_t skipped = backwards_.size() - target;
  return skipped < UINT8_MAX ? target : put(BPF_JMP | BPF_JA, static_cast<uint32_t>(skipped));
}

Place SeccompProgram::branch(uint16_t code, uint32_t value, Place yes, Place no) {
  yes = within_reach(yes);
  no = within_reach(no);
  return put(code, value, backwards_.size() - yes, backwards_.size() - no);
}

Place SeccompProgram::if_equal(uint32_t value, Place yes, Place no) {
  return branch(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no);
}

Place SeccompProgram::if_at_least(uint32_t value, Place yes, Place no) {
  return branch(BPF_JMP | BPF_JGE | BPF_K, value, yes, no);
}

Place SeccompProgram::search(const std::map<uint32_t, Place>& places) {
  std::vector<Range> ranges;
  for (const auto& range : places) {
    if (ranges.empty() || ranges.back().second != range.second) ranges.emplace_back(range);
  }
  return search_ranges(*this, ranges);
}

std::vector<FilterInstruction> SeccompProgram::take() && { return {backwards_.rbegin(), backwards_.rend()}; }

std::map<uint32_t, std::string> calls_by_number(std::string_view architecture) {
  constexpr int kAboveAll = 1024;
  uint32_t token = architecture_token(architecture);
  std::map<uint32_t, std::string> calls;
  for (int number = 0; number < kAboveAll; ++number) {
    std::unique_ptr<char, void (*)(void*)> name(seccomp_syscall_resolve_num_arch(token, number), free);
    if (name) calls.emplace(number, name.get());
  }
  if (token != seccomp_arch_native()) return calls;
  for (const SyscallGroup& group : syscall_groups()) {
    for (std::string_view call : group.calls) {
      if (std::optional<int> number = newer_call_number(call)) calls.try_emplace(static_cast<uint32_t>(*number), call);
    }
  }
  return calls;
}

uint32_t architecture_token(std::string_view architecture) {
  if (architecture == "x86_64") return SCMP_ARCH_X86_64;
  if (architecture == "i386") return SCMP_ARCH_X86;
  if (architecture == "aarch64") return SCMP_ARCH_AARCH64;
  throw Error("seccomp filter", "no table of system calls for architecture " + std::string(architecture));
}

}  // namespace sbox
