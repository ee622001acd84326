#include "cli/audit.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/options.h"
#include "cli/page.h"
#include "cli/print.h"
#include "cli/words.h"
#include "plan/syscall_groups.h"
#include "profile/dangers.h"
#include "profile/values.h"

namespace sbox {
namespace {

// What a setting is worth by its value alone.
struct ChoiceRow {
  Key key;
  std::string_view value;
  unsigned points;
  const char* text;
};
constexpr ChoiceRow kChoices[] = {
    {Key::home_mode, "overlay", 12, "it reads all of the home directory"},
    {Key::home_mode, "private", 1, "what it writes into its own home stays"},
    {Key::network_mode, "host", 18, "it reaches what you reach, this machine's own services among it"},
    {Key::network_mode, "private", 8, "it reaches other machines"},
    {Key::display_x11, "yes", 15, "it reads every key and sees every window"},
    {Key::display_x11, "fallback", 8, "where there is no Wayland, it reads every key and sees every window"},
    {Key::display_x11, "nested", 1, "it shows windows on a server of its own"},
    {Key::display_wayland, "yes", 2, "it shows windows"},
    {Key::dbus_session, "full", 40, "it starts programs outside, by the session bus"},
    {Key::dbus_session, "filtered", 1, "it is on the session bus, for what is named"},
    {Key::dbus_system, "filtered", 2, "it is on the system bus, for what is named"},
    {Key::audio_playback, "yes", 1, "it plays sound"},
    {Key::audio_record, "yes", 10, "it listens through the microphones"},
    {Key::devices_gpu, "yes", 4, "it drives the graphics card"},
    {Key::devices_camera, "yes", 8, "it watches through the cameras"},
    {Key::devices_input, "yes", 20, "it reads every key that is pressed"},
    {Key::devices_usb, "yes", 15, "it drives every USB device"},
    {Key::devices_kvm, "yes", 5, "it runs virtual machines, which is much of the kernel"},
    {Key::devices_smart_cards, "yes", 5, "it uses smart cards that are unlocked"},
    {Key::devices_security_keys, "yes", 3, "it asks security keys"},
    {Key::desktop_notifications, "yes", 1, "it shows notifications"},
    {Key::desktop_portals, "yes", 2, "it asks for files and more through portals"},
    {Key::desktop_input_method, "yes", 1, "input methods hear what is typed into it"},
    {Key::desktop_tray, "yes", 1, "it shows an icon in the tray"},
    {Key::desktop_accessibility, "yes", 2, "screen readers act on what it shows"},
    {Key::desktop_printing, "yes", 3, "it gives orders to the print server"},
    {Key::desktop_ssh_agent, "yes", 12, "it logs in with your SSH keys"},
    {Key::desktop_gpg_agent, "yes", 12, "it signs and decrypts with your GnuPG keys"},
    {Key::system_machine_id, "host", 1, "it knows which machine this is"},
    {Key::files_arguments, "read-only", 1, "it reads the files that it is started with"},
    {Key::files_arguments, "read-write", 2, "it changes the files that it is started with"},
    {Key::seccomp_mode, "none", 30, "every system call of the kernel is open to it"},
    {Key::seccomp_32_bit, "yes", 3, "the kernel's 32-bit entry is open to it"},
    {Key::seccomp_log, "no", 1, "what is denied to it is not written down"},
    {Key::dbus_log, "no", 1, "what is denied to it on the buses is not written down"},
    {Key::network_log, "no", 1, "what its network refuses is not written down"},
    {Key::process_nested_sandbox, "yes", 8, "user namespaces open more of the kernel to it"},
    {Key::process_nested_sandbox, "mounts", 14, "Landlock does not watch its files"},
    {Key::process_debug, "yes", 4, "its processes take each other over"},
    {Key::process_write_xor_execute, "no", 2, "memory may be writable and executable"},
};

// What each element of a list is worth: some more than others.
struct ListRow {
  Key key;
  unsigned points, dangerous_points;
  const char *text, *dangerous_text;
  bool (*is_dangerous)(const std::string& element);
};
bool is_never(const std::string&) { return false; }
bool is_dangerous_to_write(const std::string& path) { return !danger_of_path(path, true).empty(); }
bool is_dangerous_to_show(const std::string& path) { return !danger_of_path(path, false).empty(); }
bool is_dangerous_name(const std::string& name) { return is_dangerous_bus_name(name); }
bool is_dangerous_rule(const std::string& rule) { return !dangerous_call(rule).empty(); }
// By default in no sandbox: more of the kernel than the rest.
bool is_dangerous_call(const std::string& word) { return further_group(word) != nullptr; }
bool is_pattern(const std::string& variable) { return variable == "*"; }

constexpr ListRow kLists[] = {
    {Key::home_keep, 2, 15, "it changes it", "it changes it, which is dangerous", is_dangerous_to_write},
    {Key::home_keep_read_only, 1, 12, "it reads it", "it reads it, which is dangerous", is_dangerous_to_show},
    {Key::files_read_write, 2, 15, "it changes it", "it changes it, which is dangerous", is_dangerous_to_write},
    {Key::files_read_only, 1, 12, "it reads it", "it reads it, which is dangerous", is_dangerous_to_show},
    {Key::devices_allow, 4, 4, "it uses the device", "", is_never},
    {Key::dbus_talk, 1, 12, "it calls it on the session bus",
     "it calls it, which gives more than a sandbox should have", is_dangerous_name},
    {Key::dbus_own, 1, 12, "it is that name", "it is that name, which others trust", is_dangerous_name},
    {Key::dbus_call, 1, 12, "it calls that method",
     "it calls that method, of what gives more than a sandbox should have", is_dangerous_rule},
    {Key::dbus_system_talk, 2, 15, "it calls it on the system bus",
     "it calls it, which gives more than a sandbox should have", is_dangerous_name},
    {Key::dbus_system_own, 2, 15, "it is that name", "it is that name, which others trust", is_dangerous_name},
    {Key::dbus_system_call, 1, 15, "it calls that method",
     "it calls that method, of what gives more than a sandbox should have", is_dangerous_rule},
    {Key::seccomp_allow, 0, 5, "", "it makes these system calls", is_dangerous_call},
    {Key::environment_keep, 0, 3, "", "it gets all of your environment", is_pattern},
};

constexpr unsigned kWholeHome = 25;

class Auditor {
 public:
  explicit Auditor(const Profile& profile) : profile_(profile) { audit_.profile = profile.name(); }

