#include "profile/network_syntax.h"

#include <gtest/gtest.h>

namespace sbox {
namespace {

// "KIND PROTOCOL HOST/LENGTH FIRST-LAST", or why not.
std::string destination(const std::string& text) {
  std::string why;
  std::optional<Destination> found = parse_destination(text, why);
  if (!found) return "no: " + why;
  constexpr const char* kKinds[] = {"any", "net", "name", "lan", "localhost"};
  constexpr const char* kProtocols[] = {"any", "tcp", "udp"};
  return std::string(kKinds[static_cast<int>(found->kind)]) + " " + kProtocols[static_cast<int>(found->protocol)] +
         " " + found->host + "/" + std::to_string(found->length) + " " + std::to_string(found->ports.first) + "-" +
         std::to_string(found->ports.last);
}

TEST(Destinations, AreHostsNetworksPortsAndProtocols) {
  EXPECT_EQ(destination("example.org"), "name any example.org/0 1-65535");
  EXPECT_EQ(destination("WWW.Example.org:443"), "name any www.example.org/0 443-443");
  EXPECT_EQ(destination("tcp *.example.org:80-443"), "name tcp *.example.org/0 80-443");
  EXPECT_EQ(destination("nas"), "name any nas/0 1-65535");
  EXPECT_EQ(destination("192.0.2.7"), "net any 192.0.2.7/32 1-65535");
  EXPECT_EQ(destination("udp 192.0.2.0/24:53"), "net udp 192.0.2.0/24 53-53");
  EXPECT_EQ(destination("2001:db8::1"), "net any 2001:db8::1/128 1-65535");
  EXPECT_EQ(destination("2001:db8::/32"), "net any 2001:db8::/32 1-65535");
  EXPECT_EQ(destination("[2001:db8::/32]:443"), "net any 2001:db8::/32 443-443");
  EXPECT_EQ(destination(":443"), "any any /0 443-443");
  EXPECT_EQ(destination("*:443"), "any any /0 443-443");
  EXPECT_EQ(destination("tcp"), "any tcp /0 1-65535");
  EXPECT_EQ(destination("udp :53"), "any udp /0 53-53");
  EXPECT_EQ(destination("lan"), "lan any lan/0 1-65535");
  EXPECT_EQ(destination("localhost:5432"), "localhost any localhost/0 5432-5432");
}

TEST(Destinations, AreNothingElse) {
  for (const char* text :
       {"exa mple.org",       "icmp example.org", "example.org:",   "example.org:0", "example.org:65536",
        "example.org:80-79",  "example.org:http", "192.0.2.256",    "192.0.2",       "192.0.2.0/33",
        "192.0.2.0/",         "192.0.2.0/x",      "2001:db8::1::2", "[2001:db8::1",  "[2001:db8::1]443",
        "[192.0.2.1]:80",     "-a.org",           "a..org",         ".org",          "example.org/24",
        "http://example.org", "*.*.org",          "example.*",      "[]:80",         "example.org:080"}) {
    EXPECT_TRUE(destination(text).starts_with("no: ")) << text << ": " << destination(text);
  }
}

TEST(Forwardings, ArePortsWithAnAddressInFrontPerhaps) {
  std::string why;
  std::optional<Forwarding> found = parse_forwarding("8080:80", why);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->address.empty() && found->host_port == 8080 && found->port == 80);
  EXPECT_EQ(found->protocol, Protocol::tcp);
  EXPECT_EQ(parse_forwarding("udp 0.0.0.0:5353:53", why)->address, "0.0.0.0");
  EXPECT_EQ(parse_forwarding("[::1]:5353:53", why)->address, "::1");
  for (const char* text : {"8080", "8080:", ":80", "a:8080:80", "0:80", "8080:80:", "tcp", "8080:80-90"}) {
    why.clear();
    EXPECT_FALSE(parse_forwarding(text, why)) << text;
    EXPECT_FALSE(why.empty()) << text;
  }
}

TEST(Listenings, AreTcpPortsWhereNothingIsSaid) {
  std::string why;
  EXPECT_EQ(parse_listening("8000-8080", why)->ports, (PortRange{8000, 8080}));
  EXPECT_EQ(parse_listening("8000", why)->protocol, Protocol::tcp);
  EXPECT_EQ(parse_listening("udp 53", why)->protocol, Protocol::udp);
  EXPECT_FALSE(parse_listening("http", why));
}

}  // namespace
}  // namespace sbox
