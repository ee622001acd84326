// Where a packet was to go, from its first bytes. Pure; takes any bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "network/rules.h"

namespace sbox::network {

struct Attempt {
  Address address;
  uint8_t protocol = 0;  // IPPROTO_*
  uint16_t port = 0;     // of TCP and UDP
};

// Nothing for what is no packet of IP, and for what the kernel sends by itself (groups that it tells routers of).
std::optional<Attempt> parse_packet(std::string_view packet);

std::string address_text(const Address& address);
std::string protocol_text(uint8_t protocol);  // "tcp", "udp", "icmp", else its number

}  // namespace sbox::network
