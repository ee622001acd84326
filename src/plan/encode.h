// The Plan in serialised form, as the launcher reads it.
#pragma once

#include <string>

#include "plan/join_request.h"
#include "plan/plan.h"

namespace sbox {

std::string encode_plan(const Plan& plan);
std::string encode_request(const JoinRequest& request);

}  // namespace sbox
