// Limits that only a cgroup enforces: this process goes into one that has them, and with it all that it starts.
#pragma once

#include "plan/host.h"
#include "plan/plan.h"

namespace sbox {

// By a transient scope of systemd's user manager where one runs; else in a cgroup of its own beside or below that of
// this process, which the user must be allowed to make (a process stays outside of it, ends what is left in it when
// this one has ended, and removes it). Error where neither can be. Without limits nothing is done, but for a program
// that may mount where this process's cgroup is the user's. Whether limits are in force is for the launcher to look.
void enter_cgroup(const Plan& plan, const Host& host);

// How limits would be enforced here; for doctor.
enum class LimitsBy { systemd, delegated_cgroup, nothing };
LimitsBy limits_by(const Host& host);

}  // namespace sbox
