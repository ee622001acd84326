#include "network/packets.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace sbox::network {
namespace {

std::string packet4(uint8_t protocol, const std::string& behind, uint8_t words = 5) {
  std::string packet(size_t{4} * words, '\0');
  packet[0] = static_cast<char>(0x40 | words);
  packet[9] = static_cast<char>(protocol);
  packet.replace(16, 4, "\xc0\x00\x02\x07", 4);
  return packet + behind;
}

std::string packet6(uint8_t protocol, const std::string& behind) {
  std::string packet(40, '\0');
  packet[0] = 0x60;
  packet[6] = static_cast<char>(protocol);
  packet.replace(24, 4, "\x20\x01\x0d\xb8", 4);
  packet[39] = 7;
  return packet + behind;
}

const std::string kPorts("\x9c\x40\x01\xbb", 4);

TEST(Packets, SayWhereTheyWereToGo) {
  std::optional<Attempt> four = parse_packet(packet4(IPPROTO_TCP, kPorts)),
                         six = parse_packet(packet6(IPPROTO_UDP, kPorts));
  ASSERT_TRUE(four && six);
  EXPECT_EQ(address_text(four->address), "192.0.2.7");
  EXPECT_EQ(protocol_text(four->protocol) + std::to_string(four->port), "tcp443");
  EXPECT_EQ(address_text(six->address), "2001:db8::7");
  EXPECT_EQ(protocol_text(six->protocol) + std::to_string(six->port), "udp443");
}

TEST(Packets, MayHaveOptions) {
  std::optional<Attempt> attempt = parse_packet(packet4(IPPROTO_TCP, kPorts, 8));
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->port, 443);
}

TEST(Packets, OfOtherProtocolsHaveNoPort) {
  EXPECT_EQ(parse_packet(packet4(IPPROTO_ICMP, kPorts))->port, 0);
  EXPECT_EQ(protocol_text(parse_packet(packet4(IPPROTO_SCTP, kPorts))->protocol), "132");
}

TEST(Packets, ThatTheKernelSendsByItselfAreNone) {
  EXPECT_FALSE(parse_packet(packet4(IPPROTO_IGMP, "")));
  EXPECT_FALSE(parse_packet(packet6(IPPROTO_HOPOPTS, std::string(8, '\0'))));
  EXPECT_FALSE(parse_packet(packet6(IPPROTO_ICMPV6, "\x8f")));
  EXPECT_TRUE(parse_packet(packet6(IPPROTO_ICMPV6, "\x80")));
}

TEST(Packets, ThatAreCutOffAreNoneOrHaveNoPort) {
  for (const std::string& whole : {packet4(IPPROTO_TCP, kPorts), packet6(IPPROTO_TCP, kPorts)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      std::optional<Attempt> attempt = parse_packet(whole.substr(0, size));
      EXPECT_EQ(attempt.has_value(), size >= whole.size() - 4) << size;
      EXPECT_EQ(attempt ? attempt->port : 0, 0);
    }
  }
  EXPECT_FALSE(parse_packet("\x41" + packet4(IPPROTO_TCP, kPorts).substr(1)));
  EXPECT_FALSE(parse_packet(std::string(100, '\x50')));
}

}  // namespace
}  // namespace sbox::network
