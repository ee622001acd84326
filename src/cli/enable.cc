#include "cli/enable.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/words.h"
#include "desktop/catalogue.h"
#include "desktop/store.h"
#include "plan/paths.h"
#include "plan/shim.h"

namespace sbox {
namespace {

// `command`: enable or disable.
Words parse(const std::string& command, const std::vector<std::string>& arguments,
            const std::vector<std::string>& known) {
  Words words = parse_words(command, arguments, known);
  int wishes = (words.has("--all") ? 1 : 0) + (words.has("--list") ? 1 : 0) + (words.names.empty() ? 0 : 1);
  if (wishes != 1) throw Error(command, "takes one of these").hint(usage_of(command));
  if (words.has("--json") && !words.has("--list")) throw Error(command, "--json goes with --list");
  return words;
}

// Where everything is, for this run.
struct Desk {
  Desk(const Context& c, bool is_system)
      : context(c),
        sbox(c.prefix + "/bin/sbox"),
        home(normalise(c.host.variable("HOME").value_or(c.host.home())).value_or(c.host.home())),
        directories(data_directories(c.host, is_system)),
        commands(is_system ? "/usr/local/bin" : home + "/.local/bin"),
        root(is_system ? "/usr/local" : home),
        entries(find_entries(c.host, directories, sbox)) {}

  Store data() const { return Store(is_below(directories[0], root) ? root : directories[0]); }

