#include "network/packets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace sbox::network {
namespace {

uint8_t byte_at(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

bool has_ports(uint8_t protocol) { return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP; }

// `behind`: what follows the header.
std::optional<Attempt> parse_rest(Attempt attempt, std::string_view behind) {
  constexpr uint8_t kEchoRequest6 = 128;
  if (attempt.protocol == IPPROTO_IGMP) return std::nullopt;
  if (attempt.protocol == IPPROTO_ICMPV6 && (behind.empty() || byte_at(behind, 0) != kEchoRequest6))
    return std::nullopt;
  if (has_ports(attempt.protocol) && behind.size() >= 4) {
    attempt.port = static_cast<uint16_t>(byte_at(behind, 2) << 8 | byte_at(behind, 3));
  }
  return attempt;
}

}  // namespace

std::optional<Attempt> parse_packet(std::string_view packet) {
  constexpr size_t kHeader4 = 20, kHeader6 = 40, kDestination4 = 16, kDestination6 = 24, kProtocol4 = 9, kNext6 = 6;
  if (packet.empty()) return std::nullopt;
  Attempt attempt;
  unsigned version = byte_at(packet, 0) >> 4;
  attempt.address.is_six = version == 6;
  size_t header = version == 6 ? kHeader6 : size_t{4} * (byte_at(packet, 0) & 0x0f);
  bool is_ip = (version == 4 && header >= kHeader4) || version == 6;
  if (!is_ip || packet.size() < header) return std::nullopt;
  attempt.protocol = byte_at(packet, version == 6 ? kNext6 : kProtocol4);
  size_t destination = version == 6 ? kDestination6 : kDestination4;
  std::copy_n(packet.begin() + static_cast<ptrdiff_t>(destination), attempt.address.size(),
              attempt.address.bytes.begin());
  // Groups are told of behind a header of options.
  if (version == 6 && attempt.protocol == IPPROTO_HOPOPTS) return std::nullopt;
  return parse_rest(attempt, packet.substr(header));
}

std::string address_text(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(address.is_six ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string protocol_text(uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return "icmp";
    default:
      return std::to_string(protocol);
  }
}

}  // namespace sbox::network
