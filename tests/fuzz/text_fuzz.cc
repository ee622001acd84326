// Whatever the bytes: what is shown of them cannot steer a terminal, and is what it was where it was harmless.
// libFuzzer entry.
#include "fuzz.h"

namespace {

using namespace sbox;
using fuzz::require;

void check_words(std::string_view bytes) {
  std::vector<std::string> words = split(bytes, ' ');
  std::string joined;
  for (const std::string& word : words) joined += word + ' ';
  joined.pop_back();
  require(joined == bytes, "split loses something");
  std::optional<std::string> near = nearest(words.front(), words);
  require(!near || *near == words.front() || words.front().size() <= 64, "a word is not the nearest to itself");
}

void check_number(std::string_view bytes) {
  std::optional<unsigned long long> number = parse_number(bytes);
  if (!number) return;
  size_t zeros = std::min(bytes.find_first_not_of('0'), bytes.size() - 1);
  require(std::to_string(*number) == bytes.substr(zeros), "a number is another");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = fuzz::text_of(data, size);
  std::string shown = escape_control(bytes);
  require(is_utf8(shown), "what is shown is not UTF-8");
  require(escape_control(shown) == shown, "what is shown could be escaped further");
  require(shown.find_first_of("\n\r\t\x1b\x7f") == std::string::npos, "what is shown holds a control character");
  require(is_utf8(bytes) || shown != bytes, "bytes that are not UTF-8 are shown");
  std::string_view trimmed = trim(bytes);
  require(trim(trimmed) == trimmed && bytes.find(trimmed) != std::string_view::npos, "trim trims twice");
  check_words(bytes);
  check_number(bytes);
  return 0;
}
