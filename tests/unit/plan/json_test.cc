#include "plan/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sbox {
namespace {

TEST(Json, HoldsEveryMemberUnderItsName) {
  Plan plan;
  plan.profile = "test";
  Node node;
  node.kind = NodeKind::bind;
  node.target = "/data";
  node.mode = 0700;
  plan.nodes = {node};
  plan.filters = {{"calls", {{0x20, 0, 1, 0x4}, {0x6, 0, 0, 0x7fff0000}}}};
  plan.landlock = {.abi = 7, .handled = 1, .handled_ports = 0, .scoped = 2, .rules = {{"/", 8}}, .ports = {}};
  auto json = nlohmann::json::parse(plan_json(plan));
  EXPECT_EQ(json["profile"], "test");
  EXPECT_EQ(json["nodes"][0]["kind"], "bind");
  EXPECT_EQ(json["nodes"][0]["mode"], "0700");
  EXPECT_EQ(json["nodes"][0]["writable"], false);
  EXPECT_EQ(json["filters"][0]["code"],
            "002000010000000400060000"
            "7fff0000");
  EXPECT_EQ(json["landlock"]["rules"][0]["access"], 8);
  EXPECT_TRUE(json["argv"].is_array());
  EXPECT_EQ(json["own_network"], true);
}

TEST(Json, StaysValidWhateverTheBytes) {
  Plan plan;
  plan.argv = {"\xff\xfe", "a\nb\"", std::string("\0", 1)};
  auto json = nlohmann::json::parse(plan_json(plan));
  EXPECT_EQ(json["argv"][0], "\ufffd\ufffd");
  EXPECT_EQ(json["argv"][1], "a\nb\"");
}

TEST(Json, HasNoControlCharacterOfAnyKind) {
  Plan plan;
  plan.argv = {"a\x1b[31m\x7f", "fake\u202etxt\u2028\u009b"};
  std::string text = plan_json(plan);
  for (char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f)) << int{c};
  EXPECT_EQ(nlohmann::json::parse(text)["argv"], plan.argv);
}

}  // namespace
}  // namespace sbox
