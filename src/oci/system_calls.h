// The seccomp section of a bundle. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "plan/seccomp.h"

namespace sbox {

// `linux.seccomp` of config.json: answers every call as the filters of the policy do. A runtime leaves out the names
// that its libseccomp does not know; these fail with ENOSYS then. Precondition: no 32-bit programs, which would need
// rules of their own.
nlohmann::ordered_json seccomp_section(const SeccompPolicy& policy);

}  // namespace sbox
