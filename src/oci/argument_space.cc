#include "oci/argument_space.h"

#include <utility>

namespace sbox {
namespace {

using Boxes = std::vector<ArgumentBox>;

// The boxes of `calls` inside a condition and outside of it.
struct Parts {
  Boxes inside, outside;
};

// By one bit after the other: what differs in a bit is outside, and the rest has that bit as the value wants it.
void split_by_value(ArgumentBox box, unsigned argument, uint32_t mask, uint32_t value, Parts& parts) {
  uint32_t& fixed = box.mask[argument];
  uint32_t& bits = box.value[argument];
  if (((bits ^ value) & fixed & mask) != 0) {
    parts.outside.push_back(box);
    return;
  }
  for (uint32_t bit = 1U << 31; bit != 0; bit >>= 1) {
    if ((mask & ~fixed & bit) == 0) continue;
    fixed |= bit;
    bits |= ~value & bit;
    parts.outside.push_back(box);
    bits ^= bit;
  }
  parts.inside.push_back(box);
}

Parts split_by_test(Boxes boxes, const ArgumentTest& test) {
  Parts parts{{}, std::move(boxes)};
  for (uint32_t value : test.values) {
    for (const ArgumentBox& box : std::exchange(parts.outside, {})) {
      split_by_value(box, test.argument, test.mask, value, parts);
    }
  }
  if (!test.one_of) std::swap(parts.inside, parts.outside);
  return parts;
}

Parts split_by_rule(Boxes boxes, const ArgumentRule& rule) {
  Parts whole{std::move(boxes), {}};
  for (const ArgumentTest& test : rule.tests) {
    Parts parts = split_by_test(std::move(whole.inside), test);
    whole.inside = std::move(parts.inside);
    whole.outside.insert(whole.outside.end(), parts.outside.begin(), parts.outside.end());
  }
  return whole;
}

}  // namespace

std::vector<AnsweredBox> divide_arguments(const std::vector<ArgumentRule>& rules) {
  std::vector<AnsweredBox> answered;
  Boxes rest{ArgumentBox()};
  for (const ArgumentRule& rule : rules) {
    Parts parts = split_by_rule(std::move(rest), rule);
    for (const ArgumentBox& box : parts.inside) answered.push_back({box, rule.error});
    rest = std::move(parts.outside);
  }
  for (const ArgumentBox& box : rest) answered.push_back({box, 0});
  return answered;
}

}  // namespace sbox
