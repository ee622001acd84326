#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/explain_thing.h"
#include "cli/proposer.h"
#include "plan/arguments.h"
#include "plan/devices.h"
#include "plan/paths.h"
#include "plan/tree.h"
#include "profile/dangers.h"
#include "profile/values.h"

namespace sbox {
namespace {

using learn::Trail;
using learn::Use;

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
    "~/.pki",
    "~/.bitcoin",
    "~/.electrum",
    "~/.npmrc",
    "~/.bash_history",
    "~/.zsh_history",
    "~/.local/share/fish/fish_history",
    "~/.python_history",
    "~/.config/mozilla",
    "~/.librewolf",
    "~/.waterfox",
    "~/.config/google-chrome-beta",
    "~/.config/google-chrome-unstable",
    "~/.config/opera",
    "~/.config/qutebrowser",
    "~/.local/share/qutebrowser",
    "~/.local/share/epiphany",
    "~/.config/falkon",
    "~/.var/app",
    "~/snap",
    "~/.config/1Password",
    "~/.config/Bitwarden",
    "~/.config/rbw",
    "~/.config/op",
    "~/.config/age",
    "~/.monero",
    "~/.ethereum",
    "~/.config/solana",
    "~/.msmtprc",
    "~/.mbsyncrc",
    "~/.fetchmailrc",
    "~/.psql_history",
    "~/.mysql_history",
    "~/.sqlite_history",
    "~/.node_repl_history",
    "~/.config/nushell/history.txt",
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

// What a file that the user has lets him do.
bool may(const Host& host, const FileStatus& status, uint32_t bit) {
  if (status.uid == host.uid()) return (status.mode >> 6 & bit) != 0;
  if (status.gid == host.gid()) return (status.mode >> 3 & bit) != 0;
  return (status.mode & bit) != 0;
}
constexpr uint32_t kRead = 4, kWrite = 2;

// What is wanted of one path of the host.
struct Want {
  bool is_directory = false, writes = false;
  Reason reason;
};

class FileNeeds {
 public:
  explicit FileNeeds(Needs& needs)
      : needs_(needs), lesson_(needs.lesson()), host_(needs.host()), places_(needs.places()) {}

  void run();

 private:
  std::optional<std::string> on_host(const std::string& inside) const;
  bool is_writable_in_a_profile(Key key, const std::string& value, const std::string& path) const;
  bool is_home(const std::string& path) const { return is_below(path, places_.home_canonical); }
  bool is_hidden(const std::string& path) const;
  bool is_argument(const std::string& path) const { return arguments_.contains(path); }

  void find_arguments();
  bool is_apart(const std::string& inside, const std::string& path) const;
  void look_at_file(const std::string& inside, const std::map<Use, Trail>& uses);
  void look_at_use(const std::string& path, Use use, const Trail& trail);
  void look_at_device(const std::string& path, const Trail& trail);
  void want(const std::string& path, bool is_directory, bool writes, Reason reason);
  void make(const std::string& path, const Trail& trail);

  Profile draft() const;
  void settle_arguments();
  void settle_files();
  void drop_covered();
  Element element_for(const std::string& path, const Want& want) const;
  std::string caution_for(const std::string& path, const Want& want) const;
  bool is_there_already(const Profile& profile, const Plan& plan, const std::string& path, const Want& want) const;

