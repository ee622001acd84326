// As std::ranges::contains of C++23.
#pragma once

#include <algorithm>

namespace sbox {

template <typename Range, typename Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

}  // namespace sbox