  const Context& context;
  std::string sbox, home;
  std::vector<std::string> directories;
  std::string commands, root;
  std::vector<DesktopEntry> entries;
};

void say(const DesktopEntry& entry, const std::string& text) {
  printf("%s: %s\n", escape_control(entry.id).c_str(), text.c_str());
}

std::string profile_of(const Desk& desk, const DesktopEntry& entry) {
  return entry.program.empty() ? "" : find_profile_for(desk.context.search, entry.program).value_or("");
}

Record record_in(const DesktopEntry& entry) {
  return entry.entry.written ? record_of(*entry.entry.written).value_or(Record{}) : Record{};
}

// Error for an entry of this id that is there and none that can be started.
void refuse_unusable(const Desk& desk, const std::string& id) {
  for (const std::string& directory : desk.directories) {
    std::string path = directory + "/applications/" + id + ".desktop";
    std::optional<std::string> text = desk.context.host.read(path);
    if (!text) continue;
    KeyFile file = parse_key_file(*text, kEntryGroup, path);
    bool is_hidden = file.value("Hidden") == "true";
    throw Error(quote(path), is_hidden ? "is hidden, as if it were not there" : "starts no program")
        .hint(is_hidden ? "take the line Hidden=true out" : "it needs Type=Application and an Exec");
  }
}

// By its id, else all that start the program of that name.
std::vector<const DesktopEntry*> find(const Desk& desk, const std::string& app) {
  std::string id = app.substr(0, app.size() - (app.ends_with(".desktop") ? std::string_view(".desktop").size() : 0));
  std::vector<const DesktopEntry*> same_id, same_program;
  std::vector<std::string> ids;
  for (const DesktopEntry& entry : desk.entries) {
    ids.push_back(entry.id);
    if (entry.id == id) same_id.push_back(&entry);
    if (!entry.program.empty() && base_name(entry.program) == app) same_program.push_back(&entry);
  }
  if (!same_id.empty()) return same_id;
  if (!same_program.empty()) return same_program;
  if (!id.empty() && id.find('/') == std::string::npos) refuse_unusable(desk, id);
  std::optional<std::string> near = nearest(id, ids);
  throw Error(quote(app), "no desktop entry has that name or starts that program")
      .hint(near ? "did you mean " + *near + "?" : "see `sbox enable --list`");
}

// The program that `command` would start if it were not there.
std::optional<std::string> behind(const Desk& desk, const std::string& command) {
  for (const std::string& written : split(desk.context.host.variable("PATH").value_or(""), ':')) {
    std::optional<std::string> directory = normalise(written);
    if (!directory || has_control(*directory) || *directory == parent_of(command)) continue;
    std::string path = join(*directory, base_name(command));
    Resolved found = desk.context.host.resolve(path);
    if (found.status.kind == FileKind::file && !is_shim(desk.context.host, found.path)) return path;
  }
  return std::nullopt;
}

std::string quoted_for_shell(const std::string& word) {
  std::string text;
  for (char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return "'" + text + "'";
}

// The name of the command that is put on PATH, "" for none.
std::string make_shim(const Desk& desk, const DesktopEntry& entry) {
  std::string name = base_name(entry.program), path = join(desk.commands, name);
  // A program without a profile may be a shell or an interpreter, which others call.
  std::optional<std::string> program;
  if (!has_control(name) && !profile_of(desk, entry).empty()) program = behind(desk, path);
  if (!program) {
    say(entry, "no command on PATH is made for " + quote(name));
    return "";
  }
  FileKind there = desk.context.host.status(path).kind;
  bool is_ours = there == FileKind::file && is_shim(desk.context.host, path);
  if (there != FileKind::missing && !is_ours) {
    throw Error(quote(path), "is there and not by sbox").hint("remove it, or enable without --shims");
  }
  std::string command = quoted_for_shell(desk.sbox) + " run -- " + quoted_for_shell(*program);
  Store(desk.root).write(path, std::string(kShimHead) + "exec " + command + " \"$@\"\n", 0755);
  return name;
}

void remove_shim(const Desk& desk, const DesktopEntry& entry) {
  std::string shim = record_in(entry).shim;
  if (shim.empty() || shim.find('/') != std::string::npos) return;
  bool shared = std::any_of(desk.entries.begin(), desk.entries.end(), [&](const DesktopEntry& other) {
    return other.id != entry.id && record_in(other).shim == shim;
  });
  std::string path = join(desk.commands, shim);
  bool is_ours = desk.context.host.status(path).kind == FileKind::file && is_shim(desk.context.host, path);
  if (!shared && is_ours) Store(desk.root).undo(path, path + std::string(kAside));
}

std::string aside_of(const Place& place) { return place.path + std::string(kAside); }

std::string text_for(const Desk& desk, const Place& place, const std::string& shim) {
  try {
    return wrapped(place.parse(), desk.sbox, {*place.source, digest_of(place.original), shim});
  } catch (Error& error) {
    // It is not set aside yet.
    Origin found = error.where();
    if (place.occupied && found.file == *place.source) throw std::move(error).at({place.path, found.line});
    throw;
  }
}

void write(const Desk& desk, const Place& place, const std::string& text) {
  desk.data().write(place.path, text, 0644, place.occupied ? aside_of(place) : "");
}

void enable(const Desk& desk, const DesktopEntry& entry, bool with_shim) {
  if (entry.state == EntryState::wrapped) return say(entry, "starts through sbox already");
  if (!entry.entry.source) throw Error(quote(entry.id), "its original is gone").hint("sbox disable " + entry.id);
  if (entry.entry.parse().value("Exec").empty() && !entry.service.source) {
    throw Error(quote(entry.id), "has no command line");
  }
  // Before anything is written: what cannot be wrapped is refused here.
  std::string service = entry.service.source ? text_for(desk, entry.service, "") : "";
  (void)text_for(desk, entry.entry, "");
  std::string shim = with_shim || !record_in(entry).shim.empty() ? make_shim(desk, entry) : "";
  if (shim != record_in(entry).shim) remove_shim(desk, entry);
  if (entry.service.source)
    write(desk, entry.service, service);
  else if (entry.service.written)
    desk.data().undo(entry.service.path, aside_of(entry.service));
  write(desk, entry.entry, text_for(desk, entry.entry, shim));
  std::string profile = profile_of(desk, entry);
  say(entry, "starts through sbox, profile " + (profile.empty() ? "default" : profile));
}

void disable(const Desk& desk, const DesktopEntry& entry) {
  remove_shim(desk, entry);
  if (entry.service.written) desk.data().undo(entry.service.path, aside_of(entry.service));
  desk.data().undo(entry.entry.path, aside_of(entry.entry));
  say(entry, "starts as before");
}

const char* word(EntryState state) {
  switch (state) {
    case EntryState::available:
      return "available";
    case EntryState::enabled:
      return "enabled";
    case EntryState::stale:
      return "stale";
    case EntryState::gone:
      return "gone";
    case EntryState::wrapped:
      return "wrapped";
  }
  return "unknown";
}

// What is enabled, or would be by --all.
std::vector<const DesktopEntry*> listed(const Desk& desk) {
  std::vector<const DesktopEntry*> found;
  for (const DesktopEntry& entry : desk.entries) {
    bool known = entry.state != EntryState::available || !profile_of(desk, entry).empty();
    if (known) found.push_back(&entry);
  }
  return found;
}

std::string list_text(const Desk& desk) {
  std::vector<std::vector<std::string>> rows;
  for (const DesktopEntry* entry : listed(desk)) {
    rows.push_back({word(entry->state), escape_control(entry->id), profile_of(desk, *entry)});
  }
  return table(rows);
}

std::string list_json(const Desk& desk) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const DesktopEntry* entry : listed(desk)) {
    list.push_back({{"id", entry->id},
                    {"state", word(entry->state)},
                    {"program", entry->program},
                    {"profile", profile_of(desk, *entry)},
                    {"entry", entry->entry.written ? entry->entry.path : ""},
                    {"source", entry->entry.source.value_or("")},
                    {"service", entry->service.written ? entry->service.path : ""},
                    {"shim", record_in(*entry).shim}});
  }
  return json_text(list);
}

// Returns the exit status.
int for_each(const std::vector<const DesktopEntry*>& entries, const std::function<void(const DesktopEntry&)>& action) {
  int status = 0;
  for (const DesktopEntry* entry : entries) {
    try {
      action(*entry);
    } catch (const Error& error) {
      fprintf(stderr, "%s\n", error.line().c_str());
      status = error.exit_status();
    }
  }
  return status;
}

std::vector<const DesktopEntry*> chosen(const Desk& desk, const Words& words,
                                        const std::function<bool(const DesktopEntry&)>& by_all) {
  std::vector<const DesktopEntry*> entries;
  for (const DesktopEntry& entry : desk.entries) {
    if (words.has("--all") && by_all(entry)) entries.push_back(&entry);
  }
  for (const std::string& app : words.names) {
    for (const DesktopEntry* entry : find(desk, app)) {
      if (!contains(entries, entry)) entries.push_back(entry);
    }
  }
  return entries;
}

void refuse_without_root(const Context& context, const Words& words) {
  if (words.has("--system") && !words.has("--list") && context.host.uid() != 0) throw Error("--system", "needs root");
}

}  // namespace

