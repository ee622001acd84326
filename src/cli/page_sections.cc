#include "cli/page_sections.h"

#include <map>

namespace sbox {

std::string variable(const Plan& plan, std::string_view name) {
  for (const std::string& each : plan.environment) {
    if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=') {
      return each.substr(name.size() + 1);
    }
  }
  return "";
}

std::string origin(const Profile& profile, Key key) {
  return profile.is_set(key) ? profile.scalar(key).origin.text() : "";
}

void list_places(Page& page, const Profile& profile, Key key, const std::string& sentence) {
  const std::vector<Value>& places = profile.list(key);
  if (places.empty()) return;
  page.say(sentence);
  for (const Value& place : places) page.item(place.text, place.origin.text());
}

void list_rules(Page& page, const Profile& profile, Key key, const std::string& sentence) {
  const std::vector<Value>& rules = profile.list(key);
  if (rules.empty()) return;
  page.say(sentence);
  std::map<std::string, std::vector<std::string>> by_origin;
  for (const Value& rule : rules) by_origin[rule.origin.text()].push_back(rule.text);
  for (const auto& [line, texts] : by_origin) page.items(texts, line);
}

void say_if(Page& page, const Profile& profile, Key key, const std::string& sentence) {
  if (profile.flag(key)) page.say(sentence, origin(profile, key));
}

Page explain_page(const Profile& profile, const Plan& plan) {
  Page page;
  const std::string& description = profile.text(Key::profile_description);
  page.heading(profile.name() + (description.empty() ? "" : ": " + description));
  if (!profile.path().empty()) page.say(profile.path());
  explain_files(page, profile, plan);
  explain_devices(page, plan);
  explain_network(page, profile);
  explain_display(page, profile, plan);
  explain_session_bus(page, profile);
  explain_system_bus(page, profile);
  explain_services(page, profile);
  explain_environment(page, profile);
  explain_process(page, profile);
  explain_limits(page, profile);
  explain_concerns(page, profile, plan);
  return page;
}

}  // namespace sbox
