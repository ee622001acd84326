#include "profile/network_syntax.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/strings.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr unsigned kLastPort = 65535;

// "tcp" or "udp" off the front; what is left is trimmed.
Protocol take_protocol(std::string_view& text, Protocol otherwise) {
  std::string_view rest = text, word = take_part(rest, ' ');
  if (word != "tcp" && word != "udp") return otherwise;
  text = trim(rest);
  return word == "tcp" ? Protocol::tcp : Protocol::udp;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  std::optional<unsigned long long> number = parse_number(text);
  if (!number || *number == 0 || *number > kLastPort || text[0] == '0') return std::nullopt;
  return static_cast<uint16_t>(*number);
}

std::optional<PortRange> parse_ports(std::string_view text) {
  size_t dash = text.find('-');
  std::optional<uint16_t> first = parse_port(text.substr(0, dash));
  std::optional<uint16_t> last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

// What nobody could take for a number: at least its last label has a letter.
bool is_name(std::string_view text) {
  constexpr size_t kLongest = 253, kLongestLabel = 63;
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.empty() || text.size() > kLongest) return false;
  std::string last;
  for (const std::string& label : split(text, '.')) {
    bool edges = !label.empty() && label.front() != '-' && label.back() != '-';
    if (!edges || label.size() > kLongestLabel || !std::all_of(label.begin(), label.end(), is_name_character)) {
      return false;
    }
    last = label;
  }
  return last.find_first_not_of("0123456789") != std::string::npos;
}

// A host without its ports.
bool parse_host(std::string_view text, Destination& destination) {
  destination.host = text;
  for (char& c : destination.host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (text.empty() || text == "*") {
    destination.host.clear();
    return true;
  }
  if (text == "lan" || text == "localhost") {
    destination.kind = text == "lan" ? Destination::Kind::lan : Destination::Kind::localhost;
    return true;
  }
  size_t slash = text.find('/');
  if (std::optional<unsigned> bits = address_bits(text.substr(0, slash))) {
    destination.kind = Destination::Kind::net;
    destination.host = text.substr(0, slash);
    destination.length = *bits;
    if (slash == std::string_view::npos) return true;
    std::optional<unsigned long long> length = parse_number(text.substr(slash + 1));
    destination.length = static_cast<unsigned>(length.value_or(0));
    return length && *length <= *bits;
  }
  destination.kind = Destination::Kind::name;
  return is_name(destination.host);
}

// Where the host ends and the ports begin; the end of `text` where there are none.
size_t end_of_host(std::string_view text) {
  if (text.starts_with('[')) return std::min(text.find(']'), text.size());
  bool is_six = std::count(text.begin(), text.end(), ':') > 1;
  return is_six ? text.size() : std::min(text.find(':'), text.size());
}

}  // namespace

std::optional<unsigned> address_bits(std::string_view text) {
  std::string copy(text);
  in6_addr bytes{};
  if (inet_pton(AF_INET, copy.c_str(), &bytes) == 1) return 32;
  if (inet_pton(AF_INET6, copy.c_str(), &bytes) == 1) return 128;
  return std::nullopt;
}

std::optional<Destination> parse_destination(std::string_view text, std::string& why) {
  Destination destination;
  destination.protocol = take_protocol(text, Protocol::any);
  size_t end = end_of_host(text);
  std::string_view host = text.substr(0, end), ports = text.substr(end);
  if (host.starts_with('[')) {
    host.remove_prefix(1);
    if (!ports.starts_with(']')) why = "has no ] after the address";
    if (ports.starts_with(']')) ports.remove_prefix(1);
    if (host.find(':') == std::string_view::npos) why = "has no IPv6 address between [ and ]";
  }
  if (why.empty() && !parse_host(host, destination)) why = "is neither an address, nor a network, nor a name";
  if (why.empty() && !ports.empty()) {
    std::optional<PortRange> range = ports.starts_with(':') ? parse_ports(ports.substr(1)) : std::nullopt;
    if (!range) why = "has no ports from 1 to 65535 after the :";
    destination.ports = range.value_or(PortRange());
  }
  if (!why.empty()) return std::nullopt;
  return destination;
}

std::optional<Listening> parse_listening(std::string_view text, std::string& why) {
  Listening listening;
  listening.protocol = take_protocol(text, Protocol::tcp);
  std::optional<PortRange> ports = parse_ports(text);
  if (!ports) {
    why = "is no port from 1 to 65535";
    return std::nullopt;
  }
  listening.ports = *ports;
  return listening;
}

std::optional<Forwarding> parse_forwarding(std::string_view text, std::string& why) {
  Forwarding forwarding;
  forwarding.protocol = take_protocol(text, Protocol::tcp);
  size_t colon = text.find(':');
  std::optional<uint16_t> host_port = parse_port(text.substr(0, colon));
  std::optional<uint16_t> port = colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!port || !host_port) {
    why = "is not HOSTPORT:PORT, with ports from 1 to 65535";
    return std::nullopt;
  }
  return Forwarding{forwarding.protocol, *host_port, *port};
}

