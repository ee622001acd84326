// Standard input, output and error. None of the caller's descriptors gets inside: a terminal becomes the sandbox's own
// pty, /dev/null its own null, everything else a pipe, and the supervisor relays. So nothing inside can reopen,
// truncate, chmod or read back a host file, push characters into the host's terminal, or use a socket of the host's
// network.
#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include <array>

#include "launcher/step.h"

namespace sbox {

enum class StreamKind { null, pipe, terminal };

struct Stream {
  StreamKind kind = StreamKind::null;
  UniqueFd inside, outside;  // pipe: the two ends; empty in a stream that shares its pipe
  int shares = -1;           // the stream whose pipe is this one's too (2>&1)
  bool is_shared = false;    // the caller's end is a pipe or a socket, which others may have too
};

struct Stdio {
  std::array<Stream, 3> streams;
  bool has_terminal = false;
  termios modes{};  // of the caller's terminal
  winsize size{};

  // The first stream that is a terminal; -1 when there is none.
  int terminal_stream() const;
};

// dup2(2), and whether both numbers are the same file then. False when not.
bool put_at(int source, int fd);

// Looks at 0, 1 and 2 of the calling process and makes the pipes. False with errno set on failure.
bool prepare_stdio(Stdio& stdio);

// Inside, in the process that becomes the session's leader: opens the pty, makes it the controlling terminal, sends its
// master to the supervisor and returns the slave. Empty when no stream is a terminal.
UniqueFd open_terminal(const Step& step, const Stdio& stdio);

// Inside, in the program's process: puts the streams onto 0, 1 and 2.
void connect_stdio(const Step& step, const Stdio& stdio, int slave);

}  // namespace sbox
