// Reads what encode_plan wrote. Part of the trusted core: throws nothing, and takes any bytes without harm.
#pragma once

#include <cstdint>
#include <string_view>

#include "plan/join_request.h"
#include "plan/plan.h"

namespace sbox {

// First bytes of a serialised plan: "sboxpln" and the version of the form. Both programs of one installation agree.
inline constexpr uint64_t kPlanMagic = 0x026e6c70786f6273;

// False when `bytes` are not exactly one serialised plan; `plan` is then of no use.
[[nodiscard]] bool decode_plan(std::string_view bytes, Plan& plan);
// The same for a request.
[[nodiscard]] bool decode_request(std::string_view bytes, JoinRequest& request);

}  // namespace sbox
