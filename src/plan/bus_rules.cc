#include "plan/bus_rules.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"

namespace sbox {
namespace {

struct ListRow {
  Key key;
  std::string_view policy;
};
constexpr ListRow kSession[] = {
    {Key::dbus_see, "see"},   {Key::dbus_talk, "talk"},           {Key::dbus_own, "own"},
    {Key::dbus_call, "call"}, {Key::dbus_broadcast, "broadcast"},
};
constexpr ListRow kSystem[] = {
    {Key::dbus_system_see, "see"},   {Key::dbus_system_talk, "talk"},           {Key::dbus_system_own, "own"},
    {Key::dbus_system_call, "call"}, {Key::dbus_system_broadcast, "broadcast"},
};

// What a word of another section needs of the session bus. By interface: whoever may talk to a name may call all that
// its owner offers, and behind these there can be a whole desktop shell, with its scripts and the clipboard. Of an
// interface it is what shows something: on Plasma that of notifications also turns off those of all others and tells
// what the user has answered to theirs.
struct ImpliedRow {
  Key key;
  std::string_view policy, text;
};
constexpr ImpliedRow kImplied[] = {
    {Key::desktop_notifications, "call",
     "org.freedesktop.Notifications=org.freedesktop.Notifications.CloseNotification"},
    {Key::desktop_notifications, "call", "org.freedesktop.Notifications=org.freedesktop.Notifications.GetCapabilities"},
    {Key::desktop_notifications, "call",
     "org.freedesktop.Notifications=org.freedesktop.Notifications.GetServerInformation"},
    {Key::desktop_notifications, "call", "org.freedesktop.Notifications=org.freedesktop.Notifications.Notify"},
    {Key::desktop_notifications, "call",
     "org.freedesktop.Notifications=org.freedesktop.DBus.Properties.GetAll@/org/freedesktop/Notifications"},
    {Key::desktop_notifications, "call",
     "org.freedesktop.Notifications=org.freedesktop.DBus.Introspectable.Introspect@/org/freedesktop/Notifications"},
    {Key::desktop_notifications, "broadcast",
     "org.freedesktop.Notifications=org.freedesktop.Notifications.ActionInvoked"},
    {Key::desktop_notifications, "broadcast",
     "org.freedesktop.Notifications=org.freedesktop.Notifications.ActivationToken"},
    {Key::desktop_notifications, "broadcast",
     "org.freedesktop.Notifications=org.freedesktop.Notifications.NotificationClosed"},
    {Key::desktop_portals, "talk", "org.freedesktop.portal.Desktop"},
    {Key::desktop_portals, "talk", "org.freedesktop.portal.Documents"},
    {Key::desktop_input_method, "talk", "org.freedesktop.portal.Fcitx"},
    {Key::desktop_input_method, "talk", "org.freedesktop.portal.IBus"},
    {Key::desktop_tray, "call",
     "org.kde.StatusNotifierWatcher=org.freedesktop.DBus.Introspectable.Introspect@/StatusNotifierWatcher"},
    {Key::desktop_tray, "call",
     "org.kde.StatusNotifierWatcher=org.freedesktop.DBus.Properties.Get@/StatusNotifierWatcher"},
    {Key::desktop_tray, "call",
     "org.kde.StatusNotifierWatcher=org.freedesktop.DBus.Properties.GetAll@/StatusNotifierWatcher"},
    {Key::desktop_tray, "call",
     "org.kde.StatusNotifierWatcher=org.kde.StatusNotifierWatcher.RegisterStatusNotifierItem"},
    {Key::desktop_tray, "broadcast", "org.kde.StatusNotifierWatcher=org.kde.StatusNotifierWatcher.*"},
};

// Whether a rule gives org.freedesktop.impl.*: by itself, or as a part of all that is below a shorter name.
bool reaches_inner_portals(std::string_view rule) {
  constexpr std::string_view kInner = "org.freedesktop.impl.", kBelow = ".*";
  std::string_view name = rule.substr(0, rule.find('='));
  if (!name.ends_with(kBelow)) return name.starts_with(kInner);
  name.remove_suffix(1);
  return name.starts_with(kInner) || kInner.starts_with(name);
}

template <typename Table>
std::vector<BusRule> written(const Profile& profile, const Table& table) {
  std::vector<BusRule> rules;
  for (const ListRow& row : table) {
    for (const Value& value : profile.list(row.key)) rules.push_back({row.policy, value.text, value.origin});
  }
  return rules;
}

// Tray icons have names with the number of their process and one that counts them. The proxy has no pattern for these,
// but the first processes of a sandbox have the lowest numbers.
void add_tray_names(const Origin& origin, std::vector<BusRule>& rules) {
  constexpr int kFirstProcess = 2, kLastProcess = 33, kIcons = 2;
  for (int process = kFirstProcess; process <= kLastProcess; ++process) {
    for (int icon = 1; icon <= kIcons; ++icon) {
      std::string name = "org.kde.StatusNotifierItem-" + std::to_string(process) + "-" + std::to_string(icon);
      rules.push_back({"own", std::move(name), origin});
    }
  }
}

}  // namespace

bool BusRule::covers(std::string_view name) const {
  constexpr std::string_view kBelow = ".*";
  std::string_view own = std::string_view(text).substr(0, text.find('='));
  if (!own.ends_with(kBelow)) return own == name;
  own.remove_suffix(kBelow.size());
  return name.starts_with(own) && (name.size() == own.size() || name[own.size()] == '.');
}

bool BusRule::allows(std::string_view name, std::string_view method, std::string_view path) const {
  if (!covers(name)) return false;
  size_t equals = text.find('=');
  if (equals == std::string::npos) return policy == "talk" || policy == "own";
  auto is_it = [](std::string_view rule, std::string_view what) {
    if (!rule.ends_with('*')) return rule == what;
    rule.remove_suffix(1);
    return what.starts_with(rule);
  };
  std::string_view rule = std::string_view(text).substr(equals + 1), methods = rule.substr(0, rule.find('@'));
  bool names_path = methods.size() != rule.size();
  return (methods.empty() || is_it(methods, method)) && (!names_path || is_it(rule.substr(methods.size() + 1), path));
}

std::vector<BusRule> session_bus_rules(const Profile& profile) {
  std::vector<BusRule> lines = written(profile, kSession), rules;
  for (const BusRule& rule : lines) {
    if (!reaches_inner_portals(rule.text)) continue;
    throw Error("dbus name " + quote(rule.text), "covers the inner side of the portals").at(rule.origin);
  }
  if (profile.text(Key::dbus_session) == "filtered") rules = std::move(lines);
  for (const ImpliedRow& row : kImplied) {
    auto is_same = [&](const BusRule& rule) { return rule.policy == row.policy && rule.text == row.text; };
    if (!profile.flag(row.key) || std::any_of(rules.begin(), rules.end(), is_same)) continue;
    rules.push_back({row.policy, std::string(row.text), profile.scalar(row.key).origin});
  }
  if (profile.flag(Key::desktop_tray)) add_tray_names(profile.scalar(Key::desktop_tray).origin, rules);
  return rules;
}

std::vector<BusRule> system_bus_rules(const Profile& profile) {
  return profile.text(Key::dbus_system) == "filtered" ? written(profile, kSystem) : std::vector<BusRule>();
}

const Value* asks_for_session_bus(const Profile& profile) {
  const Value& session = profile.scalar(Key::dbus_session);
  if (session.text != "no") return &session;
  for (const ImpliedRow& row : kImplied) {
    if (profile.flag(row.key)) return &profile.scalar(row.key);
  }
  return nullptr;
}

}  // namespace sbox
