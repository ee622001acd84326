#include <algorithm>
#include <iterator>

#include "base/contains.h"
#include "cli/explain_thing.h"
#include "plan/bus_rules.h"
#include "plan/paths.h"
#include "profile/dangers.h"
#include "profile/values.h"

namespace sbox {
namespace {

// One of the two buses, as a profile sees it.
struct BusSide {
  const char* name;
  Key mode, talk, own, call;
};
constexpr BusSide kSession{"session bus", Key::dbus_session, Key::dbus_talk, Key::dbus_own, Key::dbus_call};
constexpr BusSide kSystem{"system bus", Key::dbus_system, Key::dbus_system_talk, Key::dbus_system_own,
                          Key::dbus_system_call};

bool is_activatable(const Host& host, const std::string& directory, const std::string& name) {
  return host.status(join(join("/usr/share/dbus-1", directory), name + ".service")).kind == FileKind::file;
}

// Names that no service file tells of: their owners run all the time.
bool is_usual_system_name(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "org.freedesktop.NetworkManager", "org.freedesktop.UPower", "org.bluez",
      "org.freedesktop.UDisks2",        "org.freedesktop.login1", "org.freedesktop.Avahi"};
  return contains(kNames, name);
}

struct PolicyRow {
  std::string_view policy;
  const char* sentence;
};
constexpr PolicyRow kPolicies[] = {
    {"own", "it may be that name itself"},    {"talk", "it may call and hear it"},       {"call", "it may call"},
    {"broadcast", "it may hear its signals"}, {"see", "it may see whether it is there"},
};

std::string sentence_for(const BusRule& rule) {
  auto row = std::find_if(std::begin(kPolicies), std::end(kPolicies),
                          [&](const PolicyRow& each) { return each.policy == rule.policy; });
  std::string text = row->sentence;
  size_t equals = rule.text.find('=');
  return equals == std::string::npos ? text : text + " " + rule.text.substr(equals + 1);
}

void say_rules(Answer& answer, const Profile& profile, const BusSide& side, const std::vector<BusRule>& rules) {
  for (const BusRule& rule : rules) {
    answer.say("Yes, on the " + std::string(side.name) + ": " + sentence_for(rule) + ", " +
               by_line(rule.origin.text()) + ".");
  }
  auto is_whole = [](const BusRule& rule) { return rule.policy == "talk" || rule.policy == "own"; };
  auto whole = std::find_if(rules.begin(), rules.end(), is_whole);
  answer.verdict = whole == rules.end() && answer.verdict != "yes" ? "partly" : "yes";
  const BusRule& rule = whole == rules.end() ? rules.front() : *whole;
  answer.origin = rule.origin.text();
  offer_removal(answer, profile, "To take it away", {rule.text, rule.origin});
}

void say_how(Answer& answer, const Profile& profile, const BusSide& side) {
  const std::string& name = answer.thing;
  bool is_missing = profile.text(side.mode) == "no";
  if (is_missing)
    answer.offer("To let it, it first needs the " + std::string(side.name) + ":", line_of(side.mode, "filtered"));
  if (name.starts_with("org.mpris.MediaPlayer2.") || name.starts_with("org.kde.StatusNotifierItem-")) {
    return answer.offer("To let it be that name:", line_of(side.own, name));
  }
  if (is_dangerous_bus_name(name)) answer.say("Mind that it gives more than a sandbox should have.");
  answer.offer("To let it call and hear it:", line_of(side.talk, name));
  answer.offer("To let it call one method alone:", line_of(side.call, name + "=INTERFACE.METHOD@PATH"));
}

}  // namespace

Answer explain_bus_name(const Inquiry& inquiry, const std::string& name) {
  const Profile& profile = inquiry.profile;
  check_value(setting(Key::dbus_talk), {name, {"command line", 0}});
  Answer answer{.kind = "bus name", .thing = name, .verdict = "no", .origin = "", .parts = {}};
  bool is_full = profile.text(Key::dbus_session) == "full";
  if (is_full) {
    answer.verdict = "yes";
    answer.origin = profile.scalar(Key::dbus_session).origin.text();
    answer.say("Yes: all of the session bus, unfiltered, " + by_line(answer.origin) + ".");
    answer.offer("To let it only what lines name:", line_of(Key::dbus_session, "filtered"));
  }
  auto covering = [&](std::vector<BusRule> rules) {
    std::erase_if(rules, [&](const BusRule& rule) { return !rule.covers(name); });
    return rules;
  };
  std::vector<BusRule> session = is_full ? std::vector<BusRule>() : covering(session_bus_rules(profile));
  std::vector<BusRule> system = covering(system_bus_rules(profile));
  if (!session.empty()) say_rules(answer, profile, kSession, session);
  if (!system.empty()) say_rules(answer, profile, kSystem, system);
  if (answer.verdict != "no") return answer;
  bool is_system = (is_activatable(inquiry.host, "system-services", name) || is_usual_system_name(name)) &&
                   !is_activatable(inquiry.host, "services", name);
  const BusSide& side = is_system ? kSystem : kSession;
  const Value* session_by = asks_for_session_bus(profile);
  bool has_bus = is_system ? profile.text(Key::dbus_system) != "no" : session_by != nullptr;
  answer.say(has_bus ? "No: on the " + std::string(side.name) + " it is not there for the program: no line names it."
                     : "No: the program has no " + std::string(side.name) + ".");
  if (name.starts_with("org.freedesktop.impl.")) {
    answer.say("No line changes that: it is the inner side of the portals.");
  } else {
    say_how(answer, profile, side);
  }
  return answer;
}

}  // namespace sbox
