// Whatever a client asks process 1 for: it is refused, or it is the one serialised form of the request that it yields.
// libFuzzer entry.
#include "fuzz.h"
#include "plan/decode.h"
#include "plan/encode.h"

using namespace sbox;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = fuzz::text_of(data, size);
  JoinRequest request;
  if (!decode_request(bytes, request)) return 0;
  require(encode_request(request) == bytes, "two forms of one request");
  std::vector<std::string> texts = request.argv;
  texts.push_back(request.terminal);
  for (const SameFile& file : request.files) texts.push_back(file.path);
  for (const SameFile& file : request.directory) texts.push_back(file.path);
  for (const std::string& text : texts) require(text.find('\0') == std::string::npos, "a text holds a NUL");
  return 0;
}
