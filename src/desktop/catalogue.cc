#include "desktop/catalogue.h"

#include <algorithm>
#include <map>

#include "base/contains.h"
#include "base/error.h"
#include "base/strings.h"
#include "desktop/exec.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr std::string_view kSuffix = ".desktop";
constexpr int kDeepest = 8;

// By id: the paths of its files, highest directory first.
using Paths = std::map<std::string, std::vector<std::string>>;

// The id of DIRECTORY/a/b.desktop is a-b.
void collect(const Host& host, const std::string& directory, const std::string& prefix, int depth, Paths& paths) {
  for (const std::string& name : host.list(directory)) {
    if (has_control(name)) continue;
    std::string path = join(directory, name);
    if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) {
      paths[prefix + name.substr(0, name.size() - kSuffix.size())].push_back(path);
    } else if (depth < kDeepest && host.status(path).kind == FileKind::directory) {
      collect(host, path, prefix + name + "-", depth + 1, paths);
    }
  }
}

std::optional<KeyFile> read_written(const Host& host, const Place& place) {
  std::optional<std::string> text = host.read(place.path);
  if (!text) return std::nullopt;
  try {
    KeyFile file = parse_key_file(*text, place.group, place.path);
    if (record_of(file)) return file;
  } catch (const Error&) {
    // Not as sbox writes them.
  }
  return std::nullopt;
}

// `sources`: where its original may be, besides at its own place.
Place look(const Host& host, const std::string& path, std::string_view group, const std::vector<std::string>& sources) {
  Place place{path, group, {}, false, {}, ""};
  place.written = read_written(host, place);
  place.occupied = !place.written && host.status(path).kind != FileKind::missing;
  auto take = [&](const std::string& from, const std::string& shown) {
    std::optional<std::string> text = host.read(from);
    if (!text) return;
    place.source = shown;
    place.original = std::move(*text);
  };
  std::string aside = path + std::string(kAside);
  if (place.occupied) return take(path, aside), place;
  take(aside, aside);
  for (auto source = sources.begin(); !place.source && source != sources.end(); ++source) take(*source, *source);
  return place;
}

EntryState state_of(const DesktopEntry& entry, const KeyFile& file, const std::string& sbox) {
  if (!entry.entry.written) return starts_sbox(file, sbox) ? EntryState::wrapped : EntryState::available;
  if (!entry.entry.source) return EntryState::gone;
  bool service = entry.service.written ? entry.service.is_stale() : entry.service.source.has_value();
  return entry.entry.is_stale() || service ? EntryState::stale : EntryState::enabled;
}

// Whether it is something that can be started and is not deleted.
bool is_program(const KeyFile& file) { return file.value("Type") == "Application" && file.value("Hidden") != "true"; }

}  // namespace

bool Place::is_stale() const {
  std::optional<Record> record = record_of(*written);
  return source != record->source || digest_of(original) != record->digest;
}

KeyFile Place::parse() const { return parse_key_file(original, group, occupied ? path : *source); }

std::vector<std::string> data_directories(const Host& host, bool system) {
  std::vector<std::string> directories;
  auto add = [&](const std::string& written) {
    std::optional<std::string> path = normalise(written);
    bool known = path && contains(directories, *path);
    if (path && !known && !has_control(*path)) directories.push_back(*path);
  };
  auto variable = [&](const char* name, const std::string& fallback) {
    std::string value = host.variable(name).value_or("");
    return value.empty() ? fallback : value;
  };
  add(system ? "/usr/local/share" : variable("XDG_DATA_HOME", variable("HOME", host.home()) + "/.local/share"));
  if (directories.empty()) {
    throw Error("HOME or XDG_DATA_HOME", "not a usable absolute path").hint("set it to one, or unset XDG_DATA_HOME");
  }
  for (const std::string& path : split(variable("XDG_DATA_DIRS", "/usr/local/share:/usr/share"), ':')) add(path);
  return directories;
}

std::vector<DesktopEntry> find_entries(const Host& host, const std::vector<std::string>& directories,
                                       const std::string& sbox) {
  Paths all;
  for (const std::string& directory : directories) collect(host, directory + "/applications", "", 0, all);
  std::vector<DesktopEntry> entries;
  for (auto& [id, paths] : all) {
    std::string own = directories[0] + "/applications";
    // Beside a file of that id, it would not be known which counts.
    bool is_own = is_below(paths[0], own);
    std::string path = is_own ? paths[0] : join(own, id + std::string(kSuffix));
    if (is_own) paths.erase(paths.begin());
    std::erase_if(paths, [&](const std::string& other) { return is_below(other, own); });
    std::string service = "/dbus-1/services/" + id + ".service";
    std::vector<std::string> services;
    for (size_t i = 1; i < directories.size(); ++i) services.push_back(directories[i] + service);

    DesktopEntry entry;
    entry.id = id;
    entry.entry = look(host, path, kEntryGroup, paths);
    entry.service = look(host, directories[0] + service, kServiceGroup, services);
    try {
      if (!entry.entry.written && !entry.entry.source) continue;
      KeyFile file = entry.entry.source ? entry.entry.parse() : *entry.entry.written;
      if (!entry.entry.written && !is_program(file)) continue;
      std::vector<std::string> command = command_of(file);
      if (!command.empty()) entry.program = program_of(command);
      entry.state = state_of(entry, file, sbox);
    } catch (const Error&) {
      if (!entry.entry.written) continue;
      entry.state = EntryState::stale;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace sbox
