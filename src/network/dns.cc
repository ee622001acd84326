#include "network/dns.h"

#include <algorithm>

namespace sbox::network {
namespace {

constexpr size_t kHeader = 12;
constexpr uint16_t kAddress4 = 1, kAddress6 = 28, kInternet = 1;
constexpr uint8_t kIsAnswer = 0x80, kOperation = 0x78, kWantsRecursion = 0x01, kCanRecurse = 0x80;
constexpr size_t kLongestName = 255;

uint16_t short_at(std::string_view text, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(text[at]) << 8 | static_cast<uint8_t>(text[at + 1]));
}
uint32_t long_at(std::string_view text, size_t at) {
  return static_cast<uint32_t>(short_at(text, at)) << 16 | short_at(text, at + 2);
}

char letter(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  bool is_usual = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  return is_usual ? c : '\\';
}

// A name in full at `at`, which is moved behind it.
std::optional<std::string> take_name(std::string_view message, size_t& at) {
  std::string name;
  for (;;) {
    if (at >= message.size()) return std::nullopt;
    size_t length = static_cast<uint8_t>(message[at++]);
    if (length == 0) return name;
    constexpr size_t kLongestLabel = 63;
    if (length > kLongestLabel || at + length > message.size() || name.size() + length >= kLongestName) {
      return std::nullopt;
    }
    if (!name.empty()) name += '.';
    for (char c : message.substr(at, length)) name += letter(c);
    at += length;
  }
}

// Past a name that may be abbreviated.
bool skip_name(std::string_view message, size_t& at) {
  constexpr uint8_t kPointer = 0xc0;
  while (at < message.size()) {
    auto length = static_cast<uint8_t>(message[at]);
    if ((length & kPointer) == kPointer) {
      at += 2;
      return at <= message.size();
    }
    if (length & kPointer) return false;
    at += 1 + size_t{length};
    if (length == 0) return true;
  }
  return false;
}

std::optional<Question> take_question(std::string_view message) {
  size_t at = kHeader;
  std::optional<std::string> name = take_name(message, at);
  if (!name || at + 4 > message.size() || short_at(message, at + 2) != kInternet) return std::nullopt;
  return Question{std::move(*name), short_at(message, at), at + 4};
}

bool is_address(uint16_t type, uint16_t size) {
  return (type == kAddress4 && size == 4) || (type == kAddress6 && size == 16);
}

}  // namespace

std::optional<Question> parse_query(std::string_view message) {
  if (message.size() < kHeader || (message[2] & (kIsAnswer | kOperation)) != 0) return std::nullopt;
  constexpr size_t kQuestions = 4, kAnswers = 6, kAuthorities = 8;
  bool asks_once =
      short_at(message, kQuestions) == 1 && short_at(message, kAnswers) == 0 && short_at(message, kAuthorities) == 0;
  return asks_once ? take_question(message) : std::nullopt;
}

std::optional<std::vector<Answer>> parse_reply(std::string_view reply, std::string_view query) {
  if (reply.size() < kHeader || query.size() < kHeader || number_of(reply) != number_of(query)) return std::nullopt;
  constexpr size_t kQuestions = 4, kAnswers = 6;
  if (!(reply[2] & kIsAnswer) || short_at(reply, kQuestions) != 1) return std::nullopt;
  std::optional<Question> asked = take_question(query), repeated = take_question(reply);
  if (!asked || !repeated || asked->name != repeated->name || asked->type != repeated->type) return std::nullopt;
  std::vector<Answer> answers;
  size_t at = repeated->end;
  constexpr size_t kFixed = 10;  // type, class, time to live, length
  for (uint16_t left = short_at(reply, kAnswers); left > 0; --left) {
    if (!skip_name(reply, at) || at + kFixed > reply.size()) return std::nullopt;
    uint16_t type = short_at(reply, at), size = short_at(reply, at + 8);
    uint32_t seconds = long_at(reply, at + 4);
    at += kFixed;
    if (at + size > reply.size()) return std::nullopt;
    if (is_address(type, size)) {
      Answer answer{{type == kAddress6, {}}, seconds};
      std::copy_n(reply.begin() + static_cast<ptrdiff_t>(at), size, answer.address.bytes.begin());
      answers.push_back(answer);
    }
    at += size;
  }
  return answers;
}

std::string refusal(std::string_view query, const Question& question, Refusal why) {
  std::string reply(query.substr(0, question.end));
  reply[2] = static_cast<char>(kIsAnswer | (reply[2] & kWantsRecursion));
  reply[3] = static_cast<char>(kCanRecurse | static_cast<uint8_t>(why));
  std::fill(reply.begin() + 6, reply.begin() + kHeader, '\0');  // no records
  return reply;
}

uint16_t number_of(std::string_view message) { return message.size() < 2 ? 0 : short_at(message, 0); }

void set_number(std::string& message, uint16_t number) {
  if (message.size() < 2) return;
  message[0] = static_cast<char>(number >> 8);
  message[1] = static_cast<char>(number);
}

}  // namespace sbox::network
