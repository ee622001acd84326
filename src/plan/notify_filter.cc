#include "plan/notify_filter.h"

#include <linux/filter.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sbox {
namespace {

uint32_t with_notification(uint32_t answer) {
  bool tells = (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && (answer & SECCOMP_RET_DATA) != ENOSYS;
  return tells ? SECCOMP_RET_USER_NOTIF : answer;
}

// What the program returns. It is our own: whatever it should not hold is a denial.
uint32_t run(const Filter& filter, const seccomp_data& call) {
  uint32_t loaded = 0;
  for (size_t at = 0; at < filter.code.size(); ++at) {
    const FilterInstruction& now = filter.code[at];
    auto branch = [&](bool holds) { at += holds ? now.jump_true : now.jump_false; };
    switch (now.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (now.operand > sizeof call - sizeof loaded) return SECCOMP_RET_ERRNO;
        memcpy(&loaded, reinterpret_cast<const char*>(&call) + now.operand, sizeof loaded);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        loaded &= now.operand;
        break;
      case BPF_JMP | BPF_JA:
        at += now.operand;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        branch(loaded == now.operand);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        branch(loaded >= now.operand);
        break;
      case BPF_RET | BPF_K:
        return now.operand;
      default:
        return SECCOMP_RET_ERRNO;
    }
  }
  return SECCOMP_RET_ERRNO;
}

}  // namespace

Filter notifying(const std::vector<Filter>& filters) {
  Filter whole{"notifying", {}};
  for (const Filter& filter : filters) {
    bool is_last = &filter == &filters.back();
    size_t end = whole.code.size() + filter.code.size();
    for (FilterInstruction one : filter.code) {
      bool returns = one.code == (BPF_RET | BPF_K);
      if (returns && one.operand == SECCOMP_RET_ALLOW && !is_last) {
        // Allowed so far: the next has its say. An instruction for an instruction, so that no other jump changes.
        one = {BPF_JMP | BPF_JA, 0, 0, static_cast<uint32_t>(end - whole.code.size() - 1)};
      } else if (returns) {
        one.operand = with_notification(one.operand);
      }
      whole.code.push_back(one);
    }
  }
  return whole;
}

int errno_of(const std::vector<Filter>& filters, const seccomp_data& call) {
  // Of two that deny, the kernel takes the one that was loaded last.
  for (auto filter = filters.rbegin(); filter != filters.rend(); ++filter) {
    uint32_t answer = run(*filter, call);
    int error = static_cast<int>(answer & SECCOMP_RET_DATA);
    if ((answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && error != 0) return error;
  }
  return EPERM;
}

bool are_allowing(const std::vector<Filter>& filters, const seccomp_data& call) {
  return std::all_of(filters.begin(), filters.end(),
                     [&](const Filter& filter) { return run(filter, call) == SECCOMP_RET_ALLOW; });
}

}  // namespace sbox
