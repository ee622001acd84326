// What waits to be read from a terminal: a program may have made the terminal say it, for terminals tell who asks for
// colours, titles and the like as if they were typed.
#pragma once

#include <poll.h>
#include <termios.h>

namespace sbox {

// Forgets what was typed and nobody has read. The kernel holds more than it shows at once, and what is on its way takes
// a moment: as long as something comes it goes on, for a second at most. No time passes where nothing waits.
inline void forget_typed(int terminal) {
  constexpr int kMost = 50, kMomentMs = 20;
  pollfd polled{terminal, POLLIN, 0};
  for (int i = 0; i < kMost && poll(&polled, 1, i == 0 ? 0 : kMomentMs) > 0; ++i) tcflush(terminal, TCIFLUSH);
}

}  // namespace sbox
