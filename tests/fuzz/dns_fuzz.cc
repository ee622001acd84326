// DNS messages, of the program and of the network: any bytes are taken without harm, and what is told from a question
// is what its refusal repeats. libFuzzer entry: a question, then an answer.
#include "fuzz.h"
#include "network/dns.h"

using namespace sbox::network;
using sbox::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(sbox::fuzz::text_of(data, size));
  // Half and half, so that what is found in one seed fits into another.
  std::string query = text.substr(0, size / 2), reply = text.substr(size / 2);
  parse_reply(reply, query);
  std::optional<Question> question = parse_query(query);
  if (!question) return 0;
  require(question->end <= query.size(), "a question that is longer than its message");
  require(question->name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.\\") == std::string::npos,
          "an odd name");
  std::string refused = refusal(query, *question, Refusal::refused);
  require(refused.size() == question->end, "a refusal of another size");
  std::optional<std::vector<Answer>> answers = parse_reply(refused, query);
  require(answers && answers->empty(), "a refusal that is no answer");
  require(!parse_query(refused), "a refusal that is a question");
  return 0;
}
