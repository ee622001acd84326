// Opening what policy is read from: a file or directory that nobody but root and the caller can write. Everything else
// is an Error at `shown`, the path that messages name; only what is not there is no error.
#pragma once

#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace sbox {

// Policy files are at most this long.
inline constexpr size_t kLargestProfile = 256 * 1024;

// Trusted: owned by root or the real user (root, where that is the real user), not writable by group or others; a
// directory may be when it is root's and sticky. A symlink is followed when it, the directory of the file it leads to,
// and that file are trusted; magic links of /proc never are. Devices, pipes and sockets are refused unread.
//
// `directory` is a descriptor that stays the caller's, or AT_FDCWD; `name` is below it.
std::optional<std::string> read_trusted_file(int directory, const std::string& name, const std::string& shown);

// Readable, close-on-exec.
std::optional<UniqueFd> open_trusted_directory(int directory, const std::string& name, const std::string& shown);

}  // namespace sbox
