#include "cli/proposal.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "base/strings.h"
#include "cli/explain.h"
#include "plan/arguments.h"
#include "plan/devices.h"
#include "plan/paths.h"
#include "plan/places.h"
#include "plan/tree.h"
#include "profile/lint.h"
#include "profile/values.h"

namespace sbox {
namespace {

using learn::BusUse;
using learn::Trail;
using learn::Use;

constexpr std::string_view kNotifications = "org.freedesktop.Notifications";
constexpr size_t kMostReasons = 3, kMostRemarks = 50;

// Besides those that lint calls dangerous.
constexpr std::string_view kSecrets[] = {
    "~/.mozilla",
    "~/.thunderbird",
    "~/.config/chromium",
    "~/.config/google-chrome",
    "~/.config/BraveSoftware",
    "~/.config/microsoft-edge",
    "~/.config/vivaldi",
    "~/.config/keepassxc",
    "~/.local/share/kwalletd",
    "~/.config/gcloud",
    "~/.azure",
    "~/.config/gh",
    "~/.config/rclone",
    "~/.pki",
    "~/.bitcoin",
    "~/.electrum",
    "~/.pgpass",
    "~/.my.cnf",
    "~/.npmrc",
    "~/.pypirc",
    "~/.bash_history",
    "~/.zsh_history",
    "~/.local/share/fish/fish_history",
    "~/.python_history",
    "~/.authinfo",
    "~/.config/sops",
    "~/.vault-token",
};

// What toolkits and shells look at whatever the program is. They go on without.
constexpr std::string_view kCommon[] = {
    "~/.config/dconf",
    "~/.config/gtk-3.0",
    "~/.config/gtk-4.0",
    "~/.gtkrc-2.0",
    "~/.config/user-dirs.dirs",
    "~/.config/mimeapps.list",
    "~/.local/share/mime",
    "~/.local/share/applications",
    "~/.local/share/recently-used.xbel",
    "~/.Xauthority",
    "~/.ICEauthority",
    "~/.Xdefaults",
    "~/.Xresources",
    "~/.config/pulse",
    "~/.bashrc",
    "~/.profile",
    "~/.bash_profile",
    "~/.bash_logout",
    "~/.zshrc",
    "~/.inputrc",
    "~/.terminfo",
    "~/.cache",
    "~/.local/lib",
    "~/.config/ibus",
};

struct SocketRow {
  std::string_view pattern;  // of the path inside; PATH* is all that begin so
  std::string_view block;    // that brings it, "" for none
  Key key;                   // else
  std::string_view what;
};
constexpr SocketRow kSockets[] = {
    {"/tmp/.X11-unix/X*", "lib/gui", Key::display_x11, "opened windows by"},
    {"@/tmp/.X11-unix/X*", "lib/gui", Key::display_x11, "opened windows by"},
    {"${RUNTIME}/wayland-*", "lib/gui", Key::display_wayland, "opened windows by"},
    {"${RUNTIME}/pulse/*", "lib/audio", Key::audio_playback, "played by"},
    {"/run/cups/cups.sock", "", Key::desktop_printing, "spoke to the print server by"},
    {"/run/pcscd/pcscd.comm", "", Key::devices_smart_cards, "spoke to smart cards by"},
};

bool matches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return pattern == path;
  return path.starts_with(pattern.substr(0, pattern.size() - 1));
}

// What a file that the user has lets him do.
bool may(const Host& host, const FileStatus& status, uint32_t bit) {
  if (status.uid == host.uid()) return (status.mode >> 6 & bit) != 0;
  if (status.gid == host.gid()) return (status.mode >> 3 & bit) != 0;
  return (status.mode & bit) != 0;
}
constexpr uint32_t kRead = 4, kWrite = 2;

struct Need {
  Key key;
  std::string value;
  Reason reason;
};

// What is wanted of one path of the host.
struct Want {
  bool is_directory = false, writes = false;
  Reason reason;
};

struct Element {
  Key key;
  std::string value;
  auto operator<=>(const Element&) const = default;
};

bool names_the_file(Key key) {
  return key == Key::profile_description || key == Key::profile_format || key == Key::profile_include ||
         key == Key::profile_programs;
}

// Everything that a profile sets.
std::vector<Element> elements_of(const Profile& profile) {
  std::vector<Element> elements;
  for (const Setting& row : settings()) {
    if (names_the_file(row.key) || !profile.is_set(row.key)) continue;
    if (!row.is_list()) {
      elements.push_back({row.key, profile.scalar(row.key).text});
      continue;
    }
    for (const Value& value : profile.list(row.key)) elements.push_back({row.key, value.text});
  }
  return elements;
}

class Proposer {
 public:
  Proposer(const Lesson& lesson, const std::vector<Block>& blocks, const Host& host)
      : lesson_(lesson), blocks_(blocks), host_(host), places_(find_places(host)) {}

