// The umask, changed for sure.
#pragma once

#include <sys/stat.h>

namespace sbox {

// umask(2) has no way to fail, so it is asked twice: false when `mask` is not in force. Keeps the one before in
// `before`.
inline bool set_umask(mode_t mask, mode_t& before) {
  before = umask(mask);
  return umask(mask) == mask;
}

}  // namespace sbox
