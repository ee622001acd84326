#include "cli/overlay.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

char letter_of(const Change& change) {
  constexpr char kLetters[] = {'A', 'M', 'D', ' '};
  return kLetters[static_cast<int>(change.kind)];
}

// Below the home, without a slash in front; "" is the home itself.
std::string below_home(const Context& context, const OverlayStore& store, const std::string& path) {
  Places places = find_places(context.host);
  std::string whole = path;
  if (path == "~" || path.starts_with("~/")) {
    whole = places.home + path.substr(1);
  } else if (!path.starts_with('/')) {
    whole = context.host.directory() + "/" + path;
  }
  std::optional<std::string> normal = normalise(whole);
  if (path.empty() || !normal) throw Error(quote(path), "not a path without '..'").hint("name it from the root");
  for (const std::string& home : {places.home, store.home()}) {
    if (is_at_or_below(*normal, home)) return rest_below(*normal, home);
  }
  throw Error(quote(path), "it does not lie below the home directory " + quote(store.home()));
}

bool is_at_or_in(const std::string& path, const std::string& directory) {
  return directory.empty() || path == directory || path.starts_with(directory + "/");
}

bool is_changed(const std::vector<Change>& changes, const std::string& path) {
  return std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
    return change.kind != ChangeKind::none && is_at_or_in(change.path, path);
  });
}

}  // namespace

std::string short_size(uint64_t bytes) {
  constexpr uint64_t kStep = 1024;
  constexpr const char* kUnits[] = {"K", "M", "G", "T", "P", "E"};
  if (bytes < kStep) return std::to_string(bytes);
  size_t unit = 0;
  uint64_t tenths = bytes * 10 / kStep;
  for (; tenths >= kStep * 10; ++unit) tenths /= kStep;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + kUnits[unit];
}

void put_text(nlohmann::ordered_json& object, const std::string& key, const std::string& bytes) {
  object[key] = bytes;
  if (is_utf8(bytes)) return;
  std::string digits;
  for (unsigned char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    digits += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  object[key + "_hex"] = digits;
}

void require_overlay(const std::string& command, const Words& words) {
  if (words.names.empty()) throw Error(command, "needs the name of an overlay").hint("`sbox diff` lists them");
}

Selection::Selection(const Context& context, const OverlayStore& store, const Words& words) {
  for (const std::string& path : words.behind_first()) paths_.push_back(below_home(context, store, path));
}

bool Selection::holds(const Change& change) const {
  return paths_.empty() || std::any_of(paths_.begin(), paths_.end(),
                                       [&](const std::string& path) { return is_at_or_in(change.path, path); });
}

bool Selection::needs(const Change& change) const {
  bool leads_there = change.now == FileKind::directory && change.before != FileKind::directory &&
                     std::any_of(paths_.begin(), paths_.end(),
                                 [&](const std::string& path) { return is_at_or_in(path, change.path); });
  return leads_there || holds(change);
}

void Selection::check(const std::vector<Change>& changes) const {
  for (const std::string& path : paths_) {
    if (!is_changed(changes, path))
      throw Error(quote("~/" + path), "nothing was changed there").hint("see `sbox diff`");
  }
}

void Selection::check_there(const std::vector<Change>& changes, int home) const {
  for (const std::string& path : paths_) {
    struct stat status {};
    bool is_in_home = fstatat(home, path.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0;
    if (is_in_home || is_changed(changes, path)) continue;
    throw Error(quote("~/" + path), "it is neither in the home nor in the overlay").hint("see `sbox diff`");
  }
}

std::string shown_path(const std::string& path) { return escape_control("~/" + path); }

std::string change_note(const Change& change) {
  constexpr const char* kNames[] = {"missing", "directory", "file", "symlink",    "socket",
                                    "device",  "device",    "fifo", "unreachable"};
  auto name = [&](FileKind kind) { return std::string(kNames[static_cast<int>(kind)]); };
  std::string note;
  auto add = [&](const std::string& text) { note += (note.empty() ? "" : ", ") + text; };
  if (change.kind == ChangeKind::changed && change.before != change.now) {
    add(name(change.before) + " became " + name(change.now));
  } else {
    FileKind kind = change.now == FileKind::missing ? change.before : change.now;
    if (kind != FileKind::file) add(name(kind));
  }
  if (change.now == FileKind::symlink) add("to " + escape_control(change.link));
  bool has_mode = change.now == FileKind::file || change.now == FileKind::directory;
  if (change.kind == ChangeKind::changed && change.before == change.now && has_mode) {
    if ((change.status.st_mode & 0777) != (change.host.st_mode & 0777)) add("mode");
    if (change.same_content) add("same content");
  }
  if (has_mode && (change.status.st_mode & (S_ISUID | S_ISGID))) add("set-id bits are dropped");
  if (change.is_conflict) add("changed on the host too");
  if (!change.obstacle.empty()) add("stays here: " + change.obstacle);
  return note;
}

std::string change_line(const Change& change) {
  const struct stat& status = change.now == FileKind::missing ? change.host : change.status;
  std::string size = S_ISREG(status.st_mode) ? short_size(static_cast<uint64_t>(status.st_size)) : "-";
  constexpr size_t kWidth = 8;
  std::string note = change_note(change);
  return std::string(1, letter_of(change)) + std::string(kWidth - std::min(kWidth - 1, size.size()), ' ') + size +
         "  " + shown_path(change.path) + (note.empty() ? "" : "  (" + note + ")");
}

}  // namespace sbox