  Proposal run();

 private:
  void add(Key key, std::string value, Reason reason);
  void add_block(std::string_view name, const Reason& reason);
  void leave(Key key, std::string value, Reason reason, std::string caution);
  void remark(std::string text);

  std::optional<std::string> on_host(const std::string& inside) const;
  std::string written(const std::string& path) const;  // as a profile names it
  bool is_writable_in_a_profile(Key key, const std::string& value, const std::string& path) const;
  bool is_home(const std::string& path) const { return is_below(path, places_.home_canonical); }
  bool is_hidden(const std::string& path) const;
  bool is_argument(const std::string& path) const { return arguments_.contains(path); }

  void find_arguments();
  void look_at_sockets();
  void look_at_bus();
  void look_at_network();
  void look_at_denials();
  void look_at_files();
  void look_at_file(const std::string& inside, const std::map<Use, Trail>& uses);
  void look_at_use(const std::string& path, Use use, const Trail& trail);
  void look_at_secret(const std::string& path, std::string_view secret, std::string_view why, const Trail& trail);
  void look_at_device(const std::string& path, const Trail& trail);
  void want(const std::string& path, bool is_directory, bool writes, Reason reason);
  void make(const std::string& path, const Trail& trail);
  void keep_state(const Reason& reason);

  Profile draft() const;
  void settle_arguments();
  void settle_files();
  void drop_covered();
  Element element_for(const std::string& path, const Want& want) const;
  std::string caution_for(const std::string& path, const Want& want) const;
  bool is_there_already(const Profile& profile, const Plan& plan, const std::string& path, const Want& want) const;
  std::vector<ProposedLine> lines();

