#include "cli/answer.h"

#include <nlohmann/json.hpp>

#include "cli/page.h"
#include "profile/values.h"

namespace sbox {

std::string line_of(Key key, std::string_view value) {
  const Setting& row = setting(key);
  std::string written = row.is_list() ? quote_element(value) : std::string(value);
  return "[" + std::string(row.section) + "] " + std::string(row.name) + " = " + written;
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
  return all.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace sbox
