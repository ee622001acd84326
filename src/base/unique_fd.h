// A file descriptor that closes itself. Owns at most one descriptor; -1 means none. Move-only.
#pragma once

#include <unistd.h>

#include <cerrno>

#include <utility>

namespace sbox {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  explicit operator bool() const { return ok(); }

  // The caller owns the result.
  int release() { return std::exchange(fd_, -1); }
  // Closes what is held and takes `fd` over. Keeps errno.
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

inline void UniqueFd::reset(int fd) {
  int old = std::exchange(fd_, fd);
  if (old >= 0) {
    int saved = errno;
    close(old);
    errno = saved;
  }
}

}  // namespace sbox
