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

// Changes whenever the table does.
uint64_t syscall_table_digest();

}  // namespace sbox
