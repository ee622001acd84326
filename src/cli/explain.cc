#include "cli/explain.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/explain_thing.h"
#include "cli/print.h"
#include "plan/paths.h"
#include "plan/planner.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr uint64_t kScopeAbstractSockets = 1;  // LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET

std::string variable(const Plan& plan, std::string_view name) {
  for (const std::string& each : plan.environment) {
    if (each.size() > name.size() && each.starts_with(name) && each[name.size()] == '=') {
      return each.substr(name.size() + 1);
    }
  }
  return "";
}

// Where the value was written; empty for a default.
std::string origin(const Profile& profile, Key key) {
  return profile.is_set(key) ? profile.scalar(key).origin.text() : "";
}

std::string short_path(const std::string& path, const std::string& home) {
  return !home.empty() && is_at_or_below(path, home) ? join("~", rest_below(path, home)) : path;
}

std::string shown(const Node& node, const std::string& home) {
  std::string text = short_path(node.target, home);
  if (node.kind == NodeKind::bind && node.source != node.target) text += " (" + short_path(node.source, home) + ")";
  return text;
}

using Wanted = bool (*)(const Node&);

bool is_device(const Node& node) { return node.kind == NodeKind::bind && node.device; }
bool is_read_only(const Node& node) { return node.kind == NodeKind::bind && !node.device && !node.writable; }
bool is_read_write(const Node& node) { return node.kind == NodeKind::bind && !node.device && node.writable; }
bool is_overlay(const Node& node) { return node.kind == NodeKind::overlay; }
bool is_hidden(const Node& node) { return node.kind == NodeKind::hide; }
bool is_tmpfs(const Node& node) { return node.kind == NodeKind::tmpfs && node.writable; }

// What lines of the profile ask for, line by line; then what every sandbox has.
void list_nodes(Page& page, const Plan& plan, Wanted wanted, const std::string& sentence,
                const std::string& sentence_of_all) {
  std::string home = variable(plan, "HOME");
  std::map<std::string, std::vector<std::string>> by_origin;
  for (const Node& node : plan.nodes) {
    if (wanted(node)) by_origin[node.origin].push_back(shown(node, home));
  }
  auto of_all = by_origin.extract("sbox");
  if (!by_origin.empty()) page.say(sentence);
  for (const auto& [line, paths] : by_origin) page.items(paths, line);
  if (of_all.empty()) return;
  page.say(sentence_of_all);
  page.items(of_all.mapped());
}

void say_home(Page& page, const Profile& profile) {
  const std::string& mode = profile.text(Key::home_mode);
  std::string from = origin(profile, Key::home_mode);
  if (mode == "empty")
    page.say("The home directory is empty, but for what is named below, and forgotten at the end.", from);
  if (mode == "private")
    page.say("The home directory is the profile's own and kept; of the real one only what is named below.", from);
  if (mode == "overlay" && profile.list(Key::home_keep).empty())
    page.say("The home directory is the real one, copy-on-write.", from);
  if (mode == "overlay" && !profile.list(Key::home_keep).empty())
    page.say("Of the real home directory what is named below, copy-on-write.", from);
  if (mode == "host" && profile.list(Key::home_keep).empty())
    page.say("The home directory is the real one, all of it.", from);
  if (mode == "host" && !profile.list(Key::home_keep).empty())
    page.say("Of the real home directory what is named below.", from);
}

void list_places(Page& page, const Profile& profile, Key key, const std::string& sentence) {
  const std::vector<Value>& places = profile.list(key);
  if (places.empty()) return;
  page.say(sentence);
  for (const Value& place : places) page.item(place.text, place.origin.text());
}

void explain_files(Page& page, const Profile& profile, const Plan& plan) {
  page.heading("Files");
  say_home(page, profile);
  list_nodes(page, plan, is_read_write, "It may read and change:", "It may read and change, as sbox set it up:");
  list_nodes(page, plan, is_overlay,
             "It may read, and change in an overlay that you look through and take over from:", "");
  list_places(page, profile, Key::home_recover,
              "When it has ended, a notification offers to take over the files that it added or changed in:");
  list_nodes(page, plan, is_read_only, "It may read:", "It may read, as every program on this desktop needs:");
  list_nodes(page, plan, is_hidden, "Hidden:", "Hidden in every sandbox:");
  list_nodes(page, plan, is_tmpfs, "Its own, empty at the start and forgotten at the end:",
             "Its own in every sandbox, empty at the start and forgotten at the end:");
  const std::string& arguments = profile.text(Key::files_arguments);
  if (arguments != "no") {
    page.say("Files named on the command line are granted for that run, " + arguments + ".",
             origin(profile, Key::files_arguments));
  }
  page.say("Nothing else of the host's files is there.");
}

