// The plans of the shipped profiles on the fake host, for a reader of changes. SBOX_ACCEPT_GOLDEN=1 writes them anew.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "plan/json.h"
#include "planning.h"
#include "shipped.h"

namespace sbox::testing {
namespace {

class GoldenPlan : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, GoldenPlan, ::testing::ValuesIn(list_profiles(shipped())), [](const auto& one) {
  std::string name = one.param;
  for (char& c : name) c = isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

TEST_P(GoldenPlan, IsTheOneThatWasReviewed) {
  FakeHost host;
  furnish(host);
  Plan plan = make_plan(read_profile(shipped(), GetParam()), {"true", {}, "", "/usr", false}, host);
  // The filters have golden files of their own, and the place of the tree is nobody's business.
  plan.filters.clear();
  for (Helper& helper : plan.helpers) helper.filters.clear();
  std::string prefix = profiles() + "/";
  for (Node& node : plan.nodes) {
    if (!node.origin.starts_with(prefix)) continue;
    // Nor is the number of the line: a comment in a profile changes no plan.
    node.origin = node.origin.substr(prefix.size(), node.origin.rfind(':') - prefix.size());
  }
  std::string text = plan_json(plan) + "\n", path = top() + "tests/golden/plans/" + GetParam() + ".json";
  if (getenv("SBOX_ACCEPT_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream in(path);
  std::string reviewed{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(text == reviewed) << path << " differs; run again with SBOX_ACCEPT_GOLDEN=1 and look at the change";
}

}  // namespace
}  // namespace sbox::testing
