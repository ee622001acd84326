// Whatever bytes the launcher is given: they are refused, or they are the one serialised form of the plan that they
// yield, without a NUL that would end a text early, and that plan can be printed. libFuzzer entry.
#include <nlohmann/json.hpp>
#include <type_traits>

#include "fuzz.h"
#include "plan/decode.h"
#include "plan/encode.h"
#include "plan/fields.h"
#include "plan/json.h"

namespace {

using namespace sbox;
using fuzz::require;

class NulFinder {
 public:
  template <typename T>
  void operator()(const char* name, const T& value) {
    if (std::string_view(name) != "content") look(value);
  }

 private:
  void look(const std::string& text) { require(text.find('\0') == std::string::npos, "a text holds a NUL"); }
  template <typename T>
  void look(const std::vector<T>& list) {
    for (const T& element : list) look(element);
  }
  template <typename T>
  void look(const T& value) {
    if constexpr (std::is_class_v<T>) fields(*this, value);
  }
};

void check(std::string_view bytes) {
  Plan plan;
  if (!decode_plan(bytes, plan)) return;
  require(encode_plan(plan) == bytes, "two forms of one plan");
  NulFinder finder;
  fields(finder, plan);
  for (const Node& node : plan.nodes) {
    bool is_file = node.kind == NodeKind::file;
    require(is_file || node.content.find('\0') == std::string::npos, "the target of a link holds a NUL");
  }
  require(nlohmann::json::accept(plan_json(plan)), "the plan as JSON is not JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes = fuzz::text_of(data, size);
  check(bytes);
  // Also as what follows the magic, so that the fuzzer need not find that.
  std::string with_magic;
  for (size_t i = 0; i < sizeof kPlanMagic; ++i) with_magic += static_cast<char>(kPlanMagic >> (8 * i));
  check(with_magic.append(bytes));
  return 0;
}
