// A short name for a text (FNV-1a, 64 bits): not against an adversary, whoever uses it compares the text too.
#pragma once

#include <cstdint>
#include <string_view>

namespace sbox {

inline constexpr uint64_t kDigestStart = 0xcbf29ce484222325;

constexpr uint64_t digest_add(uint64_t digest, std::string_view bytes) {
  for (char byte : bytes) digest = (digest ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return digest;
}

}  // namespace sbox
