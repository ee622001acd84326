// What [environment] makes of a variable of the caller. Pure.
#pragma once

#include <string_view>

#include "profile/profile.h"

namespace sbox {

// Through it a value becomes code: never passed on.
bool loads_code(std::string_view variable);
// Error for an element of environment.keep that names such a one.
void refuse_loading(const Value& variable);

// Set by sbox alone: the caller's value would be of no use inside.
bool speaks_of_the_host(std::string_view variable);

// Whether `pattern`, an element of environment.keep, names it.
bool is_pattern_of_variable(std::string_view pattern, std::string_view variable);

}  // namespace sbox
