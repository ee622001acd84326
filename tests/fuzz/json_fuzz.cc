// Whatever bytes names are made of: the plan as JSON is read again by a strict reader, and holds the same names where
// they are UTF-8. libFuzzer entry; NUL separates names.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "plan/json.h"

namespace {

using namespace sbox;
using fuzz::require;

Plan plan_of(const std::vector<std::string>& names) {
  Plan plan;
  plan.profile = names.front();
  plan.hostname = names.back();
  plan.argv = names;
  plan.make_directories = names;
  for (const std::string& name : names) {
    Node node;
    node.target = node.source = node.content = node.origin = name;
    plan.nodes.push_back(node);
    plan.environment.push_back(name + "=" + name);
    plan.helpers.push_back({name, {name}, name});
    plan.landlock.rules.push_back({name, 1});
    plan.limits.push_back({name, 1, 2, 3});
    plan.filters.push_back({name, {{6, 0, 0, 0x7fff0000}}});
  }
  return plan;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostNames = 2;  // more show nothing new, and take long
  std::vector<std::string> names = split(fuzz::text_of(data, size), '\0');
  names.resize(std::min(names.size(), kMostNames));
  std::string text = plan_json(plan_of(names));
  require(is_utf8(text), "JSON is not UTF-8");
  nlohmann::json read = nlohmann::json::parse(text, nullptr, false);
  require(!read.is_discarded(), "not JSON");
  require(read["nodes"].size() == names.size() && read["argv"].size() == names.size(), "a list changed its length");
  for (size_t i = 0; i < names.size(); ++i) {
    if (!is_utf8(names[i])) continue;
    require(read["argv"][i] == names[i] && read["nodes"][i]["target"] == names[i], "a name changed");
  }
  return 0;
}