int run_enable(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse("enable", arguments, {"--all", "--system", "--shims", "--list", "--json"});
  refuse_without_root(context, words);
  Desk desk(context, words.has("--system"));
  if (words.has("--list")) {
    print(words.has("--json") ? list_json(desk) : list_text(desk));
    return 0;
  }
  auto by_all = [&](const DesktopEntry& entry) {
    return entry.state != EntryState::wrapped && entry.state != EntryState::gone && !profile_of(desk, entry).empty();
  };
  return for_each(chosen(desk, words, by_all),
                  [&](const DesktopEntry& entry) { enable(desk, entry, words.has("--shims")); });
}

int run_disable(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse("disable", arguments, {"--all", "--system"});
  refuse_without_root(context, words);
  Desk desk(context, words.has("--system"));
  auto is_enabled = [](const DesktopEntry& entry) { return entry.entry.written.has_value(); };
  std::vector<const DesktopEntry*> entries = chosen(desk, words, is_enabled);
  std::erase_if(entries, [&](const DesktopEntry* entry) { return !is_enabled(*entry); });
  if (entries.empty() && !words.has("--all")) throw Error(quote(words.names[0]), "is not enabled");
  return for_each(entries, [&](const DesktopEntry& entry) {
    disable(desk, entry);
    desk.entries[static_cast<size_t>(&entry - desk.entries.data())].entry.written.reset();
  });
}

}  // namespace sbox
