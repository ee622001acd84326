// Writing the whole of something into a file.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace sbox {

// False with errno set where not all of `bytes` could be written. Not for files of the kernel, which take a value by
// one write(2).
inline bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t size = write(file, bytes.data(), bytes.size());
    if (size == 0) errno = ENOSPC;
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

}  // namespace sbox