  Needs& needs_;
  const Lesson& lesson_;
  const Host& host_;
  const Places& places_;
  std::vector<std::string> policy_ = policy_directories(host_, places_), secrets_ = secret_paths();
  std::set<std::string> arguments_;  // files that the command line names
  std::map<std::string, Want, PathOrder> wants_;
};

// Nothing for what is the sandbox's own.
std::optional<std::string> FileNeeds::on_host(const std::string& inside) const {
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

// A name that a profile cannot hold is not proposed, and neither is one that would mean another path there.
bool FileNeeds::is_writable_in_a_profile(Key key, const std::string& value, const std::string& path) const {
  try {
    Value element{value, {"evidence", 0}};
    check_value(setting(key), element);
    return key == Key::system_etc || host_.resolve(host_path(element, places_, host_)).path == path;
  } catch (const Error&) {
    return false;
  }
}

bool FileNeeds::is_hidden(const std::string& path) const {
  return is_home(path) && rest_below(path, places_.home_canonical).starts_with('.');
}

void FileNeeds::find_arguments() {
  for (const std::string& word : readings(lesson_.request.arguments)) {
    std::string path = learn::tidy_path(word.starts_with('/') ? word : host_.directory() + "/" + word);
    if (path.empty()) continue;
    Resolved found = host_.resolve(path);
    if (found.status.kind == FileKind::file) arguments_.insert(found.path);
  }
}

void FileNeeds::look_at_device(const std::string& path, const Trail& trail) {
  const Node* node = node_showing(lesson_.plan, path);
  bool is_of_all = node && node->device && node->origin == "sbox";
  if (is_of_all || is_never_granted(path)) return;
  Reason reason{"opened", path, trail};
  std::optional<Key> word = device_setting(path);
  if (word == Key::devices_gpu) return needs_.add_block("lib/gpu", reason);
  Element element = word ? Element{*word, "yes"} : Element{Key::devices_allow, path};
  is_dangerous_line(element) ? needs_.leave(element.key, element.value, reason, "dangerous")
                             : needs_.add(element.key, element.value, reason);
}

void FileNeeds::want(const std::string& path, bool is_directory, bool writes, Reason reason) {
  auto [found, is_new] = wants_.try_emplace(path, Want{is_directory, writes, reason});
  if (is_new) return;
  Want& known = found->second;
  if (writes && !known.writes) known.reason = std::move(reason);
  known.is_directory = known.is_directory || is_directory;
  known.writes = known.writes || writes;
}

// A new name, or one less, needs the directory that it is in.
void FileNeeds::make(const std::string& path, const Trail& trail) {
  Reason reason{"made or removed", needs_.written(path), trail};
  FileStatus status = host_.resolve(path).status;
  auto renamed = lesson_.evidence.renames.find(path);
  bool is_draft = status.kind == FileKind::missing && renamed != lesson_.evidence.renames.end();
  if (is_draft && is_argument(on_host(renamed->second).value_or(""))) return;
  if (is_argument(path)) return want(path, false, true, {"changed", needs_.written(path), trail});
  if (status.kind == FileKind::file && trail.call.starts_with("open")) {
    return want(path, false, true, {"changed", needs_.written(path), trail});
  }
  std::string directory = parent_of(path);
  while (host_.resolve(directory).status.kind == FileKind::missing && directory != "/")
    directory = parent_of(directory);
  if (directory == places_.home_canonical) {
    needs_.remark("What it makes directly in the home (" + needs_.written(path) + ") stays in its own home.");
    return needs_.add(Key::home_mode, "private", reason);
  }
  want(directory, true, true, std::move(reason));
}

void FileNeeds::look_at_use(const std::string& path, Use use, const Trail& trail) {
  FileStatus status = host_.resolve(path).status;
  bool is_file = status.kind == FileKind::file, is_directory = status.kind == FileKind::directory;
  constexpr std::string_view kCouldNotBe[] = {"EEXIST", "ENOTDIR", "EISDIR",    "ELOOP",
                                              "ENXIO",  "EINVAL",  "ENOTEMPTY", "ENAMETOOLONG"};
  if (contains(kCouldNotBe, trail.error)) return;
  bool has_changed = use == Use::change || use == Use::make;
  if (is_hidden(path) && has_changed) {
    if (is_at_or_below(needs_.written(path), "~/.cache")) return;
    Reason reason{"wrote", needs_.written(path), trail};
    needs_.add(Key::home_mode, "private", reason);
    if (is_file) needs_.leave(Key::home_keep, needs_.written(path), reason, "it has one of its own instead");
    return;
  }
  switch (use) {
    case Use::look:
      return;
    case Use::read:
    case Use::execute:
      if (is_file && may(host_, status, kRead))
        want(path, false, false, {use == Use::read ? "read" : "executed", needs_.written(path), trail});
      return;
    case Use::list:
      if (!is_directory || !may(host_, status, kRead)) return;
      return want(path, true, false, {"listed", needs_.written(path), trail});
    case Use::change:
      if (status.kind == FileKind::missing) return trail.error.empty() ? make(path, trail) : void();
      if (is_file) want(path, false, true, {"changed", needs_.written(path), trail});
      return;
    case Use::make:
      if (trail.error == "ENOENT") return;
      return make(path, trail);
  }
}

// What of these a program may need comes with words of their own, or is private to each sandbox.
bool FileNeeds::is_apart(const std::string& inside, const std::string& path) const {
  if (is_at_or_below(path, "/proc") || is_at_or_below(path, "/sys")) return true;
  for (const std::string& own : policy_) {
    if (is_at_or_below(path, own)) return true;
  }
  bool is_of_the_session = is_at_or_below(path, "/tmp") || is_at_or_below(path, "/run");
  if (!is_of_the_session || is_home(path)) return false;
  const Node* node = node_showing(lesson_.plan, inside);
  return node == nullptr || node->kind != NodeKind::bind || node->origin == "sbox";
}

void FileNeeds::look_at_file(const std::string& inside, const std::map<Use, Trail>& uses) {
  std::optional<std::string> place = on_host(inside);
  if (!place || *place == join(places_.home_canonical, kTraceName)) return;
  Resolved found = host_.resolve(*place);
  std::string path = join(found.path, found.rest), name = needs_.written(path);
  if (is_apart(inside, path)) return;
  const Trail& first = uses.begin()->second;
  for (const std::string& secret : secrets_) {
    if (!is_at_or_below(name, secret)) continue;
    std::string why(danger_of_path(secret, false));
    if (why.empty()) why = "it is secret";
    if (found.status.kind == FileKind::missing) return;
    return needs_.leave(Key::home_keep_read_only, secret, {"asked for", name, first}, why);
  }
  if (is_below(path, "/dev")) {
    bool is_opened = uses.contains(Use::read) || uses.contains(Use::change);
    if (found.status.kind == FileKind::character_device && is_opened) look_at_device(path, first);
    return;
  }
  for (const auto& [use, trail] : uses) look_at_use(path, use, trail);
}

void FileNeeds::run() {
  find_arguments();
  for (const auto& [inside, uses] : lesson_.evidence.files) look_at_file(inside, uses);
  settle_files();
}

// What brings files. The rest may be missing on the host by now, and shows none that are asked about.
Profile FileNeeds::draft() const {
  constexpr std::string_view kSections[] = {"home", "files", "system", "devices", "desktop", "environment"};
  Profile profile;
  for (const Need& need : needs_.all()) {
    bool brings_files = contains(kSections, setting(need.key).section);
    if (brings_files) profile.assign(need.key, {need.value, {"evidence", 0}});
  }
  profile.assign(Key::seccomp_mode, {"none", {"evidence", 0}});  // compiling filters takes long
  // Stands for any: what a private one needs besides files may be missing.
  bool has_network = std::any_of(needs_.all().begin(), needs_.all().end(),
                                 [](const Need& need) { return need.key == Key::network_mode; });
  if (has_network) {
    profile.assign(Key::network_mode, {"host", {"evidence", 0}});
    profile.assign(Key::profile_optional, {"abstract-sockets", {"evidence", 0}});
  }
  profile.rename(lesson_.name, "");
  return profile;
}

// Nothing is wanted of its own that lies below a directory that is wanted as much.
void FileNeeds::drop_covered() {
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
void FileNeeds::settle_arguments() {
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
  if (reason) needs_.add(Key::files_arguments, writes ? "read-write" : "read-only", *reason);
}

Element FileNeeds::element_for(const std::string& path, const Want& want) const {
  if (path == places_.home_canonical) return {Key::home_mode, "host"};
  if (is_home(path)) return {want.writes ? Key::home_keep : Key::home_keep_read_only, needs_.written(path)};
  if (!want.writes && path != "/etc" && parent_of(path) == "/etc") return {Key::system_etc, base_name(path)};
  return {want.writes ? Key::files_read_write : Key::files_read_only, path};
}

// Why what is wanted of a path is not proposed; "" where it is.
std::string FileNeeds::caution_for(const std::string& path, const Want& want) const {
  std::string value = needs_.written(path);
  for (std::string_view common : kCommon) {
    if (is_at_or_below(value, common)) return "toolkits and shells look there, and go on without";
  }
  if (value == "/etc/machine-id" || value == "/var/lib/dbus/machine-id") return "the sandbox has one of its own";
  if (value == "/etc/resolv.conf" || value == "/etc/host.conf") return "it comes with a network";
  constexpr std::string_view kTooWide[] = {"/usr", "/var", "/opt", "/srv", "/mnt", "/media"};
  bool is_wide = contains(kTooWide, value);
  if (is_wide) return "it is more than the program can have needed";
  bool holds_secrets =
      std::any_of(secrets_.begin(), secrets_.end(), [&](const std::string& secret) { return is_below(secret, value); });
  if (holds_secrets && value != "~") return "keys, passwords or what browsers know may lie below it";
  return std::string(danger_of_path(value, want.writes));
}

bool FileNeeds::is_there_already(const Profile& profile, const Plan& plan, const std::string& path,
                                 const Want& want) const {
  for (const char* made : {"/", "/etc", "/home", "/dev"}) {
    if (path == made) return true;
  }
  std::string verdict = explain_path({profile, plan, host_}, path).verdict;
  if (verdict == "yes" || (verdict == "read-only" && !want.writes)) return true;
  return want.writes && !may(host_, host_.resolve(path).status, kWrite);
}

// What the sandbox has anyway, and what is better not given, first: neither stands for what is below it.
void FileNeeds::settle_files() {
  Profile profile = draft();
  Plan plan = make_plan(profile, lesson_.request, host_);
  std::erase_if(wants_, [&](const auto& entry) { return is_there_already(profile, plan, entry.first, entry.second); });
  std::erase_if(wants_, [&](const auto& entry) {
    const auto& [path, want] = entry;
    std::string caution = is_argument(path) ? "" : caution_for(path, want);
    if (caution.empty()) return false;
    Element element = element_for(path, want);
    needs_.leave(element.key, element.value, want.reason, caution);
    return true;
  });
  drop_covered();
  settle_arguments();
  for (const auto& [path, want] : wants_) {
    Element element = element_for(path, want);
    if (is_writable_in_a_profile(element.key, element.value, path)) {
      needs_.add(element.key, element.value, want.reason);
    } else {
      needs_.remark("A profile cannot name " + quote(needs_.written(path)) + ", which it " + want.reason.what + ".");
    }
  }
}

}  // namespace

void look_at_files(Needs& needs) { FileNeeds(needs).run(); }

std::vector<std::string> secret_paths() {
  std::vector<std::string> paths(std::begin(kSecrets), std::end(kSecrets));
  for (std::string_view path : dangerous_to_show()) {
    if (path.starts_with("~/")) paths.emplace_back(path);
  }
  return paths;
}

}  // namespace sbox
