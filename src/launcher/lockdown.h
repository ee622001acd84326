// The walls that stay: Landlock, no capabilities, no_new_privs, seccomp. Single-threaded, after the last mount change.
#pragma once

#include <linux/securebits.h>

#include "launcher/step.h"
#include "plan/plan.h"

namespace sbox {

// Neither root's id nor a change of ids gives capabilities, none can be raised to ambient; all of it for good.
inline constexpr int kSecurebits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

void set_no_new_privs(const Step& step);

// A ruleset from the plan's paths inside the new root. Nothing is done where the plan says the kernel has no Landlock.
void restrict_files(const Step& step, const Plan& plan);

// Takes all capabilities but `kept` (a bit for each) out of the bounding, permitted, effective, inheritable and ambient
// sets and locks the securebits. What is kept stays when a program is executed.
void drop_capabilities(const Step& step, uint64_t kept = 0);

// Loads the programs in order. From here on the process keeps to them itself.
void load_filters(const Step& step, const std::vector<Filter>& filters);

// The same with one program, and the listener that hears of denied calls. Empty, and loaded as they are, where this
// process has an outer filter with a listener already: the kernel takes one.
UniqueFd load_notifying_filter(const Step& step, const std::vector<Filter>& filters);

}  // namespace sbox
