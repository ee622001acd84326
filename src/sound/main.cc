// sbox-sound READY SERVER: stands between the programs of a sandbox, which connect to the socket that is descriptor 3,
// and the sound server at SERVER. They may play but not record, nor give the server orders. READY is the number of a
// descriptor that is written to when this serves, and whose other end closes when the sandbox is over.
#include "base/relay_loop.h"
#include "sound/relay.h"

int main(int count, char** arguments) { return sbox::run_relay<sbox::sound::Connection>(count, arguments); }
