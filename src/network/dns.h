// The little of DNS messages that must be understood to pass them on: what is asked, and which addresses are the
// answer. Pure; takes any bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/firewall.h"

namespace sbox::network {

struct Question {
  std::string name;  // lower case, without a dot at its end; a byte that no host name has is a backslash
  uint16_t type = 0;
  size_t end = 0;  // in the message
};

// Nothing unless `message` is a query of one question and no answer.
std::optional<Question> parse_query(std::string_view message);

// The addresses in the answer to `query`; nothing when `reply` is not an answer to just that question.
std::optional<std::vector<Answer>> parse_reply(std::string_view reply, std::string_view query);

// What is said to `query` where it is not passed on. Precondition: parse_query took it.
enum class Refusal : uint8_t { failed = 2, no_such_name = 3, refused = 5 };
std::string refusal(std::string_view query, const Question& question, Refusal why);

uint16_t number_of(std::string_view message);  // the first two bytes; 0 where there are none
void set_number(std::string& message, uint16_t number);

}  // namespace sbox::network
