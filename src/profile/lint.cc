#include "profile/lint.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/strings.h"
#include "profile/dangers.h"
#include "profile/macros.h"
#include "profile/network_syntax.h"
#include "profile/path_syntax.h"
#include "profile/values.h"

namespace sbox {
namespace {

struct DangerousChoice {
  Key key;
  std::string_view value, why;
};
constexpr DangerousChoice kDangerousChoices[] = {
    {Key::seccomp_mode, "none", "every system call of the kernel can be attacked"},
    {Key::dbus_session, "full", "a program on the unfiltered session bus can start others outside the sandbox"},
    {Key::devices_input, "yes", "the program can read every key that is pressed"},
    {Key::devices_usb, "yes", "the program can drive every USB device, also keyboards and disks"},
    {Key::process_debug, "yes", "the processes of the sandbox can take each other over"},
    {Key::process_nested_sandbox, "mounts",
     "Landlock does not watch the files, the mount view alone does, and /proc has no covers"},
};

// Where the sandbox has something by itself, or by a setting of another kind.
constexpr std::string_view kShownAnyway[] = {"/usr",   "/etc",    "/bin", "/sbin",     "/lib",  "/lib32",
                                             "/lib64", "/libx32", "/dev", "/sys",      "/proc", "/run",
                                             "/var",   "/tmp",    "/opt", "${RUNTIME}"};

class Linter {
 public:
  Linter(const Profile& profile, LintScope scope) : profile_(profile), scope_(scope) {}

  std::vector<Finding> run() {
    check_description();
    for (const Setting& row : settings()) {
      if (!profile_.is_set(row.key)) continue;
      check_dangerous_choice(row);
      if (row.is_list()) check_duplicates(row);
      if (scope_ == LintScope::whole) check_default(row);
      if (scope_ == LintScope::whole) check_effect(row);
    }
    for (Key key : {Key::home_keep, Key::home_recover, Key::files_read_write}) check_paths(key, true);
    for (Key key : {Key::home_keep_read_only, Key::files_read_only}) check_paths(key, false);
    check_overruled();
    check_variables();
    check_words();
    check_home();
    check_display();
    check_bus();
    check_agent();
    check_printing();
    if (scope_ == LintScope::whole) check_hidden();
    return std::move(findings_);
  }

 private:
  void warn(const Origin& where, std::string text, std::string hint = "") {
    findings_.push_back({Finding::Severity::warning, where, std::move(text), std::move(hint)});
  }
  void warn(const Setting& row, const Value& value, std::string_view why, std::string hint = "") {
    warn(value.origin, shown(row, value) + ": " + std::string(why), std::move(hint));
  }
  void warn_of_danger(const Origin& where, const std::string& what, std::string_view why, std::string hint) {
    std::string text = what + ": dangerous: " + std::string(why);
    findings_.push_back({Finding::Severity::danger, where, std::move(text), std::move(hint)});
  }
  void warn_of_danger(Key key, const Value& value, std::string_view why, std::string hint = "") {
    warn_of_danger(value.origin, shown(setting(key), value), why, std::move(hint));
  }
  // Of settings that are harmless alone and may come from several files.
  void warn_of_both(const std::string& settings, std::string_view why, std::string hint) {
    warn_of_danger({profile_.path(), 0}, settings, why, std::move(hint));
  }

  void check_description();
  void check_dangerous_choice(const Setting& row);
  void check_duplicates(const Setting& row);
  void check_overruled();
  void check_variables();
  void check_default(const Setting& row);
  void check_effect(const Setting& row);
  void check_paths(Key key, bool writable);
  void check_words();
  void check_home();
  void check_display();
  void check_bus();
  bool has_filtered_bus() const;
  void check_agent();
  void check_printing();
  void check_hidden();

