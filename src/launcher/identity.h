// Who the process is inside its namespaces: ids, host name, loopback, and no further namespaces.
#pragma once

#include <sys/resource.h>

#include "launcher/step.h"
#include "plan/plan.h"

namespace sbox {

// Ends the calling process with its parent, whose end of `step`'s socket is the only other one.
void die_with_supervisor(const Step& step);

// Maps the one uid and gid onto themselves and denies setgroups. Precondition: just cloned into a new user
// namespace, still dumpable, the host's /proc in place.
void map_ids(const Step& step, uint32_t uid, uint32_t gid);

// Whether sbox-userns has made the user namespace already: one id is mapped, and capabilities came with it.
bool is_granted(const Step& step, uint32_t uid);

// What /proc/self/uid_map says after map_ids().
std::string only_map(uint32_t id);

void set_hostname(const Step& step, const Plan& plan);

// Brings `lo` up in an own network namespace.
void raise_loopback(const Step& step);

// Lets the user namespace have no child (user.max_user_namespaces = 0): the second wall behind the filter.
// `proc` is a detached mount of proc.
void forbid_user_namespaces(const Step& step, int proc);

// For the set-up, which holds each mount by a descriptor until it has its place: as many as the caller's hard limit
// allows, until `restore` sets back what was. The program has the caller's own limit. A kernel that allows no more (a
// hard limit above fs.nr_open) leaves the set-up with what the caller has, and too many mounts refuse the start.
class OpenFiles {
 public:
  explicit OpenFiles(const Step& step);
  void restore(const Step& step) const;

 private:
  rlimit callers_{};
  bool is_raised_ = false;
};

void set_limits(const Step& step, const Plan& plan);

}  // namespace sbox