  const Lesson& lesson_;
  const std::vector<Block>& blocks_;
  const Host& host_;
  Places places_;
  std::vector<Need> needs_;
  std::vector<ProposedLine> left_;
  std::vector<std::string> remarks_;
  std::set<std::string> arguments_;  // files that the command line names
  std::map<std::string, Want, PathOrder> wants_;
  std::optional<Reason> read_argument_, changed_argument_;
};

// What a profile cannot hold is told; of a setting that is no list, the first value stays.
void Proposer::add(Key key, std::string value, Reason reason) {
  for (const Need& need : needs_) {
    if (need.key == key && (need.value == value || !setting(key).is_list())) return;
  }
  try {
    check_value(setting(key), {value, {"evidence", 0}});
    needs_.push_back({key, std::move(value), std::move(reason)});
  } catch (const Error&) {
    remark("A profile cannot name " + quote(value) + ", which it " + reason.what + ".");
  }
}

void Proposer::add_block(std::string_view name, const Reason& reason) {
  for (const Block& block : blocks_) {
    if (block.name != name) continue;
    for (Element& element : elements_of(block.profile)) add(element.key, std::move(element.value), reason);
  }
}

void Proposer::leave(Key key, std::string value, Reason reason, std::string caution) {
  for (const ProposedLine& line : left_) {
    if (line.key == key && line.value == value) return;
  }
  left_.push_back({key, std::move(value), {std::move(reason)}, std::move(caution)});
}

void Proposer::remark(std::string text) {
  bool is_known = std::find(remarks_.begin(), remarks_.end(), text) != remarks_.end();
  if (!is_known && remarks_.size() < kMostRemarks) remarks_.push_back(std::move(text));
}

// Nothing for what is the sandbox's own.
std::optional<std::string> Proposer::on_host(const std::string& inside) const {
  const Node* node = node_showing(lesson_.plan, inside);
  if (node == nullptr) return inside;
  switch (node->kind) {
    case NodeKind::bind:
    case NodeKind::overlay:
      return rebase(inside, node->target, node->source);
    case NodeKind::directory:
    case NodeKind::hide:
      return inside;
    default:
      return std::nullopt;
  }
}

std::string Proposer::written(const std::string& path) const {
  if (is_at_or_below(path, places_.home_canonical)) {
    std::string rest = rest_below(path, places_.home_canonical);
    return rest.empty() ? "~" : "~/" + rest;
  }
  return path;
}

// A name that a profile cannot hold is not proposed, and neither is one that would mean another path there.
bool Proposer::is_writable_in_a_profile(Key key, const std::string& value, const std::string& path) const {
  try {
    Value element{value, {"evidence", 0}};
    check_value(setting(key), element);
    return key == Key::system_etc || host_.resolve(host_path(element, places_, host_)).path == path;
  } catch (const Error&) {
    return false;
  }
}

bool Proposer::is_hidden(const std::string& path) const {
  return is_home(path) && rest_below(path, places_.home_canonical).starts_with('.');
}

void Proposer::find_arguments() {
  for (const std::string& argument : lesson_.request.arguments) {
    for (const std::string& word : readings(argument)) {
      std::string path = learn::tidy_path(word.starts_with('/') ? word : host_.directory() + "/" + word);
      if (path.empty()) continue;
      Resolved found = host_.resolve(path);
      if (found.status.kind == FileKind::file) arguments_.insert(found.path);
    }
  }
}

void Proposer::look_at_sockets() {
  for (const auto& [path, trail] : lesson_.evidence.sockets) {
    if (!trail.error.empty() && trail.error != "EINPROGRESS" && trail.error != "EAGAIN") continue;
    std::string shown = is_below(path, places_.runtime) ? "${RUNTIME}/" + rest_below(path, places_.runtime) : path;
    for (const SocketRow& row : kSockets) {
      if (!matches(row.pattern, shown)) continue;
      Reason reason{std::string(row.what), path, trail};
      row.block.empty() ? add(row.key, "yes", reason) : add_block(row.block, reason);
    }
  }
}

void Proposer::look_at_bus() {
  auto is_given = [&](const std::string& name) {
    const std::vector<Value>& talk = lesson_.profile.list(Key::dbus_talk);
    return std::any_of(talk.begin(), talk.end(), [&](const Value& rule) {
      return rule.text == name ||
             (rule.text.ends_with(".*") && name.starts_with(rule.text.substr(0, rule.text.size() - 1)));
    });
  };
  const std::map<BusUse, Trail>& bus = lesson_.evidence.bus;
  bool is_used = false;
  for (const auto& [use, trail] : bus) {
    if (use.kind != BusUse::Kind::call) continue;
    Reason reason{"called", use.name + " " + use.interface + "." + use.member, trail};
    std::string method = use.name + "=" + use.interface + "." + use.member + "@" + use.path;
    if (use.is_system) {
      leave(Key::dbus_system_call, method, reason, "no system bus was there");
    } else if (!is_given(use.name)) {
      std::string why = is_dangerous_bus_name(use.name)
                            ? "it gives more than a sandbox should have"
                            : "it was not given while learning; `-s dbus.talk+=" + use.name + "` gives it";
      leave(Key::dbus_call, method, reason, why);
    } else if (use.name == kNotifications) {
      is_used = true;
      add_block("lib/notifications", reason);
    } else {
      is_used = true;
      add(Key::dbus_session, "filtered", reason);
      add(Key::dbus_call, method, reason);
    }
  }
  for (const auto& [use, trail] : bus) {
    if (use.kind != BusUse::Kind::hear || !is_used || use.is_system || !is_given(use.name)) continue;
    // What its methods and signals are is in the block.
    if (use.name == kNotifications || use.interface.empty() || use.member.empty()) continue;
    std::string signal = use.name + "=" + use.interface + "." + use.member + (use.path.empty() ? "" : "@" + use.path);
    add(Key::dbus_broadcast, signal, {"listened for", use.interface + "." + use.member, trail});
  }
  // Without a bus a program is its own first instance; with one it must be able to have its name.
  for (const auto& [use, trail] : bus) {
    if (use.kind != BusUse::Kind::own || use.is_system || !is_used) continue;
    Reason reason{"took the name", use.name, trail};
    is_dangerous_bus_name(use.name) ? leave(Key::dbus_own, use.name, reason, "it gives more than a sandbox should have")
                                    : add(Key::dbus_own, use.name, reason);
  }
}

void Proposer::look_at_network() {
  auto is_own = [](const std::string& address) {
    return address.starts_with("127.") || address == "::1" || address == "0.0.0.0" || address == "::";
  };
  std::set<std::string> visited;
  for (const auto& [endpoint, trail] : lesson_.evidence.endpoints) {
    Reason reason{"connected to", learn::destination_text(endpoint), trail};
    if (endpoint.name.empty() && is_own(endpoint.address)) {
      if (trail.error.empty() || trail.error == "EINPROGRESS") continue;
      leave(Key::network_connect,
            (endpoint.is_tcp ? "tcp localhost:" : "udp localhost:") + std::to_string(endpoint.port), reason,
            "nothing of its own serves there; this line would lead to this machine");
      continue;
    }
    visited.insert(endpoint.name);
    add(Key::network_mode, "private", reason);
    add(Key::network_connect, learn::destination_text(endpoint), reason);
  }
  for (const auto& [name, trail] : lesson_.evidence.names) {
    if (!visited.contains(name))
      leave(Key::network_connect, name, {"asked for the address of", name, trail}, "it did not connect there");
  }
  for (const auto& [endpoint, trail] : lesson_.evidence.listens) {
    std::string ports = (endpoint.is_tcp ? "tcp " : "udp ") + std::to_string(endpoint.port);
    leave(Key::network_listen, ports, {"bound", ports, trail}, "only needed where others are to reach it");
  }
}

// "[seccomp] allow = ptrace"
std::optional<Element> element_in(std::string_view line) {
  if (!line.starts_with('[') || line.find("] ") == std::string_view::npos) return std::nullopt;
  std::string_view section = line.substr(1, line.find(']') - 1);
  line.remove_prefix(line.find("] ") + 2);
  std::string_view name = take_part(line, ' ');
  const Setting* row = find_setting(section, name);
  if (row == nullptr || !line.starts_with("= ")) return std::nullopt;
  return Element{row->key, std::string(line.substr(2))};
}

bool is_dangerous_line(const Element& element) {
  try {
    Profile profile;
    profile.assign(element.key, {element.value, {"evidence", 0}});
    std::vector<Finding> findings = lint_profile(profile, LintScope::fragment);
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.text.find("dangerous") != std::string::npos; });
  } catch (const Error&) {
    return true;
  }
}

