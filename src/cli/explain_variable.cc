#include <algorithm>

#include "cli/explain_thing.h"
#include "plan/environment.h"
#include "profile/values.h"

namespace sbox {
namespace {

// The line of [environment] that has a say on it, or null: the last that sets it, else one that passes it on.
const Value* line_naming(const Profile& profile, const std::string& name) {
  const Value* setting = nullptr;
  for (const Value& value : profile.list(Key::environment_set)) {
    if (value.text.starts_with(name + "=")) setting = &value;
  }
  if (setting || speaks_of_the_host(name)) return setting;
  for (const Value& value : profile.list(Key::environment_keep)) {
    if (is_pattern_of_variable(value.text, name)) return &value;
  }
  return nullptr;
}

}  // namespace

Answer explain_variable(const Inquiry& inquiry, const std::string& name) {
  check_value(setting(Key::environment_keep), {name, {"command line", 0}});
  Answer answer{.kind = "variable", .thing = name, .verdict = "no", .origin = "", .parts = {}};
  const std::vector<std::string>& all = inquiry.plan.environment;
  auto set =
      std::find_if(all.begin(), all.end(), [&](const std::string& each) { return each.starts_with(name + "="); });
  const Value* line = line_naming(inquiry.profile, name);
  if (line) answer.origin = line->origin.text();
  if (set != all.end()) {
    answer.verdict = "yes";
    if (!line) answer.origin = "sbox";
    answer.say("Yes: it is " + *set + ", " + by_line(answer.origin) + ".");
    if (line) offer_removal(answer, inquiry.profile, "To take it away", *line);
    if (!line) answer.offer("To give it another value:", line_of(Key::environment_set, name + "=VALUE"));
    return answer;
  }
  bool may_pass = !speaks_of_the_host(name) && !loads_code(name);
  if (line && may_pass) {
    answer.say("No: " + answer.origin + " names it, but it is not set here.");
    return answer;
  }
  answer.say(inquiry.host.variable(name) ? "No: the caller's value is not passed on."
                                         : "No. It is not set here either.");
  if (speaks_of_the_host(name)) {
    answer.say("No line passes it on: it speaks of the host, and sbox sets it where the profile grants its object.");
  } else if (loads_code(name)) {
    answer.say("No line passes it on: with it, the caller's environment would become code.");
    answer.offer("To give it a value:", line_of(Key::environment_set, name + "=VALUE"));
  } else {
    answer.offer("To pass it on:", line_of(Key::environment_keep, name));
  }
  return answer;
}

}  // namespace sbox
