#include "plan/draft.h"
#include "plan/paths.h"
#include "plan/seccomp.h"

namespace sbox {

void plan_seccomp(const Inputs& in, Draft& draft) {
  check_filter(in.profile);
  if (in.profile.text(Key::seccomp_mode) == "none") return;
  SeccompPolicy policy = seccomp_policy(in.profile);
  policy.architecture = in.host.architecture();
  draft.plan.filters = load_filters(policy, join(in.request.prefix, "lib/sbox/filters"));
  draft.plan.log = in.profile.flag(Key::seccomp_log);
}

}  // namespace sbox
