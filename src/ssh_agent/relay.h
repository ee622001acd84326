// One client of the SSH agent: its requests are passed on one after the other, where a sandboxed program may make them.
#pragma once

#include <poll.h>

#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace sbox::ssh_agent {

// `request`: without the length in front.
bool may_ask(std::string_view request);

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
  bool take_requests();

  UniqueFd client_, server_;
  std::string from_client_, from_server_;  // what is not yet a whole message, or waits for its turn
  std::string to_client_, to_server_;
  bool is_asking_ = false;  // the agent owes an answer
};

}  // namespace sbox::ssh_agent
