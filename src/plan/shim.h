// The scripts that `sbox enable --shims` puts in front of programs on PATH. A search of PATH passes over them: who says
// `sbox firefox` means what is behind.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plan/host.h"

namespace sbox {

inline constexpr std::string_view kShimHead = "#!/bin/sh\n# Made by `sbox enable`.\n";
inline constexpr size_t kLongestShim = 8192;

inline bool is_shim(const Host& host, const std::string& path) {
  std::optional<std::string> text = host.read(path, kLongestShim);
  return text && text->starts_with(kShimHead);
}

}  // namespace sbox
