// A plan as JSON, for --dry-run. Stable: the members of the structs of plan.h under their own names and in their order,
// and
//   kind   the enumerator's name ("bind")
//   mode   octal digits in a string ("0755")
//   code   of a filter: one string, 16 hexadecimal digits for each instruction: code (4), jump_true (2), jump_false
//   (2),
//          operand (8)
// Sizes and access rights are numbers. Bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <string>

#include "plan/plan.h"

namespace sbox {

// Indented by two spaces, without a newline at the end.
std::string plan_json(const Plan& plan);

}  // namespace sbox
