// Ends a start that takes too long, with its one line.
#pragma once

namespace sbox {

// From now on this process has 20 seconds until it executes another program or calls cancel_deadline(): then it says
// that the start took too long and exits. Also where it waits for a file system that does not answer, from which
// nothing but its end calls a process back: so it is a thread that watches the clock, and no signal. Once in a process.
// Preconditions: nothing is open but the standard streams and what main() has opened. Throws Error.
void set_deadline();
void cancel_deadline();

}  // namespace sbox
