// openat2(2), Linux 5.6: the resolution of a name is said with it.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>

#include "base/unique_fd.h"

namespace sbox {

// Resolution that meets no symlink at all, and never leaves the directory.
inline constexpr uint64_t kBeneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
// The same for an absolute path of the tree whose root is the directory.
inline constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

// No descriptor and errno where it fails. `flags` and `mode` as of open(2), O_CLOEXEC goes with them.
inline UniqueFd open_at(int directory, const char* path, int flags, uint64_t resolve, mode_t mode = 0) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = resolve;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, directory, path, &how, sizeof how)));
}

}  // namespace sbox
