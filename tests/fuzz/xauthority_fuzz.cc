// Whatever the file of cookies is: it is refused, or it is the one form of its entries, and a cookie that is found in
// it is one of them. libFuzzer entry.
#include <algorithm>

#include "fuzz.h"
#include "plan/xauthority.h"

namespace {

using namespace sbox;
using fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = fuzz::text_of(data, size);
  std::optional<std::vector<XauthorityEntry>> entries = parse_xauthority(bytes);
  if (!entries) return 0;
  require(write_xauthority(*entries) == bytes, "two forms of the same entries");
  std::string number = entries->empty() ? "0" : entries->back().number;
  std::string host = entries->empty() ? "" : entries->back().address;
  std::optional<XauthorityEntry> cookie = find_cookie(*entries, host, number);
  require(!cookie || std::find(entries->begin(), entries->end(), *cookie) != entries->end(), "a cookie out of nowhere");
  require(!cookie || cookie->number == number || cookie->number.empty(), "the cookie of another display");
  return 0;
}
