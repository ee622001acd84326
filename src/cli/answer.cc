#include "cli/answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/page.h"
#include "cli/print.h"
#include "profile/values.h"

namespace sbox {

namespace {

std::string line_with(const Setting& row, const char* equals, std::string_view value) {
  std::string written = row.is_list() ? quote_element(value) : std::string(value);
  return "[" + std::string(row.section) + "] " + std::string(row.name) + " " + equals + " " + written;
}

}  // namespace

std::string line_of(Key key, std::string_view value) { return line_with(setting(key), "=", value); }

void offer_removal(Answer& answer, const Profile& profile, const std::string& purpose, const Value& element) {
  std::string text = purpose + ", remove " + element.origin.text();
  auto has_it = [&](const Setting& row) {
    return row.is_list() && std::ranges::count(profile.list(row.key), element) > 0;
  };
  auto row = std::find_if(settings().begin(), settings().end(), has_it);
  if (row == settings().end()) return answer.say(text + ".");
  answer.offer(text + ", or write in a drop-in:", line_with(*row, "-=", element.text));
}

std::string by_line(const std::string& origin) {
  if (origin == "sbox") return "by what every sandbox has";
  return origin.empty() || origin == "default" ? "by default" : "by " + origin;
}

std::string answer_text(const std::string& profile, const Answer& answer) {
  Page page;
  page.heading(profile + ": " + answer.thing);
  for (const Answer::Part& part : answer.parts) {
    page.say(part.text);
    if (!part.line.empty()) page.item(part.line);
  }
  return page.text();
}

std::string answer_json(const std::string& profile, const Answer& answer, const std::string& missing) {
  using nlohmann::ordered_json;
  ordered_json text = ordered_json::array(), changes = ordered_json::array();
  for (const Answer::Part& part : answer.parts) {
    if (part.line.empty()) text.push_back(part.text);
    if (!part.line.empty()) changes.push_back({{"purpose", part.text}, {"line", part.line}});
  }
  ordered_json all = {{"profile", profile},       {"kind", answer.kind},     {"thing", answer.thing},
                      {"answer", answer.verdict}, {"origin", answer.origin}, {"text", text},
                      {"changes", changes},       {"missing", missing}};
  return json_text(all);
}

}  // namespace sbox
