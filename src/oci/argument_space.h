// What a call answers, for every value that its arguments can have: argument rules (plan/seccomp_arguments.h) as sets
// of arguments that do not overlap, so that the order of rules has no meaning any more. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "plan/seccomp_arguments.h"

namespace sbox {

// All calls of which, for each argument, the low 32 bits under `mask` are `value`.
struct ArgumentBox {
  static constexpr size_t kArguments = 6;
  std::array<uint32_t, kArguments> mask{}, value{};
  bool operator==(const ArgumentBox&) const = default;
};

struct AnsweredBox {
  ArgumentBox box;
  int error = 0;  // an errno; 0: allowed
};

// Boxes that hold each call exactly once. `rules`: of one call; the first that holds decides.
std::vector<AnsweredBox> divide_arguments(const std::vector<ArgumentRule>& rules);

}  // namespace sbox