  const Profile& profile_;
  LintScope scope_;
  std::vector<Finding> findings_;
};

void Linter::check_description() {
  const Value& description = profile_.scalar(Key::profile_description);
  if (!profile_.is_set(Key::profile_description)) {
    bool needed = scope_ == LintScope::whole;
    if (needed) warn({profile_.path(), 0}, "the profile has no description", "add one line: description = ...");
  } else if (description.text.empty()) {
    warn(description.origin, "the description is empty", "say in one line what the profile is for");
  }
}

void Linter::check_dangerous_choice(const Setting& row) {
  for (const DangerousChoice& choice : kDangerousChoices) {
    const bool chosen = choice.key == row.key && profile_.scalar(row.key).text == choice.value;
    if (chosen) warn_of_danger(row.key, profile_.scalar(row.key), choice.why);
  }
}

void Linter::check_duplicates(const Setting& row) {
  const std::vector<Value>& list = profile_.list(row.key);
  for (auto value = list.begin(); value != list.end(); ++value) {
    auto same = [&](const Value& other) {
      return other.text == value->text && other.origin.file == value->origin.file;
    };
    auto earlier = std::find_if(list.begin(), value, same);
    if (earlier != value) {
      warn(row, *value, "useless: it is in line " + std::to_string(earlier->origin.line) + " already");
    }
  }
}

// One that another element of the same file or of the opposite list takes the effect from.
void Linter::check_overruled() {
  auto name = [](const Value& value) { return value.text.substr(0, value.text.find('=')); };
  const std::vector<Value>& set = profile_.list(Key::environment_set);
  for (auto value = set.begin(); value != set.end(); ++value) {
    auto again = std::find_if(value + 1, set.end(), [&](const Value& other) {
      return name(other) == name(*value) && other.text != value->text && other.origin.file == value->origin.file;
    });
    if (again == set.end()) continue;
    warn(setting(Key::environment_set), *value,
         "useless: line " + std::to_string(again->origin.line) + " sets it to another value");
  }
  const std::vector<Value>& denied = profile_.list(Key::seccomp_deny);
  for (const Value& value : profile_.list(Key::seccomp_allow)) {
    auto same = [&](const Value& other) { return other.text == value.text; };
    auto word = std::find_if(denied.begin(), denied.end(), same);
    if (word == denied.end() || word->origin.file != value.origin.file) continue;
    warn(setting(Key::seccomp_allow), value,
         "useless: seccomp.deny in line " + std::to_string(word->origin.line) + " takes it away");
  }
}

// Macros are of paths.
void Linter::check_variables() {
  for (const Value& value : profile_.list(Key::environment_set)) {
    bool has_macro = std::ranges::any_of(macros(), [&](const Macro& macro) {
      return value.text.find("${" + std::string(macro.name) + "}") != std::string::npos;
    });
    if (!has_macro && value.text.find("=~/") == std::string::npos) continue;
    warn(setting(Key::environment_set), value, "the program gets this as it stands: macros are for paths",
         "write the value itself");
  }
}

void Linter::check_default(const Setting& row) {
  if (!profile_.list(Key::profile_include).empty()) return;
  if (row.is_list()) {
    if (profile_.list(row.key).empty()) {
      warn({profile_.path(), 0}, key_name(row) + " =: useless: there is nothing to clear without an include");
    }
    return;
  }
  const Value& value = profile_.scalar(row.key);
  if (value.origin.file == profile_.path() && value.text == row.fallback && !row.fallback.empty()) {
    warn(row, value, "useless: this is the default");
  }
}

bool Linter::has_filtered_bus() const {
  constexpr Key kBringOne[] = {Key::desktop_notifications, Key::desktop_portals, Key::desktop_input_method,
                               Key::desktop_tray, Key::desktop_accessibility};
  return profile_.text(Key::dbus_system) == "filtered" || profile_.text(Key::dbus_session) == "filtered" ||
         std::any_of(std::begin(kBringOne), std::end(kBringOne), [&](Key key) { return profile_.flag(key); });
}

// A setting that another one makes void.
void Linter::check_effect(const Setting& row) {
  auto useless = [&](const char* why) {
    if (!row.is_list()) warn(row, profile_.scalar(row.key), std::string("useless: ") + why);
    for (const Value& value : profile_.list(row.key)) warn(row, value, std::string("useless: ") + why);
  };
  bool is_system_rule = row.type == Type::bus_rules && row.name.starts_with("system-");
  if (is_system_rule && profile_.text(Key::dbus_system) == "no") useless("there is no system bus (dbus.system = no)");
  bool is_bus_rule = row.type == Type::bus_rules && !is_system_rule;
  if (is_bus_rule && profile_.text(Key::dbus_session) == "no") useless("there is no session bus (dbus.session = no)");
  if (is_bus_rule && profile_.text(Key::dbus_session) == "full") useless("the session bus is not filtered");
  bool is_private = profile_.text(Key::network_mode) == "private";
  bool is_of_private = row.key == Key::network_log || row.key == Key::network_bandwidth;
  if (is_of_private && !is_private) useless("the network is not a private one");
  bool is_of_network = row.section == "network" && row.key != Key::network_mode && !is_of_private;
  if (is_of_network && profile_.text(Key::network_mode) == "none") useless("there is no network (network.mode = none)");
  if (row.key == Key::dbus_log && !has_filtered_bus()) useless("no bus is filtered");
  bool is_of_filter = row.section == "seccomp" && row.key != Key::seccomp_mode;
  if (is_of_filter && profile_.text(Key::seccomp_mode) == "none") useless("there is no filter (seccomp.mode = none)");
  bool may_mount = profile_.text(Key::process_nested_sandbox) == "mounts";
  if (row.key == Key::process_write_xor_execute && may_mount) useless("what may mount gets round it");
  bool is_overlay = profile_.text(Key::home_mode) == "overlay";
  if (row.key == Key::home_overlay && !is_overlay) useless("the home is no overlay");
  for (const Value& value : profile_.list(Key::home_recover)) {
    if (row.key == Key::home_recover && !is_overlay)
      warn(row, value, "the home is no overlay, so this starts with --ephemeral alone", "set home.mode = overlay");
  }
}

void Linter::check_paths(Key key, bool writable) {
  for (const Value& value : profile_.list(key)) {
    std::string_view why = danger_of_path(value.text, writable);
    if (!why.empty()) warn_of_danger(key, value, why, "name less");
  }
}

// What is written as if it meant something else, and is taken at its word.
void Linter::check_words() {
  for (const Setting& row : settings()) {
    if (row.type != Type::paths) continue;
    for (const Value& value : profile_.list(row.key)) {
      if (value.text.find(" #") != std::string::npos)
        warn(row, value, "the # is part of the path", "a comment has a line of its own");
    }
  }
  for (const Value& value : profile_.list(Key::network_deny)) {
    std::string lower = value.text;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (value.text != "lan" && nearest(lower, {"lan"}))
      warn(setting(Key::network_deny), value, "is the host of that name", "did you mean lan?");
  }
  if (profile_.text(Key::network_mode) != "private") return;
  for (const Value& value : profile_.list(Key::network_connect)) {
    std::string why;
    std::optional<Destination> destination = parse_destination(value.text, why);
    if (!destination || !is_never_reached(*destination)) continue;
    warn(setting(Key::network_connect), value, "useless: no private network leads there",
         "this machine's loopback is localhost:PORT");
  }
}

void Linter::check_home() {
  if (!profile_.is_set(Key::home_mode) || profile_.text(Key::home_mode) != "host") return;
  if (!profile_.list(Key::home_keep).empty() || !profile_.list(Key::home_keep_read_only).empty()) return;
  warn_of_danger(Key::home_mode, profile_.scalar(Key::home_mode), "the whole home is there, read-write",
                 "name the paths that are needed with home.keep");
}

void Linter::check_display() {
  const std::string& x11 = profile_.text(Key::display_x11);
  if ((x11 != "yes" && x11 != "fallback") || profile_.text(Key::network_mode) != "host") return;
  warn_of_both("display.x11 = " + x11 + " with network.mode = host",
               "what X11 shows (the screen, keys of other windows) can be sent away",
               "use network.mode = private, or x11 = nested");
}

void Linter::check_bus() {
  for (const Value& value : profile_.list(Key::dbus_talk)) {
    if (!is_name_of_shells(value.text)) continue;
    warn_of_danger(Key::dbus_talk, value, "on some desktops it is the shell itself, with scripts and clipboard",
                   value.text == "org.freedesktop.Notifications" ? "write [desktop] notifications = yes"
                                                                 : "name its methods with call");
  }
  for (Key key : {Key::dbus_talk, Key::dbus_own, Key::dbus_system_talk, Key::dbus_system_own}) {
    for (const Value& value : profile_.list(key)) {
      std::string_view found = dangerous_bus_name(value.text);
      if (found.empty()) continue;
      warn_of_danger(key, value, std::string(found) + " gives more than a sandbox should have",
                     "name single methods with call");
    }
  }
  for (Key key : {Key::dbus_call, Key::dbus_system_call}) {
    for (const Value& value : profile_.list(key)) {
      std::string_view found = dangerous_call(value.text);
      if (found.empty()) continue;
      warn_of_danger(key, value, std::string(found) + " gives more than a sandbox should have",
                     "be sure of what the method does, and name no more than one");
    }
  }
}

void Linter::check_agent() {
  if (!profile_.flag(Key::desktop_ssh_agent) || profile_.text(Key::network_mode) != "host") return;
  warn_of_both("desktop.ssh-agent = yes with network.mode = host",
               "the program can log in wherever your keys open a door, this machine included",
               "let the agent ask each time (ssh-add -c)");
}

// Anybody may make a printer of an address (CUPS-Create-Local-Printer), to which the server then connects.
void Linter::check_printing() {
  const std::string& mode = profile_.text(Key::network_mode);
  bool is_limited = mode != "host" || !profile_.list(Key::network_connect).empty();
  if (!profile_.flag(Key::desktop_printing) || !is_limited) return;
  warn_of_both("desktop.printing = yes with network.mode = " + mode,
               "the print server connects to any address for who prints, whatever [network] says",
               "print to a file, and print that outside");
}

void Linter::check_hidden() {
  std::string mode = profile_.text(Key::home_mode);
  for (const Value& hidden : profile_.list(Key::files_hide)) {
    std::string path = one_spelling(hidden.text);
    auto shows = [&](std::string_view entry) { return is_written_below(path, entry) || is_written_below(entry, path); };
    bool anyway = std::any_of(std::begin(kShownAnyway), std::end(kShownAnyway), shows);
    bool by_home = mode != "empty" && shows("~");
    bool by_entry = false;
    for (Key key : {Key::home_keep, Key::home_keep_read_only, Key::files_read_only, Key::files_read_write}) {
      for (const Value& entry : profile_.list(key)) by_entry = by_entry || shows(one_spelling(entry.text));
    }
    bool by_arguments = profile_.text(Key::files_arguments) != "no";
    if (anyway || by_home || by_entry || by_arguments) continue;
    warn(setting(Key::files_hide), hidden, "useless: nothing shows it");
  }
}

}  // namespace

std::vector<Finding> lint_profile(const Profile& profile, LintScope scope) { return Linter(profile, scope).run(); }

Finding finding_of(const Error& error) {
  return {Finding::Severity::error, error.where(), std::string(error.what()) + ": " + error.why(), error.hint_text()};
}

std::string finding_line(const Finding& finding) {
  std::string text = finding.where.file.empty() ? "" : finding.where.text() + ": ";
  text += finding.severity == Finding::Severity::error ? "error: " : "warning: ";
  text += finding.text;
  if (!finding.hint.empty()) text += " (" + finding.hint + ")";
  return escape_control(text);
}

}  // namespace sbox