std::optional<Proxy> parse_proxy(std::string_view text, std::string& why) {
  size_t colon = text.find("://");
  std::string scheme(text.substr(0, colon));
  std::optional<Destination> found;
  if (colon == std::string_view::npos || (scheme != "socks5" && scheme != "http")) {
    why = "does not begin with socks5:// or http://";
  } else {
    found = parse_destination(text.substr(colon + 3), why);
  }
  if (!found) return std::nullopt;
  using Kind = Destination::Kind;
  bool is_host = found->kind == Kind::localhost || (found->kind == Kind::name && !found->host.starts_with('*')) ||
                 (found->kind == Kind::net && found->length == address_bits(found->host));
  if (!is_host || found->protocol != Protocol::any || found->ports.first != found->ports.last) {
    why = "is not a host and its port";
    return std::nullopt;
  }
  found->protocol = Protocol::tcp;
  return Proxy{scheme, *found};
}

namespace {

// With less than the first, single packets (64 KB) would take many seconds; more than the second is no limit.
constexpr uint64_t kLeastRate = 16ULL << 10, kMostRate = 10ULL << 30;

// "SIZE down" or "SIZE up" into that of the two.
void take_rate(std::string_view part, Rates& rates, std::string& why) {
  std::string_view direction = part, size = take_part(direction, ' ');
  direction = trim(direction);
  std::optional<uint64_t> rate = parse_size(size);
  if (!rate || (direction != "down" && direction != "up")) {
    why = "is not SIZE down, SIZE up, or both with a comma between";
    return;
  }
  uint64_t& wanted = direction == "down" ? rates.down : rates.up;
  if (wanted != 0) why = "says " + std::string(direction) + " twice";
  if (*rate < kLeastRate) why = "is less than 16K in a second, with which no program gets on";
  if (*rate > kMostRate) why = "is more than 10G in a second, which no network here carries";
  wanted = *rate;
}

}  // namespace

std::optional<Rates> parse_bandwidth(std::string_view text, std::string& why) {
  Rates rates;
  for (const std::string& part : split(text, ',')) {
    if (why.empty()) take_rate(trim(part), rates, why);
  }
  if (!why.empty()) return std::nullopt;
  return rates;
}

namespace {

// Whether the first bits of the two are the same.
bool is_within(const std::string& address, const std::string& net, unsigned length) {
  if (address_bits(address) != address_bits(net)) return false;
  int family = address_bits(net) == 32U ? AF_INET : AF_INET6;
  std::array<uint8_t, 16> a{}, b{};
  inet_pton(family, address.c_str(), a.data());
  inet_pton(family, net.c_str(), b.data());
  for (unsigned bit = 0; bit < length; ++bit) {
    if ((a[bit / 8] ^ b[bit / 8]) & 0x80 >> bit % 8) return false;
  }
  return true;
}

bool is_in_lan(const Destination& asked) {
  return std::any_of(std::begin(kPrivateNetworks), std::end(kPrivateNetworks), [&](std::string_view net) {
    size_t slash = net.find('/');
    auto length = static_cast<unsigned>(parse_number(net.substr(slash + 1)).value_or(0));
    return asked.length >= length && is_within(asked.host, std::string(net.substr(0, slash)), length);
  });
}

bool covers_place(const Destination& rule, const Destination& asked) {
  using Kind = Destination::Kind;
  if (rule.kind == Kind::any) return asked.kind != Kind::localhost;
  if (rule.kind == Kind::lan) return asked.kind == Kind::lan || (asked.kind == Kind::net && is_in_lan(asked));
  if (rule.kind != asked.kind) return false;
  if (rule.kind == Kind::name) return matches_host(rule.host, asked.host);
  return rule.kind != Kind::net || (asked.length >= rule.length && is_within(asked.host, rule.host, rule.length));
}

}  // namespace

bool covers(const Destination& rule, const Destination& asked) {
  bool protocol = rule.protocol == Protocol::any || rule.protocol == asked.protocol;
  bool ports = rule.ports.first <= asked.ports.first && rule.ports.last >= asked.ports.last;
  return protocol && ports && covers_place(rule, asked);
}

bool touches(const Destination& rule, const Destination& asked) {
  bool protocol = rule.protocol == Protocol::any || asked.protocol == Protocol::any || rule.protocol == asked.protocol;
  bool ports = rule.ports.first <= asked.ports.last && rule.ports.last >= asked.ports.first;
  return protocol && ports && (covers_place(rule, asked) || covers_place(asked, rule));
}

bool is_never_reached(const Destination& asked) {
  return std::any_of(std::begin(kNeverReached), std::end(kNeverReached), [&](const char* net) {
    std::string why;
    std::optional<Destination> never = parse_destination(net, why);
    return never && covers(*never, asked);
  });
}

}  // namespace sbox