  Audit run() {
    for (const ChoiceRow& row : kChoices) add_choice(row);
    for (const ListRow& row : kLists) add_list(row);
    add_home();
    add_realtime();
    std::stable_sort(audit_.reasons.begin(), audit_.reasons.end(),
                     [](const AuditReason& a, const AuditReason& b) { return a.points > b.points; });
    return std::move(audit_);
  }

 private:
  void add(Key key, const Value& value, unsigned points, const char* text) {
    if (points == 0) return;
    audit_.score += points;
    audit_.reasons.push_back({points, text, shown(setting(key), value), value.origin.text()});
  }

  void add_choice(const ChoiceRow& row) {
    const Value& value = profile_.scalar(row.key);
    if (value.text == row.value) add(row.key, value, row.points, row.text);
  }

  // Lists that another setting makes void count for nothing.
  bool is_void(Key key) const {
    const Setting& row = setting(key);
    if (row.type != Type::bus_rules) return false;
    return profile_.text(row.name.starts_with("system-") ? Key::dbus_system : Key::dbus_session) != "filtered";
  }

  void add_list(const ListRow& row) {
    if (is_void(row.key)) return;
    for (const Value& value : profile_.list(row.key)) {
      bool is_dangerous = row.is_dangerous(value.text);
      add(row.key, value, is_dangerous ? row.dangerous_points : row.points,
          is_dangerous ? row.dangerous_text : row.text);
    }
  }

