// The serialised form of a plan: what one program of sbox writes and the trusted one reads.
#include <gtest/gtest.h>

#include <cstring>
#include <type_traits>

#include "plan/decode.h"
#include "plan/encode.h"
#include "plan/fields.h"

namespace sbox {
namespace {

using std::string_literals::operator""s;

// Gives each member of a plan a value of its own, and each list two elements; so a member that the codec forgot, or
// read in another place, shows.
class Filler {
 public:
  template <typename T>
  void operator()(const char*, T& value) {
    fill(value);
  }

 private:
  template <typename T>
  void fill(T& value) {
    if constexpr (std::is_same_v<T, NodeKind>) {
      value = static_cast<NodeKind>(++number_ % (static_cast<int>(NodeKind::socket) + 1));
    } else if constexpr (std::is_same_v<T, bool>) {
      value = !value;
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(~static_cast<T>(++number_));
    } else {
      fields(*this, value);
    }
  }
  void fill(std::string& text) { text = "text " + std::to_string(++number_); }
  template <typename T>
  void fill(std::vector<T>& list) {
    list.resize(2);
    for (T& element : list) fill(element);
  }

  uint64_t number_ = 0;
};

Plan full_plan() {
  Plan plan;
  Filler filler;
  fields(filler, plan);
  return plan;
}

bool accepts(std::string_view bytes) {
  Plan plan;
  return decode_plan(bytes, plan);
}

// `plan` with `text` in the member that `place` names.
template <typename Place>
bool accepts_text(const std::string& text, Place place) {
  Plan plan = full_plan();
  place(plan) = text;
  return accepts(encode_plan(plan));
}

// The bytes of `number`, lowest first.
std::string bytes_of(uint32_t number) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

TEST(Codec, EveryMemberComesBack) {
  Plan plan = full_plan(), again;
  ASSERT_TRUE(decode_plan(encode_plan(plan), again));
  EXPECT_EQ(again, plan);
}

TEST(Codec, AnEmptyPlanComesBack) {
  Plan again = full_plan();
  ASSERT_TRUE(decode_plan(encode_plan(Plan{}), again));
  EXPECT_EQ(again, Plan{});
}

TEST(Codec, EveryTruncationIsRefused) {
  std::string bytes = encode_plan(full_plan());
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(accepts(bytes.substr(0, size))) << size;
}

TEST(Codec, WhatStandsBehindThePlanIsRefused) { EXPECT_FALSE(accepts(encode_plan(full_plan()) + '\0')); }

TEST(Codec, AnotherVersionIsRefused) {
  std::string bytes = encode_plan(full_plan());
  for (size_t i = 0; i < sizeof kPlanMagic; ++i) {
    std::string other = bytes;
    other[i] ^= 1;
    EXPECT_FALSE(accepts(other)) << i;
  }
}

TEST(Codec, EveryChangedByteIsRefusedOrYieldsAnotherPlan) {
  Plan plan = full_plan();
  std::string bytes = encode_plan(plan);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string other = bytes;
    other[i] = static_cast<char>(other[i] ^ 0xff);
    Plan read;
    bool accepted = decode_plan(other, read);
    EXPECT_FALSE(accepted && read == plan) << i;
  }
}

TEST(Codec, ATextWithANulIsRefused) {
  const std::string text = "/a\0b"s;
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.profile; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.program; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.argv[1]; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.environment[1]; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.nodes[1].target; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.nodes[1].source; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.nodes[1].origin; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.landlock.rules[1].path; }));
  EXPECT_FALSE(accepts_text(text, [](Plan& plan) -> std::string& { return plan.helpers[1].argv[0]; }));
}

TEST(Codec, OnlyAGeneratedFileMayHoldANul) {
  Plan plan, again;
  Node& node = plan.nodes.emplace_back();
  node.content = "a\0b"s;
  for (int kind = 0; kind <= static_cast<int>(NodeKind::socket); ++kind) {
    node.kind = static_cast<NodeKind>(kind);
    EXPECT_EQ(decode_plan(encode_plan(plan), again), node.kind == NodeKind::file) << kind;
  }
}

TEST(Codec, AKindThatDoesNotExistIsRefused) {
  Plan plan;
  plan.nodes.emplace_back().kind = static_cast<NodeKind>(static_cast<int>(NodeKind::socket) + 1);
  EXPECT_FALSE(accepts(encode_plan(plan)));
}

TEST(Codec, ABooleanIsZeroOrOne) {
  std::string bytes = encode_plan(Plan{});
  bytes.back() = 2;
  EXPECT_FALSE(accepts(bytes));
}

// What the lists have room for tells what was allocated.
TEST(Codec, AHostileCountAllocatesNoMoreThanThereIsToRead) {
  Plan plan;
  plan.make_directories = {"marker"};
  std::string bytes = encode_plan(plan);
  std::string list = bytes_of(1) + bytes_of(6) + "marker";
  size_t at = bytes.find(list);
  ASSERT_NE(at, std::string::npos);
  for (uint32_t count : {2u, 100u, 0x7fffffffu, 0xffffffffu}) {
    std::string hostile = bytes;
    hostile.replace(at, 4, bytes_of(count));
    Plan read;
    EXPECT_FALSE(decode_plan(hostile, read)) << count;
    EXPECT_LE(read.make_directories.capacity(), bytes.size()) << count;
    EXPECT_LE(read.nodes.capacity(), bytes.size()) << count;
  }
}

TEST(Codec, AHostileLengthOfATextIsRefused) {
  Plan plan;
  plan.profile = "marker";
  std::string bytes = encode_plan(plan);
  size_t at = bytes.find("marker") - 4;
  for (uint32_t length : {5u, 7u, 0x7fffffffu, 0xffffffffu}) {
    std::string hostile = bytes;
    hostile.replace(at, 4, bytes_of(length));
    EXPECT_FALSE(accepts(hostile)) << length;
  }
}

}  // namespace
}  // namespace sbox
