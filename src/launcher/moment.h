// Moments of CLOCK_MONOTONIC, in nanoseconds, and how long it is until they come.
#pragma once

#include <algorithm>
#include <climits>
#include <cstdint>
#include <ctime>
#include <optional>

namespace sbox {

inline constexpr int64_t kSecond = 1'000'000'000, kMillisecond = 1'000'000;

inline int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

inline bool has_come(const std::optional<int64_t>& moment) { return moment && now_ns() >= *moment; }

// For poll(2).
inline int milliseconds_until(int64_t moment) {
  return static_cast<int>(std::clamp<int64_t>((moment - now_ns()) / kMillisecond + 1, 0, INT_MAX));
}

}  // namespace sbox
