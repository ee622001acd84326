// Sockets of services outside that a program may talk to.
#pragma once

#include <optional>
#include <string>

#include "plan/draft.h"

namespace sbox {

// The canonical path of a socket of the caller's or root's; nothing where `path` leads to no such one: a service that
// is not there is left out.
std::optional<std::string> service_socket(const Inputs& in, const std::string& path);

// Printers, smart cards, the agents that hold keys.
void plan_agents(const Inputs& in, Draft& draft);

}  // namespace sbox
