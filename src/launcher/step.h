// How set-up fails: every module gets a Step, says what it is about to do, and ends the process through it when a call
// does not do what it must. Nothing is ever skipped or tried in a weaker form.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/unique_fd.h"

namespace sbox {

// What the child tells the supervisor, one packet each, on a SOCK_SEQPACKET socket. Who joins is told so by what may be
// another version of sbox: the value of each stays what it is, and what is new comes last.
enum class MessageKind : uint8_t {
  failed = 1,  // text: "STEP: DETAIL: REASON"; value: exit status
  helper,      // descriptor: what helper number `value` serves through
  terminal,    // descriptor: the master of the sandbox's pty
  door,        // descriptor: the way to the socket on which process 1 answers those who join
  listener,    // descriptor: of the filter, which tells of denied calls
  follow,      // descriptor: a generated file to keep up to date, for node number `value`
  started,     // the program is executed next: signals are for it from here on
  stopped,     // the program was stopped by a signal
  ended,       // value: exit status
  timing,      // text: step, value: nanoseconds since the last
  tree,        // descriptor: the root of the sandbox's tree, where the plan has guarded nodes
  mounts,      // descriptor: the sandbox's mount namespace, likewise
};
// What the supervisor tells the child; likewise.
enum class CommandKind : uint8_t {
  go = 1,        // the helpers serve: the program may start
  signal,        // value: to the program
  signal_group,  // value: to the program's process group, as a terminal would
};

// What a packet is: one of these two, or of those of a guest (guest.h), whose values follow.
template <typename T>
concept Kind = std::is_enum_v<T> && std::same_as<std::underlying_type_t<T>, uint8_t>;

struct Message {
  uint8_t kind = 0;
  int64_t value = 0;
  std::string text;
  UniqueFd fd;

  bool is(Kind auto asked) const { return kind == static_cast<uint8_t>(asked); }
};

// False with errno set when it could not be sent whole.
bool send_message(int socket, uint8_t kind, int64_t value, std::string_view text = {}, int fd = -1);
inline bool send_message(int socket, Kind auto kind, int64_t value, std::string_view text = {}, int fd = -1) {
  return send_message(socket, static_cast<uint8_t>(kind), value, text, fd);
}
// False at the end of the stream or on error (errno 0 at the end).
bool receive_message(int socket, Message& message, int flags = 0);

class Step;
// A small file of /proc; ends the process through `step` when it cannot be read whole.
std::string read_small(const Step& step, const char* path);

class Step {
 public:
  // socket: to the supervisor; -1: this is the supervisor, failures go to standard error. With `timed` the duration of
  // each step is sent when the next begins.
  Step(int socket, bool timed) : socket_(socket), timed_(timed) {}

  void begin(const char* name);
  [[noreturn]] void fail(std::string_view detail, int errnum, int status = 125) const;
  // Ends the process with errno's reason unless `ok`. `which` is added to `detail`.
  void require(bool ok, std::string_view detail, std::string_view which = {}) const {
    if (!ok) fail_with_errno(detail, which);
  }
  int socket() const { return socket_; }

 private:
  [[noreturn]] void fail_with_errno(std::string_view detail, std::string_view which) const;

  int socket_;
  bool timed_;
  const char* name_ = "set-up";
  int64_t began_ = 0;
};

const char* reason(int errnum);  // the kernel's words for an errno, never translated; static

}  // namespace sbox