void Proposer::look_at_denials() {
  for (const DeniedCall& denied : lesson_.denied) {
    std::string call = denied.denial.call + "(" + denied.denial.arguments + ")";
    Reason reason{"was denied", call, {denied.by, denied.denial.call, denied.count, "EPERM"}};
    std::optional<Element> element = element_in(denied.denial.remedy);
    if (!element) {
      remark("It was denied " + call + ", which no line allows.");
    } else if (is_dangerous_line(*element)) {
      leave(element->key, element->value, reason, "dangerous");
    } else if (lesson_.succeeded) {
      leave(element->key, element->value, reason, "the program did without");
    } else {
      add(element->key, element->value, reason);
    }
  }
}

void Proposer::look_at_secret(const std::string& path, std::string_view secret, std::string_view why,
                              const Trail& trail) {
  leave(Key::home_keep_read_only, std::string(secret), {"asked for", written(path), trail}, std::string(why));
}

void Proposer::look_at_device(const std::string& path, const Trail& trail) {
  const Node* node = node_showing(lesson_.plan, path);
  bool is_of_all = node && node->device && node->origin == "sbox";
  if (is_of_all || is_never_granted(path)) return;
  Reason reason{"opened", path, trail};
  std::optional<Key> word = device_setting(path);
  if (word == Key::devices_gpu) return add_block("lib/gpu", reason);
  Element element = word ? Element{*word, "yes"} : Element{Key::devices_allow, path};
  is_dangerous_line(element) ? leave(element.key, element.value, reason, "dangerous")
                             : add(element.key, element.value, reason);
}

