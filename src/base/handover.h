// Descriptors that the front end leaves to the launcher, which replaces it.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <string_view>

namespace sbox {

inline constexpr int kPlanDescriptor = 3;    // the sealed plan
inline constexpr int kErrorsDescriptor = 4;  // with --notify: a socket that takes the line of a failure too
inline constexpr int kClaimDescriptor = 5;  // where the plan is listed: the file whose lock says which instance this is
                                            // (instance/registry.h); closing it would let go of the name
inline constexpr int kLockDescriptor = 6;   // with an overlay: a file whose lock says that it is in use
inline constexpr int kLogDescriptor = 7;    // where the plan has a log: the file, open for writing
inline constexpr int kLastDescriptor = kLogDescriptor;

// What both say where the kernel lets a user have no further process (EAGAIN).
inline constexpr char kTooManyProcesses[] = "more processes than `ulimit -u` or a limit of the session allows";

// Says the one line where it is shown, and waits until that is done, but no longer than `longest`: who is killed with
// the failing process would show nothing.
inline void say_and_wait(int errors, std::string_view line, timeval longest = {5, 0}) {
  char byte = 0;
  setsockopt(errors, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  (void)!send(errors, line.data(), line.size(), MSG_NOSIGNAL);
  shutdown(errors, SHUT_WR);
  while (recv(errors, &byte, 1, 0) < 0 && errno == EINTR) continue;
}

}  // namespace sbox