  void add_home() {
    bool is_whole = profile_.text(Key::home_mode) == "host" && profile_.list(Key::home_keep).empty() &&
                    profile_.list(Key::home_keep_read_only).empty();
    if (is_whole) {
      add(Key::home_mode, profile_.scalar(Key::home_mode), kWholeHome,
          "it changes all of the home directory, what runs at the next login too");
    }
  }

  void add_realtime() {
    constexpr unsigned kFirst = 4;
    if (profile_.number(Key::limits_realtime) == 0) return;
    add(Key::limits_realtime, profile_.scalar(Key::limits_realtime), kFirst,
        "it may keep all other programs from the processor");
  }

  const Profile& profile_;
  Audit audit_;
};

struct Wanted {
  std::vector<std::string> profiles;
  std::optional<unsigned long long> threshold;
  bool as_json = false;
};

Wanted parse(const std::vector<std::string>& arguments) {
  Wanted wanted;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--json") {
      wanted.as_json = true;
    } else if (auto number = option_value(arguments, i, "--threshold")) {
      wanted.threshold = parse_number(*number);
      if (!wanted.threshold) throw Error("audit --threshold", "needs a number").hint(usage_of("audit"));
    } else if (word.starts_with('-')) {
      throw Error("audit " + quote(word), "there is no such option").hint(usage_of("audit"));
    } else {
      wanted.profiles.push_back(word);
    }
  }
  return wanted;
}

std::string title(const Audit& audit) {
  return audit.profile + ": " + std::to_string(audit.score) + ", " + rating_of(audit.score);
}

std::string text_of(const std::vector<Audit>& audits, bool with_reasons) {
  if (!with_reasons) {
    std::string lines;
    for (const Audit& audit : audits) lines += escape_control(title(audit)) + "\n";
    return lines;
  }
  Page page;
  for (const Audit& audit : audits) {
    page.heading(title(audit));
    for (const AuditReason& reason : audit.reasons) {
      page.say(std::to_string(reason.points) + "  " + reason.text + ": " + reason.setting, reason.origin);
    }
  }
  return page.text();
}

std::string json_of(const std::vector<Audit>& audits) {
  using nlohmann::ordered_json;
  ordered_json list = ordered_json::array();
  for (const Audit& audit : audits) {
    ordered_json reasons = ordered_json::array();
    for (const AuditReason& reason : audit.reasons) {
      reasons.push_back(
          {{"points", reason.points}, {"text", reason.text}, {"setting", reason.setting}, {"origin", reason.origin}});
    }
    list.push_back(
        {{"profile", audit.profile}, {"score", audit.score}, {"rating", rating_of(audit.score)}, {"reasons", reasons}});
  }
  return json_text({{"profiles", list}});
}

}  // namespace

Audit audit_profile(const Profile& profile) { return Auditor(profile).run(); }

const char* rating_of(unsigned score) {
  constexpr unsigned kTight = 15, kModerate = 35, kWide = 60;
  if (score <= kTight) return "tight";
  if (score <= kModerate) return "moderate";
  return score <= kWide ? "wide" : "exposed";
}

int run_audit(const Context& context, const std::vector<std::string>& arguments) {
  Wanted wanted = parse(arguments);
  std::vector<Audit> audits;
  for (const std::string& name : wanted.profiles.empty() ? list_profiles(context.search) : wanted.profiles) {
    audits.push_back(audit_profile(read_profile(context.search, name)));
  }
  std::string text = wanted.as_json ? json_of(audits) : text_of(audits, !wanted.profiles.empty());
  print(text);
  bool is_over = std::any_of(audits.begin(), audits.end(),
                             [&](const Audit& audit) { return wanted.threshold && audit.score > *wanted.threshold; });
  return is_over ? 1 : 0;
}

}  // namespace sbox
