#include "oci/system_calls.h"

#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "oci/argument_space.h"
#include "plan/seccomp_arguments.h"
#include "plan/seccomp_program.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

using nlohmann::ordered_json;

// `error`: an errno; 0: allowed.
ordered_json answer(const SeccompPolicy& policy, const std::vector<std::string>& calls, int error) {
  ordered_json rule{{"names", calls}};
  if (error == 0) {
    rule["action"] = "SCMP_ACT_ALLOW";
  } else if (policy.kill && error == EPERM) {
    rule["action"] = "SCMP_ACT_KILL_PROCESS";
  } else {
    rule["action"] = "SCMP_ACT_ERRNO";
    rule["errnoRet"] = error;
  }
  return rule;
}

ordered_json conditions(const ArgumentBox& box) {
  ordered_json list = ordered_json::array();
  for (size_t i = 0; i < ArgumentBox::kArguments; ++i) {
    if (box.mask[i] == 0) continue;
    list.push_back({{"index", i}, {"value", box.mask[i]}, {"valueTwo", box.value[i]}, {"op", "SCMP_CMP_MASKED_EQ"}});
  }
  return list;
}

using RulesByCall = std::map<std::string_view, std::vector<ArgumentRule>>;

RulesByCall rules_by_call(const SeccompPolicy& policy) {
  RulesByCall rules;
  for (ArgumentRule& rule : argument_rules(policy, policy.architecture)) rules[rule.call].push_back(std::move(rule));
  return rules;
}

}  // namespace

ordered_json seccomp_section(const SeccompPolicy& policy) {
  std::set<std::string_view> allowed = allowed_calls(policy);
  RulesByCall rules = rules_by_call(policy);
  std::vector<std::string> plain, denied;
  ordered_json by_arguments = ordered_json::array();
  for (const auto& [number, call] : calls_by_number(policy.architecture)) {
    CallAnswer by_call = answer_to(call, allowed, policy);
    if (by_call == CallAnswer::denied) denied.push_back(call);
    if (by_call != CallAnswer::allowed) continue;  // what is missing gets the default
    auto found = rules.find(call);
    if (found == rules.end()) {
      plain.push_back(call);
      continue;
    }
    for (const AnsweredBox& each : divide_arguments(found->second)) {
      ordered_json rule = answer(policy, {call}, each.error);
      rule["args"] = conditions(each.box);
      by_arguments.push_back(std::move(rule));
    }
  }
  ordered_json section{{"defaultAction", "SCMP_ACT_ERRNO"}, {"defaultErrnoRet", ENOSYS}};
  section["architectures"] = {policy.architecture == "x86_64" ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64"};
  section["syscalls"] = {answer(policy, plain, 0), answer(policy, denied, EPERM)};
  for (ordered_json& rule : by_arguments) section["syscalls"].push_back(std::move(rule));
  return section;
}

}  // namespace sbox
