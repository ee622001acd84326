#include "network/rules.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace sbox::network {
namespace {

TEST(NetworkRules, AreRead) {
  Rules rules;
  ASSERT_TRUE(
      parse_rules("deny 192.0.2.0/24 any any\n"
                  "allow 2001:db8::1/128 tcp 443-443\n"
                  "allow @1 udp 1-100\n"
                  "listen tcp 8080-8080\n"
                  "own 192.0.2.2\n"
                  "own 2001:db8::2\n"
                  "name 0 example.org\n"
                  "name 1 *.example.org\n"
                  "names listed\n"
                  "upstream 198.51.100.53\n"
                  "resolver /resolver/resolv.conf\n"
                  "limit down 10737418240\n"
                  "limit up 16384\n"
                  "end\n",
                  rules));
  ASSERT_EQ(rules.outward.size(), 3U);
  EXPECT_FALSE(rules.outward[0].allow);
  EXPECT_EQ(rules.outward[0].length, 24U);
  EXPECT_FALSE(rules.outward[0].has_ports());
  EXPECT_TRUE(rules.outward[1].allow && rules.outward[1].net.is_six);
  EXPECT_EQ(rules.outward[1].protocol, IPPROTO_TCP);
  EXPECT_EQ(rules.outward[1].first, 443);
  EXPECT_EQ(rules.outward[2].where, Rule::Where::names);
  EXPECT_EQ(rules.outward[2].set, 1U);
  EXPECT_EQ(rules.inward.size(), 1U);
  ASSERT_EQ(rules.own.size(), 2U);
  EXPECT_TRUE(!rules.own[0].is_six && rules.own[1].is_six);
  EXPECT_EQ(rules.sets(), 2U);
  EXPECT_FALSE(rules.all_names);
  EXPECT_EQ(rules.upstreams.size(), 1U);
  EXPECT_EQ(rules.resolver, "/resolver/resolv.conf");
  EXPECT_EQ(rules.limits.down, 10737418240U);
  EXPECT_EQ(rules.limits.up, 16384U);
}

TEST(NetworkRules, OfAnyOtherFormAreNone) {
  for (const char* line : {"permit any any any\n",
                           "allow any any\n",
                           "allow any any any any\n",
                           "allow any icmp any\n",
                           "allow any any 80-80\n",
                           "allow any tcp 80\n",
                           "allow any tcp 81-80\n",
                           "allow any tcp 0-65536\n",
                           "allow 192.0.2.0 any any\n",
                           "allow 192.0.2.0/33 any any\n",
                           "allow 192.0.2/24 any any\n",
                           "allow 2001:db8::/129 any any\n",
                           "allow @ any any\n",
                           "allow @9999 any any\n",
                           "names some\n",
                           "name 0\n",
                           "upstream here\n",
                           "own here\n",
                           "resolver file\n",
                           "limit down\n",
                           "limit down 0\n",
                           "limit down 16K\n",
                           "limit down 18446744073709551616\n",
                           "limit both 16384\n",
                           "limit up 1 2\n",
                           "\n",
                           "deny any any -\n"}) {
    Rules rules;
    EXPECT_FALSE(parse_rules(line + std::string("end\n"), rules)) << line;
  }
}

// Less rules would allow more.
TEST(NetworkRules, ThatAreCutShortAreNone) {
  for (const char* text : {"", "names all\n", "names all\nend", "names all\nend\nlog all\n"}) {
    Rules rules;
    EXPECT_FALSE(parse_rules(text, rules)) << text;
  }
}

}  // namespace
}  // namespace sbox::network
