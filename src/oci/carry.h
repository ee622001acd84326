// What of a plan a bundle cannot carry. Pure.
#pragma once

#include <string>
#include <vector>

#include "oci/bundle.h"

namespace sbox {

// Error for the first thing without which the sandbox would be weaker than the plan.
void require_whole(const Plan& plan, const BundleRequest& request);

// What the program only has to do without.
std::vector<std::string> what_is_missing(const Plan& plan, const BundleRequest& request);

// What Landlock keeps from the program besides files, by system calls: for a bundle the filter does.
SeccompPolicy policy_without_landlock(const Plan& plan, SeccompPolicy policy);

}  // namespace sbox
