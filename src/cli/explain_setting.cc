#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "cli/explain_thing.h"
#include "profile/values.h"

namespace sbox {
namespace {

// What people call things that have another name in a profile.
struct Alias {
  std::string_view word;
  Key key;
};
constexpr Alias kAliases[] = {
    {"audio", Key::audio_playback},     {"microphone", Key::audio_record},  {"network", Key::network_mode},
    {"printer", Key::desktop_printing}, {"sound", Key::audio_playback},     {"webcam", Key::devices_camera},
    {"home", Key::home_mode},           {"session-bus", Key::dbus_session}, {"system-bus", Key::dbus_system},
    {"seccomp", Key::seccomp_mode},
};

bool is_switch(const Setting& row) { return row.type == Type::boolean || row.type == Type::choice; }

std::vector<std::string> choices_of(const Setting& row) {
  return split(row.type == Type::boolean ? "yes|no" : row.choices, '|');
}

void explain_list(Answer& answer, const Profile& profile, const Setting& row) {
  for (const Value& value : profile.list(row.key)) {
    answer.verdict = "yes";
    if (answer.origin.empty()) answer.origin = value.origin.text();
    answer.say("Yes: " + shown(row, value) + ", " + by_line(value.origin.text()) + ".");
  }
  if (answer.verdict == "no") answer.say("No: nothing is named.");
  answer.offer("To add to it:", line_of(row.key, "VALUE"));
}

void say_devices(Answer& answer, const Plan& plan, const std::string& origin) {
  std::string nodes;
  for (const Node& node : plan.nodes) {
    if (node.device && node.origin == origin) nodes += (nodes.empty() ? "" : " ") + node.target;
  }
  answer.say(nodes.empty() ? "This host has no such device now." : "Here it is " + nodes + ".");
}

void explain_switch(Answer& answer, const Inquiry& inquiry, const Setting& row) {
  const Value& value = inquiry.profile.scalar(row.key);
  bool is_off = value.text == "no" || value.text == "none" || value.text == "empty";
  answer.verdict = is_off ? "no" : "yes";
  answer.origin = value.origin.text();
  answer.say((is_off ? "No: " : "Yes: ") + shown(row, value) + ", " + by_line(answer.origin) + ".");
  bool is_device = row.section == "devices" && row.key != Key::devices_smart_cards;
  if (is_device && !is_off) say_devices(answer, inquiry.plan, answer.origin);
  for (const std::string& choice : choices_of(row)) {
    bool takes_away = choice == "no" || choice == "none" || choice == "empty";
    if (choice == value.text) continue;
    answer.offer(takes_away ? "To take it away:" : is_off ? "To let it:" : "Or:", line_of(row.key, choice));
  }
}

}  // namespace

std::optional<Key> setting_named(std::string_view word) {
  size_t dot = word.find('.');
  if (dot != std::string_view::npos) {
    const Setting* row = find_setting(word.substr(0, dot), word.substr(dot + 1));
    return row ? std::optional(row->key) : std::nullopt;
  }
  auto alias =
      std::find_if(std::begin(kAliases), std::end(kAliases), [&](const Alias& each) { return each.word == word; });
  if (alias != std::end(kAliases)) return alias->key;
  // A word that stands for one thing only, as `camera` does.
  std::optional<Key> found;
  for (const Setting& row : settings()) {
    if (row.name != word || !is_switch(row)) continue;
    if (found) return std::nullopt;
    found = row.key;
  }
  return found;
}

std::vector<std::string> setting_words() {
  std::vector<std::string> words;
  for (const Setting& row : settings()) {
    std::string name(row.name);
    if (is_switch(row) && setting_named(name) == row.key) words.push_back(std::move(name));
  }
  for (const Alias& alias : kAliases) words.emplace_back(alias.word);
  return words;
}

Answer explain_setting(const Inquiry& inquiry, const std::string& word) {
  std::optional<Key> key = setting_named(word);
  if (!key) throw Error("setting " + quote(word), "unknown").hint("see sbox-profile(5)");
  const Setting& row = setting(*key);
  Answer answer{.kind = "setting", .thing = key_name(row), .verdict = "no", .origin = "", .parts = {}};
  if (row.is_list()) {
    explain_list(answer, inquiry.profile, row);
  } else if (is_switch(row)) {
    explain_switch(answer, inquiry, row);
  } else {
    const Value& value = inquiry.profile.scalar(row.key);
    answer.verdict = "yes";
    answer.origin = value.origin.text();
    answer.say(shown(row, value) + ", " + by_line(answer.origin) + ".");
  }
  answer.say(std::string(row.meaning));
  return answer;
}

}  // namespace sbox