void explain_devices(Page& page, const Plan& plan) {
  page.heading("Devices");
  list_nodes(page, plan, is_device, "By the profile:", "Those of every sandbox, which are no hardware:");
}

void say_if(Page& page, const Profile& profile, Key key, const std::string& sentence) {
  if (profile.flag(key)) page.say(sentence, origin(profile, key));
}

void explain_private_network(Page& page, const Profile& profile, const std::string& from) {
  page.say("A network of its own, from which it connects outward, but not to this machine.", from);
  list_places(page, profile, Key::network_connect, "It may connect to these places alone:");
  list_places(page, profile, Key::network_deny, "It may not connect to:");
  list_places(page, profile, Key::network_listen, "It may be reached at these ports, from this machine:");
  list_places(page, profile, Key::network_forward, "These ports of this machine lead to it:");
  list_places(page, profile, Key::network_dns, "It asks these name servers:");
  say_if(page, profile, Key::network_log, "What is refused is written down, for `sbox log`.");
  const Value& bandwidth = profile.scalar(Key::network_bandwidth);
  if (!bandwidth.text.empty()) {
    page.say("Most bytes in a second: " + bandwidth.text + ".", bandwidth.origin.text());
  }
  const Value& proxy = profile.scalar(Key::network_proxy);
  if (!proxy.text.empty()) page.say("Everything goes through the proxy " + proxy.text + ".", proxy.origin.text());
}

void explain_host_network(Page& page, const Profile& profile, const std::string& from) {
  if (profile.list(Key::network_connect).empty()) {
    page.say("The host's: every address that this machine reaches, itself included.", from);
  } else {
    page.say("The host's, this machine's own services included.", from);
  }
  list_places(page, profile, Key::network_connect, "It may connect to these ports alone:");
  list_places(page, profile, Key::network_listen, "It may listen at these ports of TCP alone:");
}

void explain_network(Page& page, const Profile& profile) {
  page.heading("Network");
  std::string from = origin(profile, Key::network_mode);
  const std::string& mode = profile.text(Key::network_mode);
  if (mode == "none") page.say("None: only a loopback of its own.", from);
  if (mode == "private") explain_private_network(page, profile, from);
  if (mode == "host") explain_host_network(page, profile, from);
}

void explain_display(Page& page, const Profile& profile, const Plan& plan) {
  page.heading("Display and sound");
  bool has_wayland = !variable(plan, "WAYLAND_DISPLAY").empty(), has_x11 = !variable(plan, "DISPLAY").empty();
  bool is_confined = std::any_of(plan.helpers.begin(), plan.helpers.end(),
                                 [](const Helper& helper) { return helper.name == "sbox-wayland"; });
  if (has_wayland) {
    page.say(is_confined ? "Wayland: its own windows; the compositor hides from it what is not for sandboxed clients."
                         : "Wayland: its own windows, and what this compositor offers to every client: with some, "
                           "pictures of the screen, the clipboard and made-up keys. It has no security context.",
             origin(profile, Key::display_wayland));
  }
  bool is_nested = profile.text(Key::display_x11) == "nested";
  if (has_x11) {
    page.say(is_nested ? "X11: a server of its own, in a window; nothing of the session's screen, keys or clipboard."
                       : "X11: the whole screen and keyboard (see below).",
             origin(profile, Key::display_x11));
  }
  bool wants = profile.flag(Key::display_wayland) || profile.text(Key::display_x11) != "no";
  if (wants && !has_wayland && !has_x11) page.say("The profile asks for a display, but there is none here now.");
  if (!wants) page.say("No display.");
  if (profile.flag(Key::audio_record)) {
    page.say("The sound server, where the host has one: it may play and record.", origin(profile, Key::audio_record));
  } else if (profile.flag(Key::audio_playback)) {
    page.say("Sound, where the host has a sound server: it may play, not record.",
             origin(profile, Key::audio_playback));
  } else {
    page.say("No sound.");
  }
}

void list_rules(Page& page, const Profile& profile, Key key, const std::string& sentence) {
  const std::vector<Value>& rules = profile.list(key);
  if (rules.empty()) return;
  page.say(sentence);
  std::map<std::string, std::vector<std::string>> by_origin;
  for (const Value& rule : rules) by_origin[rule.origin.text()].push_back(rule.text);
  for (const auto& [line, texts] : by_origin) page.items(texts, line);
}

struct RuleRow {
  Key key;
  const char* sentence;
};
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

constexpr RuleRow kServices[] = {
    {Key::desktop_accessibility,
     "The accessibility bus: screen readers and the like see its windows, and it sees none."},
    {Key::desktop_printing, "The print server."},
    {Key::devices_smart_cards, "Smart cards."},
    {Key::desktop_ssh_agent, "The SSH agent: it signs with your keys."},
    {Key::desktop_gpg_agent,
     "The GnuPG agent: it signs and decrypts with your keys. Your public keys are there to read."},
};

