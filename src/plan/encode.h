// The Plan in serialised form, as the launcher reads it.
#pragma once

#include <string>

#include "plan/plan.h"

namespace sbox {

std::string encode_plan(const Plan& plan);

}  // namespace sbox
