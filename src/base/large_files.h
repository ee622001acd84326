// Writing beyond the caller's limit of file sizes.
#pragma once

#include <csignal>

namespace sbox {

// From now on write(2) and the like fail with EFBIG there, instead of a signal that ends this process without a word.
// By a handler, so that what it executes has the default again; where the caller ignores the signal, nothing changes.
inline void survive_large_files() {
  struct sigaction action {};
  if (sigaction(SIGXFSZ, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  sigaction(SIGXFSZ, &action, nullptr);
}

}  // namespace sbox
