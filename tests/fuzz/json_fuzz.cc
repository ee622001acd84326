// Whatever bytes names are made of: the plan as JSON is ASCII, is read again by a strict reader, and holds the same
// names where they are UTF-8. libFuzzer entry; NUL separates names.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "plan/json.h"

namespace {

using namespace sbox;
using fuzz::require;

// One text of each kind that a plan has, and one entry of each structure: all others are printed by the same code, and
// take long.
Plan plan_of(const std::vector<std::string>& names) {
  const std::string &first = names.front(), &last = names.back();
  Plan plan;
  plan.profile = first;
  plan.hostname = last;
  plan.argv = names;
  plan.environment = {first + "=" + last};
  Node node;
  node.target = node.content = first;
  node.source = node.origin = last;
  plan.nodes = {node};
  Helper helper;
  helper.name = first;
  helper.argv = names;
  plan.helpers = {helper};
  return plan;
}

void check_text(const nlohmann::json& read, const std::string& name) {
  require(!is_utf8(name) || read == name, "a name changed");
}

void check_list(const nlohmann::json& read, const std::vector<std::string>& names) {
  require(read.size() == names.size(), "a list changed its length");
  for (size_t i = 0; i < names.size(); ++i) check_text(read[i], names[i]);
}

void check(const nlohmann::json& read, const Plan& plan) {
  check_text(read["profile"], plan.profile);
  check_text(read["hostname"], plan.hostname);
  check_list(read["argv"], plan.argv);
  check_list(read["environment"], plan.environment);
  require(read["nodes"].size() == 1 && read["helpers"].size() == 1, "a list changed its length");
  check_text(read["nodes"][0]["target"], plan.nodes[0].target);
  check_text(read["nodes"][0]["source"], plan.nodes[0].source);
  check_list(read["helpers"][0]["argv"], plan.helpers[0].argv);
}

bool is_shown(char c) { return c == '\n' || (c >= ' ' && c <= '~'); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostNames = 3;
  std::vector<std::string> names = split(fuzz::text_of(data, size), '\0');
  names.resize(std::min(names.size(), kMostNames));
  Plan plan = plan_of(names);
  std::string text = plan_json(plan);
  require(std::all_of(text.begin(), text.end(), is_shown), "JSON is not what a terminal may be shown");
  nlohmann::json read = nlohmann::json::parse(text, nullptr, false);
  require(!read.is_discarded(), "not JSON");
  check(read, plan);
  return 0;
}