void Proposer::keep_state(const Reason& reason) { add(Key::home_mode, "private", reason); }

void Proposer::want(const std::string& path, bool is_directory, bool writes, Reason reason) {
  auto [found, is_new] = wants_.try_emplace(path, Want{is_directory, writes, reason});
  if (is_new) return;
  Want& known = found->second;
  if (writes && !known.writes) known.reason = std::move(reason);
  known.is_directory = known.is_directory || is_directory;
  known.writes = known.writes || writes;
}

// A new name, or one less, needs the directory that it is in.
void Proposer::make(const std::string& path, const Trail& trail) {
  Reason reason{"made or removed", written(path), trail};
  FileStatus status = host_.resolve(path).status;
  auto renamed = lesson_.evidence.renames.find(path);
  bool is_draft = status.kind == FileKind::missing && renamed != lesson_.evidence.renames.end();
  if (is_draft && is_argument(on_host(renamed->second).value_or(""))) return;
  if (is_argument(path)) return want(path, false, true, {"changed", written(path), trail});
  if (status.kind == FileKind::file && trail.call.starts_with("open")) {
    return want(path, false, true, {"changed", written(path), trail});
  }
  std::string directory = parent_of(path);
  while (host_.resolve(directory).status.kind == FileKind::missing && directory != "/")
    directory = parent_of(directory);
  if (directory == places_.home_canonical) {
    remark("What it makes directly in the home (" + written(path) + ") stays in its own home.");
    return keep_state(reason);
  }
  want(directory, true, true, std::move(reason));
}

void Proposer::look_at_use(const std::string& path, Use use, const Trail& trail) {
  FileStatus status = host_.resolve(path).status;
  bool is_file = status.kind == FileKind::file, is_directory = status.kind == FileKind::directory;
  constexpr std::string_view kCouldNotBe[] = {"EEXIST", "ENOTDIR", "EISDIR",    "ELOOP",
                                              "ENXIO",  "EINVAL",  "ENOTEMPTY", "ENAMETOOLONG"};
  if (std::find(std::begin(kCouldNotBe), std::end(kCouldNotBe), trail.error) != std::end(kCouldNotBe)) return;
  bool has_changed = use == Use::change || use == Use::make;
  if (is_hidden(path) && has_changed) {
    if (is_at_or_below(written(path), "~/.cache")) return;
    Reason reason{"wrote", written(path), trail};
    keep_state(reason);
    if (is_file) leave(Key::home_keep, written(path), reason, "it has one of its own instead");
    return;
  }
  switch (use) {
    case Use::look:
      return;
    case Use::read:
    case Use::execute:
      if (is_file && may(host_, status, kRead))
        want(path, false, false, {use == Use::read ? "read" : "executed", written(path), trail});
      return;
    case Use::list:
      if (!is_directory || !may(host_, status, kRead)) return;
      return want(path, true, false, {"listed", written(path), trail});
    case Use::change:
      if (status.kind == FileKind::missing) return trail.error.empty() ? make(path, trail) : void();
      if (is_file) want(path, false, true, {"changed", written(path), trail});
      return;
    case Use::make:
      if (trail.error == "ENOENT") return;
      return make(path, trail);
  }
}

void Proposer::look_at_file(const std::string& inside, const std::map<Use, Trail>& uses) {
  std::optional<std::string> place = on_host(inside);
  if (!place || *place == join(places_.home_canonical, kTraceName)) return;
  Resolved found = host_.resolve(*place);
  std::string path = found.rest.empty() ? found.path : join(found.path, found.rest);
  // What of these a program may need comes with the words for devices.
  if (is_at_or_below(path, "/proc") || is_at_or_below(path, "/sys")) return;
  for (const char* apart : {"/tmp", "/run"}) {
    if (is_at_or_below(path, apart) && !is_below(path, places_.home_canonical)) {
      const Node* node = node_showing(lesson_.plan, inside);
      bool is_granted = node && node->kind == NodeKind::bind && node->origin != "sbox";
      if (!is_granted) return;
    }
  }
  for (const std::string& own : policy_directories(host_, places_)) {
    if (is_at_or_below(path, own)) return;
  }
  const Trail& first = uses.begin()->second;
  for (const std::string& secret : secret_paths()) {
    if (!is_at_or_below(written(path), secret)) continue;
    if (found.status.kind == FileKind::missing) return;
    std::string_view why = danger_of_path(secret, false);
    return look_at_secret(path, secret, why.empty() ? "it is secret" : why, first);
  }
  if (is_below(path, "/dev")) {
    bool is_opened = uses.contains(Use::read) || uses.contains(Use::change);
    if (found.status.kind == FileKind::character_device && is_opened) look_at_device(path, first);
    return;
  }
  for (const auto& [use, trail] : uses) look_at_use(path, use, trail);
}

