#include <sys/resource.h>

#include "plan/draft.h"

namespace sbox {

void plan_limits(const Inputs& in, Draft& draft) {
  // Not 0: a core_pattern that is a pipe takes no notice of 0, but of 1.
  draft.plan.limits.push_back({"RLIMIT_CORE", RLIMIT_CORE, 1, 1});
  if (uint64_t files = in.profile.number(Key::limits_open_files)) {
    draft.plan.limits.push_back({"RLIMIT_NOFILE", RLIMIT_NOFILE, files, files});
  }
  if (uint64_t bytes = in.profile.number(Key::limits_file_size)) {
    draft.plan.limits.push_back({"RLIMIT_FSIZE", RLIMIT_FSIZE, bytes, bytes});
  }
}

}  // namespace sbox