void explain_services(Page& page, const Profile& profile) {
  page.heading("Services");
  auto is_granted = [&](const RuleRow& row) { return profile.flag(row.key); };
  if (std::none_of(std::begin(kServices), std::end(kServices), is_granted)) page.say("None.");
  for (const RuleRow& row : kServices) say_if(page, profile, row.key, row.sentence);
}

// What it learns of the user and of this machine besides files.
void explain_environment(Page& page, const Profile& profile) {
  page.heading("Environment");
  page.say("Of the caller's variables it has language, terminal, theme and the like.");
  list_rules(page, profile, Key::environment_keep, "Besides these:");
  list_rules(page, profile, Key::environment_set, "Set for it:");
  if (profile.text(Key::system_machine_id) == "host")
    page.say("It knows this machine by its machine-id.", origin(profile, Key::system_machine_id));
  if (profile.text(Key::system_hostname) == "host")
    page.say("It knows the name of this machine.", origin(profile, Key::system_hostname));
  const std::string& zone = profile.text(Key::system_time_zone);
  if (zone != "host") page.say("Its time zone is " + zone + ".", origin(profile, Key::system_time_zone));
}

void explain_process(Page& page, const Profile& profile) {
  page.heading("Processes");
  if (profile.text(Key::profile_instance) == "single") {
    page.say(
        "There is one of it: a second start reaches the one that runs, with the settings that this was started with.");
  }
  page.say("It sees no process but its own, gains no rights by set-user-ID programs, and all of it ends together.");
  bool is_filtered = profile.text(Key::seccomp_mode) != "none";
  page.say(is_filtered ? "System calls are filtered by an allow-list." : "System calls are not filtered.",
           origin(profile, Key::seccomp_mode));
  if (is_filtered) {
    if (profile.text(Key::seccomp_action) == "kill")
      page.say("One that is denied ends the program.", origin(profile, Key::seccomp_action));
    list_rules(page, profile, Key::seccomp_allow, "Further system calls:");
    list_rules(page, profile, Key::seccomp_deny, "System calls taken away:");
    say_if(page, profile, Key::seccomp_log, "Those that are denied are written down, for `sbox log`.");
  }
  if (profile.text(Key::process_nested_sandbox) != "no") {
    page.say("It may make user namespaces, for a sandbox of its own.", origin(profile, Key::process_nested_sandbox));
  }
  say_if(page, profile, Key::process_debug, "Its processes may trace each other.");
  say_if(page, profile, Key::process_write_xor_execute, "No memory is writable and executable.");
  say_if(page, profile, Key::seccomp_32_bit, "32-bit programs run.");
}

void explain_limits(Page& page, const Profile& profile) {
  page.heading("Limits");
  bool is_any = false;
  for (const Setting& row : settings()) {
    bool is_own = row.section == "limits", is_limit = is_own || row.type == Type::size;
    if (!is_limit || profile.text(row.key) == row.fallback) continue;
    page.say((is_own ? std::string(row.name) : key_name(row)) + " = " + profile.text(row.key),
             origin(profile, row.key));
    is_any = true;
  }
  if (!is_any) page.say("None but the session's own; it leaves no core dumps.");
}

struct Concern {
  bool (*applies)(const Profile&, const Plan&);
  const char* text;
};

