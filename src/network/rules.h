// What sbox-network enforces, as the planner wrote it: one word line for each fact, in the order in which they decide.
//   deny WHERE PROTOCOL PORTS      WHERE: any, ADDRESS/LENGTH, or @N (what the names of set N have led to)
//   allow WHERE PROTOCOL PORTS     PROTOCOL: any, tcp, udp. PORTS: any, or FIRST-LAST with tcp or udp
//   listen PROTOCOL PORTS          may be reached from outside
//   own ADDRESS                    the sandbox's: nothing is known of connections from another
//   name N NAME                    NAME or *.NAME is of set N
//   names all|listed               which names are looked up
//   upstream ADDRESS               a server to ask
//   resolver FILE                  a file like resolv.conf, which names them
//   log all                        what is refused is told
//   limit down|up NUMBER           no more bytes in a second
//   end                            nothing follows: a text without it is not whole
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sbox::network {

struct Address {
  bool is_six = false;
  std::array<uint8_t, 16> bytes{};  // the first 4 of them for IPv4

  size_t size() const { return is_six ? 16 : 4; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), size()}; }
  bool operator==(const Address&) const = default;
};

bool parse_address(std::string_view text, Address& address);

struct Rule {
  enum class Where : uint8_t { any, net, names };
  bool allow = false;
  Where where = Where::any;
  Address net;
  unsigned length = 0;   // of the prefix, in bits
  unsigned set = 0;      // for names
  uint8_t protocol = 0;  // IPPROTO_TCP, IPPROTO_UDP; 0: any
  uint16_t first = 0, last = 65535;
  bool has_ports() const { return first != 0 || last != 65535; }
};

struct Name {
  unsigned set = 0;
  std::string text;  // lower case; "*.x" stands for all below x
};

// Bytes in a second; 0: no limit.
struct Limits {
  uint64_t down = 0, up = 0;
  bool any() const { return down != 0 || up != 0; }
};

struct Rules {
  std::vector<Rule> outward, inward;
  std::vector<Name> names;
  bool all_names = true;
  std::vector<Address> own, upstreams;
  std::string resolver;
  bool log = false;
  Limits limits;

  unsigned sets() const;  // how many there are
};

// False when a line is not as above.
bool parse_rules(std::string_view text, Rules& rules);

}  // namespace sbox::network
