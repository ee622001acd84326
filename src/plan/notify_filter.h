// The filters of a plan in a form that tells of each denial. Pure; the launcher has it too, so nothing is thrown.
#pragma once

#include <linux/seccomp.h>

#include <vector>

#include "plan/plan.h"

namespace sbox {

// One program in place of all `filters`, since the kernel has one listener for all of them: it allows and kills what
// they do, and gives SECCOMP_RET_USER_NOTIF for what they give an errno for, but for ENOSYS. Precondition: what one of
// them denies no later one kills, and each returns constants only.
Filter notifying(const std::vector<Filter>& filters);

// The errno that the filters give to this call; EPERM where they give none. Never 0.
int errno_of(const std::vector<Filter>& filters, const seccomp_data& call);

// Whether none of the filters keeps the call away.
bool are_allowing(const std::vector<Filter>& filters, const seccomp_data& call);

}  // namespace sbox