constexpr Concern kConcerns[] = {
    {[](const Profile& p, const Plan& plan) {
       return p.text(Key::display_x11) != "nested" && !variable(plan, "DISPLAY").empty();
     },
     "X11 keeps no program apart from another: it can read every key, take pictures of every window, and type into "
     "them "
     "(a terminal's too). Only Wayland prevents that (display.x11 = no)."},
    {[](const Profile& p, const Plan&) { return p.text(Key::network_mode) == "host"; },
     "With the host's network it reaches the services that listen on this machine alone, and the local network."},
    {[](const Profile& p, const Plan& plan) {
       return p.text(Key::network_mode) == "host" && !(plan.landlock.scoped & kScopeAbstractSockets);
     },
     "This kernel cannot keep it from the abstract sockets of the host (Landlock ABI 6 could): X11's and the session's "
     "may be in reach."},
    {[](const Profile& p, const Plan&) { return p.text(Key::dbus_session) == "full"; },
     "The unfiltered session bus starts programs outside on demand: this is as good as no sandbox."},
    {[](const Profile& p, const Plan&) { return p.text(Key::home_mode) == "host" && p.list(Key::home_keep).empty(); },
     "It can change the files of the home directory that run at login or hold keys and passwords."},
    {[](const Profile& p, const Plan&) {
       return p.text(Key::home_mode) == "overlay" && p.list(Key::home_keep).empty();
     },
     "It can read all of the home directory, keys and passwords included. What is taken over from the overlay is what "
     "it wrote: look at it first."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::audio_record); },
     "It can listen through the microphones, and to what others play. PulseAudio also loads modules on request."},
    {[](const Profile&, const Plan& plan) { return !variable(plan, "WAYLAND_DISPLAY").empty(); },
     "A Wayland compositor that offers screen copies, the clipboard or virtual keyboards to every client offers "
     "them to it too."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_input); },
     "Who reads input devices sees every key that is pressed in any program."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_camera); }, "It can watch through the cameras."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_usb); },
     "Raw USB is storage, keyboards and security keys."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::desktop_printing); },
     "Who may administer printers (as a member of the group lpadmin) may do so from inside too."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::desktop_ssh_agent); },
     "While it runs it can log in wherever the keys in the SSH agent open a door, this machine included; `ssh-add -c` "
     "makes the agent ask each time."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::desktop_gpg_agent); },
     "While it runs it can decrypt and sign with every GnuPG key whose passphrase the agent remembers."},
    {[](const Profile& p, const Plan&) { return p.flag(Key::devices_smart_cards); },
     "It can use a smart card that another program has unlocked."},
    {[](const Profile& p, const Plan&) { return p.text(Key::process_nested_sandbox) != "no"; },
     "User namespaces open more of the kernel to it."},
    {[](const Profile& p, const Plan&) { return p.text(Key::process_nested_sandbox) == "mounts"; },
     "So that it may mount, Landlock does not watch its files (the mount view is the only wall around them), and "
     "nothing "
     "covers what /proc tells of the machine."},
    {[](const Profile& p, const Plan&) { return p.text(Key::seccomp_mode) == "none"; },
     "Without a filter all of the kernel is open to it."},
};

void explain_concerns(Page& page, const Profile& profile, const Plan& plan) {
  page.heading("What to mind");
  bool is_any = false;
  for (const Concern& concern : kConcerns) {
    if (!concern.applies(profile, plan)) continue;
    page.say(std::string("- ") + concern.text);
    is_any = true;
  }
  if (!is_any) page.say("Nothing in particular.");
}

Plan plan_for_some_program(const Profile& profile, const std::string& prefix, const Host& host) {
  std::vector<std::string> programs = {profile.name()};
  for (const Value& program : profile.list(Key::profile_programs)) programs.push_back(program.text);
  for (const std::string& program : programs) {
    try {
      return make_plan(profile, {.program = program, .arguments = {}, .instance = "", .prefix = prefix}, host);
    } catch (const Error& error) {
      if (error.exit_status() != kExitNotFound && error.exit_status() != kExitNotExecutable) throw;
    }
  }
  return make_plan(profile, {.program = "/bin/true", .arguments = {}, .instance = "", .prefix = prefix}, host);
}

}  // namespace

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

Plan plan_to_explain(const SearchPath& search, const std::string& name, const std::string& prefix, const Host& host,
                     std::string& missing) {
  missing.clear();
  try {
    return plan_for_some_program(read_profile(search, name), prefix, host);
  } catch (const Error& error) {
    missing = error.line();
  }
  std::vector<Override> overrides;
  for (const char* feature : {"display", "abstract-sockets"}) {
    overrides.push_back({Override::Operation::add, Key::profile_optional, feature});
  }
  Profile profile = read_profile(search, name, overrides);
  for (;;) {
    try {
      return plan_for_some_program(profile, prefix, host);
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
  return all.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

int run_explain(const SearchPath& search, const Host& host, const std::string& prefix,
                const std::vector<std::string>& arguments) {
  constexpr char kUsage[] = "sbox explain [--json] PROFILE [THING]";
  std::vector<std::string> names = arguments;
  bool as_json = std::erase(names, "--json") > 0;
  for (const std::string& name : names) {
    if (name.starts_with('-')) throw Error("explain " + quote(name), "there is no such option").hint(kUsage);
  }
  if (names.empty() || names.size() > 2) {
    throw Error("explain", "needs a profile, and at most one thing").hint(kUsage);
  }
  Profile profile = read_profile(search, names[0]);
  std::string missing, text;
  Plan plan = plan_to_explain(search, names[0], prefix, host, missing);
  if (names.size() == 1) {
    Page page = explain_page(profile, plan);
    text = as_json ? page_json(profile.name(), page, missing) : page.text();
  } else {
    Answer answer = explain_thing({profile, plan, host}, names[1]);
    text = as_json ? answer_json(profile.name(), answer, missing) : answer_text(profile.name(), answer);
  }
  if (!missing.empty() && !as_json) text += "\nOn this host it cannot start now:\n  " + missing + "\n";
  print(text);
  return 0;
}

}  // namespace sbox
