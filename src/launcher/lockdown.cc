#include "launcher/lockdown.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>

#include "launcher/kernel.h"
#include "plan/notify_filter.h"

namespace sbox {
namespace {

constexpr uint32_t kFirstAbiWithNetwork = 4;
constexpr uint32_t kFirstAbiWithScopes = 6;
constexpr unsigned kWaitKillable = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
// File rights; a rule on something that is not a directory may have no others.
constexpr uint64_t kFileAccess = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                 LANDLOCK_ACCESS_FS_READ_FILE | (1ULL << 14) /* truncate */ |
                                 (1ULL << 15) /* ioctl_dev */;

size_t ruleset_size(uint32_t abi) {
  if (abi >= kFirstAbiWithScopes) return sizeof(LandlockRulesetAttributes);
  if (abi >= kFirstAbiWithNetwork) return offsetof(LandlockRulesetAttributes, scoped);
  return sizeof(uint64_t);
}

void add_rule(const Step& step, int ruleset, const LandlockRule& rule) {
  UniqueFd path = open_at(AT_FDCWD, rule.path.c_str(), O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  step.require(path.ok(), rule.path);
  struct statx status {};
  step.require(statx(path.get(), "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0, rule.path);
  landlock_path_beneath_attr beneath{};
  beneath.parent_fd = path.get();
  beneath.allowed_access = S_ISDIR(status.stx_mode) ? rule.access : rule.access & kFileAccess;
  if (beneath.allowed_access == 0) return;
  step.require(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0, rule.path);
}

void add_port(const Step& step, int ruleset, const LandlockPort& rule) {
  LandlockNetPortAttributes attributes{rule.access, rule.port};
  step.require(syscall(SYS_landlock_add_rule, ruleset, kLandlockRuleNetPort, &attributes, 0) == 0, "port");
}

int load_filter(const Step& step, const Filter& filter, unsigned flags) {
  static_assert(sizeof(FilterInstruction) == sizeof(sock_filter));
  if (filter.code.empty() || filter.code.size() > BPF_MAXINSNS) step.fail(filter.name, EINVAL);
  sock_fprog program{static_cast<unsigned short>(filter.code.size()),
                     const_cast<sock_filter*>(reinterpret_cast<const sock_filter*>(filter.code.data()))};
  return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

}  // namespace

void set_no_new_privs(const Step& step) { step.require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs"); }

void restrict_files(const Step& step, const Plan& plan) {
  const Landlock& landlock = plan.landlock;
  if (landlock.abi == 0) return;
  LandlockRulesetAttributes attributes{landlock.handled, landlock.handled_ports, landlock.scoped};
  UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, ruleset_size(landlock.abi), 0)));
  step.require(ruleset.ok(), "new ruleset");
  for (const LandlockRule& rule : landlock.rules) add_rule(step, ruleset.get(), rule);
  for (const LandlockPort& rule : landlock.ports) add_port(step, ruleset.get(), rule);
  step.require(syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0, "restrict");
}

void drop_capabilities(const Step& step, uint64_t kept) {
  auto is_kept = [&](int capability) { return (kept >> capability & 1) != 0; };
  for (int capability = 0; capability < cap_max_bits(); ++capability) {
    step.require(is_kept(capability) || cap_drop_bound(capability) == 0, "bounding set");
  }
  step.require(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0, "ambient set");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  step.require(capget(&header, sets) == 0, "capabilities");
  for (int half = 0; half < 2; ++half) sets[half].inheritable = static_cast<uint32_t>(kept >> (32 * half));
  step.require(capset(&header, sets) == 0, "inheritable set");
  for (int capability = 0; kept >> capability != 0; ++capability) {
    bool raised = !is_kept(capability) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0;
    step.require(raised, "ambient set");
  }
  step.require(cap_set_secbits(kSecurebits) == 0, "securebits");
  for (__user_cap_data_struct& half : sets) half.permitted = half.effective = half.inheritable;
  bool dropped = kept == 0 ? clear_capabilities() : capset(&header, sets) == 0;
  step.require(dropped, "permitted set");
}

void load_filters(const Step& step, const std::vector<Filter>& filters) {
  for (const Filter& filter : filters) step.require(load_filter(step, filter, 0) == 0, filter.name);
}

UniqueFd load_notifying_filter(const Step& step, const std::vector<Filter>& filters) {
  Filter whole = notifying(filters);
  constexpr unsigned kListens = SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // Linux 5.19: no signal but a deadly one ends the wait for an answer.
  int listener = load_filter(step, whole, kListens | kWaitKillable);
  if (listener < 0 && errno == EINVAL) listener = load_filter(step, whole, kListens);
  if (listener < 0 && errno == EBUSY) {
    load_filters(step, filters);
    return {};
  }
  step.require(listener > 2, whole.name);
  return UniqueFd(listener);
}

}  // namespace sbox