void Proposer::look_at_files() {
  for (const auto& [inside, uses] : lesson_.evidence.files) look_at_file(inside, uses);
}

// What brings files. The rest may be missing on the host by now, and shows none that are asked about.
Profile Proposer::draft() const {
  constexpr std::string_view kSections[] = {"home", "files", "system", "devices", "desktop", "environment"};
  Profile profile;
  for (const Need& need : needs_) {
    bool brings_files =
        std::find(std::begin(kSections), std::end(kSections), setting(need.key).section) != std::end(kSections);
    if (brings_files) profile.assign(need.key, {need.value, {"evidence", 0}});
  }
  profile.assign(Key::seccomp_mode, {"none", {"evidence", 0}});  // compiling filters takes long
  // Stands for any: what a private one needs besides files may be missing.
  bool has_network =
      std::any_of(needs_.begin(), needs_.end(), [](const Need& need) { return need.key == Key::network_mode; });
  if (has_network) {
    profile.assign(Key::network_mode, {"host", {"evidence", 0}});
    profile.assign(Key::profile_optional, {"abstract-sockets", {"evidence", 0}});
  }
  profile.rename(lesson_.name, "");
  return profile;
}

// Nothing is wanted of its own that lies below a directory that is wanted as much.
void Proposer::drop_covered() {
  std::erase_if(wants_, [&](const auto& entry) {
    for (std::string path = entry.first; path != "/";) {
      path = parent_of(path);
      auto above = wants_.find(path);
      bool covers =
          above != wants_.end() && above->second.is_directory && (above->second.writes || !entry.second.writes);
      if (covers) return true;
    }
    return false;
  });
}

// Files that the command line names come with it, the next time others.
void Proposer::settle_arguments() {
  std::optional<Reason> reason;
  bool writes = false;
  for (auto at = wants_.begin(); at != wants_.end();) {
    if (!is_argument(at->first)) {
      ++at;
      continue;
    }
    if (!reason || (at->second.writes && !writes)) reason = at->second.reason;
    writes = writes || at->second.writes;
    at = wants_.erase(at);
  }
  if (reason) add(Key::files_arguments, writes ? "read-write" : "read-only", *reason);
}

Element Proposer::element_for(const std::string& path, const Want& want) const {
  if (path == places_.home_canonical) return {Key::home_mode, "host"};
  if (is_home(path)) return {want.writes ? Key::home_keep : Key::home_keep_read_only, written(path)};
  if (!want.writes && path != "/etc" && parent_of(path) == "/etc") return {Key::system_etc, base_name(path)};
  return {want.writes ? Key::files_read_write : Key::files_read_only, path};
}

// Why what is wanted of a path is not proposed; "" where it is.
std::string Proposer::caution_for(const std::string& path, const Want& want) const {
  std::string value = written(path);
  for (std::string_view common : kCommon) {
    if (is_at_or_below(value, common)) return "toolkits and shells look there, and go on without";
  }
  if (value == "/etc/machine-id" || value == "/var/lib/dbus/machine-id") return "the sandbox has one of its own";
  if (value == "/etc/resolv.conf" || value == "/etc/host.conf") return "it comes with a network";
  constexpr std::string_view kTooWide[] = {"/usr", "/var", "/opt", "/srv", "/mnt", "/media"};
  bool is_wide = std::find(std::begin(kTooWide), std::end(kTooWide), value) != std::end(kTooWide);
  if (is_wide) return "it is more than the program can have needed";
  return std::string(danger_of_path(value, want.writes));
}

