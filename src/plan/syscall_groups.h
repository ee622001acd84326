// The table of system calls behind seccomp.h, and what a policy makes of it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "plan/seccomp.h"

namespace sbox {

// The group with this name (with its @), or null.
const SyscallGroup* find_group(std::string_view name);

// The number of a call that is newer than libseccomp: the same on every architecture. Nothing for all others.
std::optional<int> newer_call_number(std::string_view call);

// The one call in the i386 table that stands for all those in `calls`, whose arguments are in memory.
struct Multiplexer {
  std::string_view name;
  std::vector<std::string_view> calls;
};
const std::vector<Multiplexer>& multiplexers();

// The calls that the policy lets through, by name: groups by default, those of its switches, plus `allow`, minus
// `deny`. A call that no argument test could see into is there only when the policy names it. Error for a name that is
// not in the table.
std::set<std::string_view> allowed_calls(const SeccompPolicy& policy);

// The group that a call is in, or null.
const SyscallGroup* group_of(std::string_view call);

// Whether a call of @namespace changes mounts or is there for those that do. Landlock's rules for files let nobody
// change them, whatever the filter says: only process.nested-sandbox = mounts goes without these rules.
bool is_for_mounts(std::string_view call);
// Those that Landlock refuses by themselves.
bool changes_mounts(std::string_view call);

// The first call of a word of [seccomp] deny that sbox makes itself when the filter is in force, so that no program
// could be started, or none be waited for, without it; "" where there is none.
std::string_view own_call(std::string_view word);

// The group of a word of [seccomp] allow, a call or a group, where no sandbox has it by default; else null.
const SyscallGroup* further_group(std::string_view word);

enum class CallAnswer {
  allowed,  // but for what the argument rules keep away
  denied,   // EPERM, or the end of the program
  missing,  // ENOSYS: as if the kernel did not have it
};
// By call alone. `allowed`: of the same policy.
CallAnswer answer_to(std::string_view call, const std::set<std::string_view>& allowed, const SeccompPolicy& policy);

// Changes whenever the table does.
uint64_t syscall_table_digest();

}  // namespace sbox
