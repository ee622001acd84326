// One client of the sound server: what each side says goes to the other, as far as the gate lets it.
#pragma once

#include <poll.h>

#include <string>

#include "base/unique_fd.h"
#include "sound/protocol.h"

namespace sbox::sound {

class Connection {
 public:
  Connection(UniqueFd client, UniqueFd server) : client_(std::move(client)), server_(std::move(server)) {}

  // What to wait for on each side.
  pollfd wait_for_client() const;
  pollfd wait_for_server() const;
  // What has come. False when the connection is over.
  bool go_on(short client_events, short server_events);

 private:
  bool take_from_client();
  bool take_from_server();

  UniqueFd client_, server_;
  std::string from_client_, from_server_;  // what is not yet a whole packet
  std::string to_client_, to_server_;
  Gate gate_;
};

}  // namespace sbox::sound
