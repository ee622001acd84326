// What a relay takes from a socket.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <string>

namespace sbox {

// Reads once and adds it to `buffer`; does not wait; descriptors that come along are not taken. False at the end.
inline bool receive(int fd, std::string& buffer) {
  constexpr size_t kPart = 64 << 10;
  size_t before = buffer.size();
  buffer.resize(before + kPart);
  ssize_t size = recv(fd, buffer.data() + before, kPart, MSG_DONTWAIT);
  bool is_over = size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
  buffer.resize(before + (size > 0 ? static_cast<size_t>(size) : 0));
  return !is_over;
}

}  // namespace sbox
