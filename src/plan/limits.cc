#include <sys/resource.h>

#include <algorithm>

#include "plan/draft.h"
#include "profile/values.h"

namespace sbox {
namespace {

void limit(const Inputs& in, Plan& plan, Key key, const char* name, uint32_t resource) {
  uint64_t wanted = in.profile.number(key);
  if (wanted == 0) return;
  uint64_t most = in.host.hard_limit(static_cast<int>(resource));
  if (wanted > most) {
    const Value& value = in.profile.scalar(key);
    throw Error(key_name(setting(key)) + " = " + value.text, "the limit of this session is " + std::to_string(most))
        .at(value.origin)
        .hint("ask for less");
  }
  plan.limits.push_back({name, resource, wanted, wanted});
}

}  // namespace

void plan_limits(const Inputs& in, Draft& draft) {
  // Not 0: a core_pattern that is a pipe takes no notice of 0, but of 1. Where the caller is held to 0 there is no 1.
  uint64_t core = std::min<uint64_t>(1, in.host.hard_limit(RLIMIT_CORE));
  draft.plan.limits.push_back({"RLIMIT_CORE", RLIMIT_CORE, core, core});
  limit(in, draft.plan, Key::limits_open_files, "RLIMIT_NOFILE", RLIMIT_NOFILE);
  limit(in, draft.plan, Key::limits_file_size, "RLIMIT_FSIZE", RLIMIT_FSIZE);
}

}  // namespace sbox
