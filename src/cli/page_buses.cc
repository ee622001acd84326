#include "cli/page_sections.h"

#include <algorithm>
#include <iterator>

namespace sbox {
namespace {

constexpr RuleRow kSessionRules[] = {
    {Key::dbus_talk, "It may call and hear:"},
    {Key::dbus_own, "It may be:"},
    {Key::dbus_see, "It may see the presence of:"},
    {Key::dbus_call, "It may call these methods alone:"},
    {Key::dbus_broadcast, "It may hear these signals alone:"},
};
constexpr RuleRow kSystemRules[] = {
    {Key::dbus_system_talk, "It may call and hear:"},
    {Key::dbus_system_own, "It may be:"},
    {Key::dbus_system_see, "It may see the presence of:"},
    {Key::dbus_system_call, "It may call these methods alone:"},
    {Key::dbus_system_broadcast, "It may hear these signals alone:"},
};
// Words that bring the filtered session bus along.
constexpr RuleRow kSessionWords[] = {
    {Key::desktop_notifications, "It may show notifications."},
    {Key::desktop_portals,
     "It may ask through portals: for files that you pick in a dialog, for links to be opened, for settings."},
    {Key::desktop_input_method, "Input methods hear what is typed into it, and type into it."},
    {Key::desktop_tray, "It may show an icon in the tray."},
};
constexpr char kWrittenDown[] = "What is denied to it there is written down, for `sbox log`.";
constexpr char kFiltered[] = "Through a filter that hides all but what is named here.";

}  // namespace

void explain_session_bus(Page& page, const Profile& profile) {
  page.heading("Session bus");
  std::string from = origin(profile, Key::dbus_session);
  const std::string& mode = profile.text(Key::dbus_session);
  if (mode == "full") return page.say("All of it, unfiltered.", from);
  auto is_set = [&](const RuleRow& word) { return profile.flag(word.key); };
  bool has_words = std::any_of(std::begin(kSessionWords), std::end(kSessionWords), is_set);
  if (mode == "no" && !has_words) return page.say("None.", from);
  page.say(kFiltered, mode == "no" ? "" : from);
  for (const RuleRow& row : kSessionRules) {
    if (mode != "no") list_rules(page, profile, row.key, row.sentence);
  }
  for (const RuleRow& row : kSessionWords) say_if(page, profile, row.key, row.sentence);
  say_if(page, profile, Key::dbus_log, kWrittenDown);
}

void explain_system_bus(Page& page, const Profile& profile) {
  page.heading("System bus");
  std::string from = origin(profile, Key::dbus_system);
  if (profile.text(Key::dbus_system) == "no") return page.say("None.", from);
  page.say(kFiltered, from);
  for (const RuleRow& row : kSystemRules) list_rules(page, profile, row.key, row.sentence);
  say_if(page, profile, Key::dbus_log, kWrittenDown);
}

}  // namespace sbox
