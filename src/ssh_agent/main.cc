// sbox-ssh-agent READY SERVER: stands between the programs of a sandbox, which connect to the socket that is descriptor
// 3, and the SSH agent at SERVER. They may ask for the keys and have something signed, and nothing else: an agent also
// takes keys, forgets and locks them, and loads libraries. READY is the number of a descriptor that is written to when
// this serves, and whose other end closes when the sandbox is over.
#include "base/relay_loop.h"
#include "ssh_agent/relay.h"

int main(int count, char** arguments) { return sbox::run_relay<sbox::ssh_agent::Connection>(count, arguments); }
