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

// An element of network.forward: "[tcp|udp] HOSTPORT:PORT"; tcp where nothing is said.
struct Forwarding {
  Protocol protocol = Protocol::tcp;
  uint16_t host_port = 0, port = 0;
};
std::optional<Forwarding> parse_forwarding(std::string_view text, std::string& why);

// network.proxy: "socks5://HOST:PORT" or "http://HOST:PORT".
struct Proxy {
  std::string scheme;       // "socks5" or "http"
  Destination destination;  // tcp, one port; a name, an address or localhost
};
std::optional<Proxy> parse_proxy(std::string_view text, std::string& why);

// network.bandwidth: "SIZE down", "SIZE up", or both with a comma between; bytes in a second, 0 for what has no limit.
struct Rates {
  uint64_t down = 0, up = 0;
};
std::optional<Rates> parse_bandwidth(std::string_view text, std::string& why);

// Whether all that `asked` stands for is meant by `rule` too, and whether anything of it is. A name is not looked up:
// it has no address.
bool covers(const Destination& rule, const Destination& asked);
bool touches(const Destination& rule, const Destination& asked);

// Networks in which nothing of the internet is: `lan`.
inline constexpr const char* kPrivateNetworks[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                                   "fc00::/7"};

// To which no private network leads, whatever a profile says: this machine and its link, and many at once.
inline constexpr const char* kNeverReached[] = {"0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",
                                                "240.0.0.0/4", "::/8",        "fe80::/10",      "ff00::/8"};
// Whether all that `asked` stands for is there. No name is.
bool is_never_reached(const Destination& asked);

// Whether `text` is an address of IPv4 or IPv6, and the number of its bits.
std::optional<unsigned> address_bits(std::string_view text);

}  // namespace sbox
