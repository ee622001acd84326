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

TEST(Forwardings, ArePortsOfTheHostAndOfTheSandbox) {
  std::string why;
  std::optional<Forwarding> found = parse_forwarding("8080:80", why);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->host_port == 8080 && found->port == 80);
  EXPECT_EQ(found->protocol, Protocol::tcp);
  EXPECT_EQ(parse_forwarding("udp 5353:53", why)->protocol, Protocol::udp);
  for (const char* text : {"8080", "8080:", ":80", "0.0.0.0:8080:80", "0:80", "8080:80:", "tcp", "8080:80-90"}) {
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

TEST(Proxies, AreAHostAndItsPort) {
  std::string why;
  EXPECT_EQ(parse_proxy("socks5://proxy.example.org:1080", why)->destination.host, "proxy.example.org");
  EXPECT_EQ(parse_proxy("http://192.0.2.1:3128", why)->scheme, "http");
  EXPECT_EQ(parse_proxy("socks5://[2001:db8::1]:1080", why)->destination.ports.first, 1080);
  EXPECT_EQ(parse_proxy("socks5://localhost:9050", why)->destination.kind, Destination::Kind::localhost);
  for (const char* text : {"proxy.example.org:1080", "https://proxy.example.org:1080", "socks5://proxy.example.org",
                           "socks5://:1080", "socks5://192.0.2.0/24:1080", "socks5://*.example.org:1080",
                           "http://proxy.example.org:80/", "http://user@proxy.example.org:80", "socks5://lan:80"}) {
    why.clear();
    EXPECT_FALSE(parse_proxy(text, why)) << text;
    EXPECT_FALSE(why.empty()) << text;
  }
}

TEST(Bandwidths, AreSizesForOneOrBothDirections) {
  std::string why;
  EXPECT_EQ(parse_bandwidth("2M down, 500K up", why)->down, 2097152U);
  EXPECT_EQ(parse_bandwidth("500K up,2M down", why)->up, 512000U);
  EXPECT_EQ(parse_bandwidth("20000  up", why)->up, 20000U);
  EXPECT_EQ(parse_bandwidth("20000 up", why)->down, 0U);
  EXPECT_EQ(parse_bandwidth("16K down, 10G up", why)->up, 10737418240U);
  for (const char* text : {"", "2M", "down", "2M both", "2M down 500K up", "2M down, ", ",2M down", "2Mdown", "2m down",
                           "1.5M down", "-1 down", "0 down", "0 up", "16383 down", "10737418241 up", "2M down, 1M down",
                           "99999999999999999999 up", "2M down, 500K up, 1M up"}) {
    why.clear();
    EXPECT_FALSE(parse_bandwidth(text, why)) << text;
    EXPECT_FALSE(why.empty()) << text;
  }
}

Destination read(const std::string& text) {
  std::string why;
  return *parse_destination(text, why);
}

TEST(Destinations, CoverWhatIsMeantByThem) {
  struct Row {
    const char *rule, *asked;
    bool covers, touches;
  };
  for (const Row& row : {
           Row{"example.org", "example.org:443", true, true},
           Row{"example.org:443", "example.org", false, true},
           Row{"example.org:443", "example.org:80", false, false},
           Row{"*.example.org", "www.example.org", true, true},
           Row{"*.example.org", "example.org", false, false},
           Row{"tcp", "example.org:80", false, true},
           Row{"tcp", "tcp example.org:80", true, true},
           Row{"udp", "tcp example.org:80", false, false},
           Row{":443", "192.0.2.1:443", true, true},
           Row{":443", "localhost:443", false, false},
           Row{"192.0.2.0/24", "192.0.2.77", true, true},
           Row{"192.0.2.64/26", "192.0.2.64/25", false, true},
           Row{"192.0.2.0/25", "192.0.2.128", false, false},
           Row{"192.0.2.0/24", "2001:db8::1", false, false},
           Row{"2001:db8::/32", "2001:db8:1::1", true, true},
           Row{"lan", "10.1.2.3", true, true},
           Row{"lan", "172.32.0.1", false, false},
           Row{"lan", "fd00::1", true, true},
           Row{"lan", "192.0.0.0/4", false, false},
           Row{"localhost:5432", "localhost:5432", true, true},
       }) {
    EXPECT_EQ(covers(read(row.rule), read(row.asked)), row.covers) << row.rule << " covers " << row.asked;
    EXPECT_EQ(touches(read(row.rule), read(row.asked)), row.touches) << row.rule << " touches " << row.asked;
  }
}

}  // namespace
}  // namespace sbox
