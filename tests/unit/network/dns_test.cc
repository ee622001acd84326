#include "network/dns.h"

#include <gtest/gtest.h>

namespace sbox::network {
namespace {

using namespace std::string_literals;

// A query for `name` (labels with their lengths in front) by type.
std::string query_for(const std::string& labels, char type = 1) {
  return "\x12\x34\x01\x00\0\1\0\0\0\0\0\0"s + labels + "\0\0"s + type + "\0\1"s;
}
const std::string kExample = "\3wWw\7example\3org";

std::string reply_to(const std::string& query, const std::string& records, char count) {
  std::string reply = query + records;
  reply[2] = '\x81';
  reply[3] = '\x80';
  reply[7] = count;
  return reply;
}

std::string record(char type, const std::string& data, uint8_t seconds = 60) {
  return "\xc0\x0c\0"s + type + "\0\1\0\0\0"s + static_cast<char>(seconds) + "\0"s + static_cast<char>(data.size()) +
         data;
}

TEST(Query, IsReadInLowerCase) {
  std::optional<Question> question = parse_query(query_for(kExample, 28));
  ASSERT_TRUE(question);
  EXPECT_EQ(question->name, "www.example.org");
  EXPECT_EQ(question->type, 28);
}

TEST(Query, WithAByteThatNoNameHasIsNoOtherName) {
  EXPECT_EQ(parse_query(query_for("\13example.org"))->name, "example\\org");
  EXPECT_EQ(parse_query(query_for("\4a\0bc"s))->name, "a\\bc");
}

TEST(Query, IsNothingElse) {
  std::string query = query_for(kExample);
  for (size_t size = 0; size < query.size(); ++size) EXPECT_FALSE(parse_query(query.substr(0, size))) << size;
  auto changed = [&](size_t at, char value) {
    std::string other = query;
    other[at] = value;
    return parse_query(other).has_value();
  };
  EXPECT_TRUE(changed(3, '\x20'));
  EXPECT_FALSE(changed(2, '\x81')) << "an answer";
  EXPECT_FALSE(changed(2, '\x29')) << "another operation";
  EXPECT_FALSE(changed(5, 2)) << "two questions";
  EXPECT_FALSE(changed(7, 1)) << "with an answer";
  EXPECT_FALSE(changed(12, '\xc0')) << "abbreviated";
  EXPECT_FALSE(changed(query.size() - 1, 3)) << "of another class";
  EXPECT_FALSE(parse_query(query_for(std::string(5, '\x3f') + std::string(400, 'a')))) << "too long";
}

TEST(Reply, GivesTheAddressesOfBothFamiliesAndTheirTime) {
  std::string query = query_for(kExample), six(16, '\x20');
  std::string alias = record(5, "\1a\xc0\x10", 9);
  auto answers = parse_reply(reply_to(query, alias + record(1, "\xc6\x33\x64\1", 60) + record(28, six, 61), 3), query);
  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 2U);
  EXPECT_EQ((*answers)[0].address.view(), "\xc6\x33\x64\1");
  EXPECT_EQ((*answers)[0].seconds, 60U);
  EXPECT_TRUE((*answers)[1].address.is_six);
  EXPECT_EQ((*answers)[1].address.view(), six);
  EXPECT_EQ((*answers)[1].seconds, 61U);
}

TEST(Reply, ToAnotherQuestionIsNone) {
  std::string query = query_for(kExample), reply = reply_to(query, record(1, "\xc6\x33\x64\1"), 1);
  EXPECT_TRUE(parse_reply(reply, query));
  EXPECT_FALSE(parse_reply(reply, query_for("\3www\7example\3com")));
  EXPECT_FALSE(parse_reply(reply, query_for(kExample, 28)));
  EXPECT_FALSE(parse_reply(query, query)) << "a question";
  std::string numbered = reply;
  numbered[0] = 'x';
  EXPECT_FALSE(parse_reply(numbered, query)) << "another number";
}

TEST(Reply, ThatEndsTooEarlyIsNone) {
  std::string query = query_for(kExample), reply = reply_to(query, record(1, "\xc6\x33\x64\1"), 1);
  for (size_t size = 0; size < reply.size(); ++size) EXPECT_FALSE(parse_reply(reply.substr(0, size), query)) << size;
}

TEST(Refusal, RepeatsTheQuestionAndSaysWhy) {
  std::string query = query_for(kExample) + "more", reply = refusal(query, *parse_query(query), Refusal::refused);
  EXPECT_EQ(reply, "\x12\x34\x81\x85\0\1\0\0\0\0\0\0"s + query.substr(12, query.size() - 16));
  std::optional<std::vector<Answer>> answers = parse_reply(reply, query);
  ASSERT_TRUE(answers);
  EXPECT_TRUE(answers->empty());
}

}  // namespace
}  // namespace sbox::network
