#include "learn/bus_message.h"

#include <gtest/gtest.h>

namespace sbox::learn {
namespace {

// As GLib sends it: AddMatch, with one string.
std::string add_match() {
  std::string rule = "type='signal'";
  std::string fields;
  auto pad = [](std::string& text, size_t size) { text.resize((text.size() + size - 1) / size * size); };
  auto number = [](size_t value) {
    std::string text(4, '\0');
    text[0] = static_cast<char>(value);
    return text;
  };
  auto field = [&](char code, char type, const std::string& value) {
    pad(fields, 8);
    fields += std::string{code, 1, type, 0};
    fields += type == 'g' ? std::string(1, static_cast<char>(value.size())) : number(value.size());
    fields += value + '\0';
  };
  field(1, 'o', "/org/freedesktop/DBus");
  field(2, 's', "org.freedesktop.DBus");
  field(6, 's', "org.freedesktop.DBus");
  field(8, 'g', "s");
  field(3, 's', "AddMatch");
  std::string body = number(rule.size()) + rule + '\0';
  std::string text = std::string("l\1\0\1", 4) + number(body.size()) + number(1) + number(fields.size()) + fields;
  pad(text, 8);
  return text + body;
}

TEST(BusMessage, SaysWhoIsCalledAndWhat) {
  auto messages = parse_bus_messages(add_match());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].is_call);
  EXPECT_EQ(messages[0].destination, "org.freedesktop.DBus");
  EXPECT_EQ(messages[0].path, "/org/freedesktop/DBus");
  EXPECT_EQ(messages[0].interface, "org.freedesktop.DBus");
  EXPECT_EQ(messages[0].member, "AddMatch");
  EXPECT_EQ(messages[0].first, "type='signal'");
}

TEST(BusMessage, IsFollowedByOthers) { EXPECT_EQ(parse_bus_messages(add_match() + add_match()).size(), 2u); }

TEST(BusMessage, IsNoneWhereItsHeaderIsCutOff) {
  std::string whole = add_match();
  size_t header = whole.size() - 18;
  for (size_t size = 0; size < header; ++size) EXPECT_TRUE(parse_bus_messages(whole.substr(0, size)).empty()) << size;
  EXPECT_EQ(parse_bus_messages(whole.substr(0, header)).size(), 1u);
  EXPECT_TRUE(parse_bus_messages("AUTH EXTERNAL\r\n").empty());
}

}  // namespace
}  // namespace sbox::learn
