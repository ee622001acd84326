// How the network is named in a profile. Pure; nothing is looked up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sbox {

enum class Protocol { any, tcp, udp };

struct PortRange {
  uint16_t first = 1, last = 65535;

  bool is_all() const { return first == 1 && last == 65535; }
  bool contains(uint16_t port) const { return port >= first && port <= last; }
  bool operator==(const PortRange&) const = default;
};

// An element of network.connect or network.deny: "[tcp|udp] [HOST][:PORTS]".
struct Destination {
  enum class Kind {
    any,
    net,        // `host` is an address, `length` the bits of it that count
    name,       // `host` is a name in lower case, "*.x" all names below x
    lan,        // the private networks
    localhost,  // the loopback of the machine that sbox runs on
  };
  Protocol protocol = Protocol::any;
  Kind kind = Kind::any;
  std::string host;
  unsigned length = 0;
  PortRange ports;
};
// Nothing with the reason in `why` when `text` is none.
std::optional<Destination> parse_destination(std::string_view text, std::string& why);

// An element of network.listen: "[tcp|udp] PORTS"; tcp where nothing is said.
struct Listening {
  Protocol protocol = Protocol::tcp;
  PortRange ports;
};
std::optional<Listening> parse_listening(std::string_view text, std::string& why);

// An element of network.forward: "[tcp|udp] [ADDRESS:]HOSTPORT:PORT".
struct Forwarding {
  Protocol protocol = Protocol::tcp;
  std::string address;  // of the host; "" for its loopback
  uint16_t host_port = 0, port = 0;
};
std::optional<Forwarding> parse_forwarding(std::string_view text, std::string& why);

// Whether `text` is an address of IPv4 or IPv6, and the number of its bits.
std::optional<unsigned> address_bits(std::string_view text);

}  // namespace sbox
