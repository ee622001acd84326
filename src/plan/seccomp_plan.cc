#include "plan/draft.h"
#include "plan/paths.h"
#include "plan/seccomp.h"

namespace sbox {

std::optional<SeccompPolicy> planned_policy(const Profile& profile, const std::string& architecture) {
  if (profile.text(Key::seccomp_mode) == "none") return std::nullopt;
  SeccompPolicy policy = seccomp_policy(profile);
  policy.architecture = architecture;
  return policy;
}

void plan_seccomp(const Inputs& in, Draft& draft) {
  check_filter(in.profile);
  std::optional<SeccompPolicy> policy = planned_policy(in.profile, in.host.architecture());
  if (!policy) return;
  draft.plan.filters = load_filters(*policy, join(in.request.prefix, "lib/sbox/filters"));
  draft.plan.log = in.profile.flag(Key::seccomp_log);
}

}  // namespace sbox
