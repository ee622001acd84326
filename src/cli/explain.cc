#include "cli/explain.h"

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/explain_thing.h"
#include "cli/print.h"
#include "cli/words.h"
#include "plan/planner.h"
#include "profile/values.h"

namespace sbox {
namespace {

// Takes out the element that names a macro without a value here, as ${CWD} in the home directory. False for any other
// error.
bool leave_out(Profile& profile, const Error& error) {
  if (!std::string_view(error.what()).starts_with("${")) return false;
  for (const Setting& row : settings()) {
    if (!row.is_list()) continue;
    for (const Value& value : std::vector<Value>(profile.list(row.key))) {
      if (value.origin != error.where() || value.text.find(error.what()) == std::string::npos) continue;
      profile.remove(row.key, value);
      return true;
    }
  }
  return false;
}

}  // namespace

Plan plan_for_some_program(const Context& context, const Profile& profile) {
  auto plan_of = [&](const std::string& program) {
    return make_plan(profile, {.program = program, .arguments = {}, .instance = "", .prefix = context.prefix},
                     context.host);
  };
  std::vector<std::string> programs = {profile.name()};
  for (const Value& program : profile.list(Key::profile_programs)) programs.push_back(program.text);
  for (const std::string& program : programs) {
    try {
      return plan_of(program);
    } catch (const Error& error) {
      if (error.exit_status() != kExitNotFound && error.exit_status() != kExitNotExecutable) throw;
    }
  }
  return plan_of("/bin/true");
}

Plan plan_to_explain(const Context& context, const std::string& name, std::string& missing) {
  missing.clear();
  try {
    return plan_for_some_program(context, read_profile(context.search, name));
  } catch (const Error& error) {
    missing = error.line();
  }
  std::vector<Override> overrides;
  for (const char* feature : {"display", "abstract-sockets"}) {
    overrides.push_back({Override::Operation::add, Key::profile_optional, feature});
  }
  Profile profile = read_profile(context.search, name, overrides);
  for (;;) {
    try {
      return plan_for_some_program(context, profile);
    } catch (const Error& error) {
      if (!leave_out(profile, error)) throw;
    }
  }
}

std::string page_json(const std::string& profile, const Page& page, const std::string& missing) {
  using nlohmann::ordered_json;
  ordered_json sections = ordered_json::array();
  for (const Page::Entry& entry : page.entries()) {
    if (entry.form == Page::Form::heading) {
      sections.push_back({{"heading", entry.texts[0]}, {"entries", ordered_json::array()}});
      continue;
    }
    ordered_json& entries = sections.back()["entries"];
    if (entry.form == Page::Form::paragraph) {
      entries.push_back({{"text", entry.texts[0]}, {"origin", entry.origin}, {"items", ordered_json::array()}});
      continue;
    }
    for (const std::string& text : entry.texts) {
      entries.back()["items"].push_back({{"text", text}, {"origin", entry.origin}});
    }
  }
  ordered_json all = {{"profile", profile}, {"sections", sections}, {"missing", missing}};
  return json_text(all);
}

int run_explain(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("explain", arguments, {"--json"}, 2);
  if (words.names.empty()) throw Error("explain", "needs a profile").hint(usage_of("explain"));
  bool as_json = words.has("--json");
  Profile profile = read_profile(context.search, words.name());
  std::string missing, text;
  Plan plan = plan_to_explain(context, words.name(), missing);
  if (words.names.size() == 1) {
    Page page = explain_page(profile, plan);
    text = as_json ? page_json(profile.name(), page, missing) : page.text();
  } else {
    Answer answer = explain_thing({profile, plan, context.host}, words.name(1));
    text = as_json ? answer_json(profile.name(), answer, missing) : answer_text(profile.name(), answer);
  }
  if (!missing.empty() && !as_json) text += "\nOn this host it cannot start now:\n  " + missing + "\n";
  print(text);
  return 0;
}

}  // namespace sbox
