// The network of a sandbox. See profile/network_syntax.h for what profiles say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/draft.h"
#include "profile/network_syntax.h"

namespace sbox {

// Error for what refuses the start on any host.
void check_network(const Profile& profile);
void check_private_network(const Profile& profile);

// A private network: sbox-network and pasta beside the sandbox.
void plan_private_network(const Inputs& in, Draft& draft, const Value& mode);

// The rules for sbox-network, as src/network/rules.h reads them. `own`: the addresses of the sandbox; `resolver`: what
// it finds the host's resolv.conf at, or "" where the profile names servers or there is no such file.
std::string network_rules(const Profile& profile, const std::vector<std::string>& own, const std::string& resolver);

// The ports that Landlock holds on the host's network. Error for what it cannot hold here.
void limit_ports(const Inputs& in, Landlock& landlock);

// The elements of a list, which were checked when they were read.
std::vector<Destination> destinations(const Profile& profile, Key key);

// The proxy through which everything goes, where there is one.
std::optional<Proxy> proxy_of(const Profile& profile);

}  // namespace sbox