bool Proposer::is_there_already(const Profile& profile, const Plan& plan, const std::string& path,
                                const Want& want) const {
  for (const char* made : {"/", "/etc", "/home", "/dev"}) {
    if (path == made) return true;
  }
  std::string verdict = explain_path(profile, plan, path, host_).verdict;
  if (verdict == "yes" || (verdict == "read-only" && !want.writes)) return true;
  return want.writes && !may(host_, host_.resolve(path).status, kWrite);
}

// What the sandbox has anyway, and what is better not given, first: neither stands for what is below it.
void Proposer::settle_files() {
  Profile profile = draft();
  Plan plan = make_plan(profile, lesson_.request, host_);
  std::erase_if(wants_, [&](const auto& entry) { return is_there_already(profile, plan, entry.first, entry.second); });
  std::erase_if(wants_, [&](const auto& entry) {
    const auto& [path, want] = entry;
    std::string caution = is_argument(path) ? "" : caution_for(path, want);
    if (caution.empty()) return false;
    Element element = element_for(path, want);
    leave(element.key, element.value, want.reason, caution);
    return true;
  });
  drop_covered();
  settle_arguments();
  for (const auto& [path, want] : wants_) {
    Element element = element_for(path, want);
    if (is_writable_in_a_profile(element.key, element.value, path)) {
      add(element.key, element.value, want.reason);
    } else {
      remark("A profile cannot name " + quote(written(path)) + ", which it " + want.reason.what + ".");
    }
  }
}

std::vector<ProposedLine> Proposer::lines() {
  std::vector<const Block*> blocks;
  std::set<Element> needed, covered;
  for (const Need& need : needs_) needed.insert({need.key, need.value});
  for (const Block& block : blocks_) blocks.push_back(&block);
  std::stable_sort(blocks.begin(), blocks.end(), [](const Block* a, const Block* b) {
    return elements_of(a->profile).size() > elements_of(b->profile).size();
  });
  std::vector<ProposedLine> lines;
  for (const Block* block : blocks) {
    std::vector<Element> elements = elements_of(block->profile);
    bool is_backed =
        std::all_of(elements.begin(), elements.end(), [&](const Element& one) { return needed.contains(one); });
    size_t fresh = static_cast<size_t>(
        std::count_if(elements.begin(), elements.end(), [&](const Element& one) { return !covered.contains(one); }));
    if (!is_backed || fresh < 2) continue;
    ProposedLine line{Key::profile_include, block->name, {}, ""};
    for (const Need& need : needs_) {
      bool is_of_it = std::find(elements.begin(), elements.end(), Element{need.key, need.value}) != elements.end();
      bool is_told = std::any_of(line.reasons.begin(), line.reasons.end(), [&](const Reason& reason) {
        return reason.what == need.reason.what && reason.subject == need.reason.subject;
      });
      if (is_of_it && !is_told && line.reasons.size() < kMostReasons) line.reasons.push_back(need.reason);
    }
    covered.insert(elements.begin(), elements.end());
    lines.push_back(std::move(line));
  }
  for (const Need& need : needs_) {
    if (!covered.contains({need.key, need.value})) lines.push_back({need.key, need.value, {need.reason}, ""});
  }
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return lines;
}

Proposal Proposer::run() {
  find_arguments();
  look_at_sockets();
  look_at_bus();
  look_at_network();
  look_at_denials();
  look_at_files();
  settle_files();
  if (lesson_.evidence.dropped > 0) {
    remark("It wanted more things than are kept: " + std::to_string(lesson_.evidence.dropped) + " are left out.");
  }
  Proposal proposal{lesson_.name, lesson_.request.program, lines(), left_, remarks_};
  return proposal;
}

}  // namespace

Proposal propose(const Lesson& lesson, const std::vector<Block>& blocks, const Host& host) {
  return Proposer(lesson, blocks, host).run();
}

std::vector<std::string> secret_paths() {
  std::vector<std::string> paths(std::begin(kSecrets), std::end(kSecrets));
  for (std::string_view path : dangerous_to_show()) {
    if (path.starts_with("~/")) paths.emplace_back(path);
  }
  return paths;
}

}  // namespace sbox
