// Sockets of services outside that a program may talk to.
#pragma once

#include <optional>
#include <string>

#include "plan/draft.h"

namespace sbox {

// The canonical path of a socket of the caller's or root's; nothing where `path` leads to no such one: a service that
// is not there is left out.
std::optional<std::string> service_socket(const Host& host, const std::string& path);

// Where they listen, by the caller's environment or their usual places; there need be no such socket.
std::string print_server(const Host& host);  // a path, or the name of a server on the network
std::string card_socket(const Host& host);
std::string ssh_agent_socket(const Host& host);  // "" where no agent is named
std::string gpg_agent_socket(const Host& host, const Places& places);

// Printers, smart cards, the agents that hold keys.
void plan_agents(const Inputs& in, Draft& draft);

}  // namespace sbox
