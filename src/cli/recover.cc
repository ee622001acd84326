#include "cli/recover.h"

#include <linux/close_range.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "cli/background.h"
#include "cli/keep.h"
#include "cli/notify.h"
#include "cli/overlay.h"
#include "overlay/commit.h"
#include "overlay/directory.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr size_t kMostNamed = 5;

using Files = std::vector<const Change*>;
using Paths = std::vector<std::string>;

bool is_rest_of_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Beginning and end of a text that is too long for a notification.
std::string shortened(const std::string& text) {
  constexpr size_t kLongest = 100, kEnd = 40;
  if (text.size() <= kLongest) return text;
  size_t first = kLongest - kEnd, last = text.size() - kEnd;
  while (first > 0 && is_rest_of_character(text[first])) --first;
  while (last < text.size() && is_rest_of_character(text[last])) ++last;
  return text.substr(0, first) + "…" + text.substr(last);
}

std::string and_more(size_t all) {
  return all > kMostNamed ? "\nand " + std::to_string(all - kMostNamed) + " more" : "";
}

std::string count(size_t files) { return files == 1 ? "a file" : std::to_string(files) + " files"; }

Paths below_home(const Paths& directories, const std::string& home) {
  Paths below;
  for (const std::string& directory : directories) {
    if (is_below(directory, home)) below.push_back(rest_below(directory, home));
  }
  return below;
}

bool ask(const std::string& program, const Files& files) {
  std::string summary = shortened(escape_control(base_name(program))) + " left " + count(files.size());
  return ask_by_notification(summary, offer_text(files), files.size() == 1 ? "Keep" : "Keep all");
}

bool is_same(const Change& now, const Change& offered) {
  return now.now == offered.now && now.status.st_ino == offered.status.st_ino &&
         is_same_time(now.status.st_ctim, offered.status.st_ctim);
}

// The new directories that lead to one of `files` (of the same changes) come with them.
Files with_directories(const std::vector<Change>& changes, const Files& files) {
  std::set<std::string_view> parents;
  for (const Change* file : files) {
    std::string_view path = file->path;
    for (size_t end; (end = path.rfind('/')) != path.npos;) parents.insert(path = path.substr(0, end));
  }
  Files all = files;
  for (const Change& change : changes) {
    bool is_new = change.now == FileKind::directory && change.before == FileKind::missing;
    if (is_new && parents.contains(change.path)) all.push_back(&change);
  }
  return all;
}

using Left = std::vector<std::pair<std::string, std::string>>;  // path, and why

// Those of `offered` that are still what was offered.
Left take(OverlayStore& store, const Files& offered) {
  std::vector<Change> changes = find_changes(store.layers());
  std::map<std::string_view, const Change*> by_path;
  for (const Change& change : changes) by_path[change.path] = &change;
  Files files;
  Left left;
  for (const Change* each : offered) {
    auto now = by_path.find(each->path);
    if (now == by_path.end() || !is_same(*now->second, *each)) {
      left.emplace_back(each->path, "it changed after you were asked");
    } else {
      files.push_back(now->second);
    }
  }
  CommitResult result = take_over(store, changes, with_directories(changes, files), false);
  left.insert(left.end(), result.left.begin(), result.left.end());
  return left;
}

std::string left_text(const Left& left) {
  std::string text;
  for (size_t i = 0; i < std::min(left.size(), kMostNamed); ++i) {
    text += (i > 0 ? "\n" : "") + shortened(shown_path(left[i].first)) + ": " + left[i].second;
  }
  return text + and_more(left.size());
}

void tell_left(const Left& left, const std::string& overlay) {
  std::string text = left_text(left) + "\nTo take it over all the same:";
  for (size_t i = 0; i < std::min(left.size(), kMostNamed); ++i) text += "\n" + force_command(overlay, left[i].first);
  show_notification("Not kept: " + count(left.size()), text);
}

// While the question is open nothing of the overlay is: it serves the next run.
void offer_of_overlay(const Context& context, const Places& places, const Overlay& overlay, const std::string& program,
                      const timespec& since) {
  std::optional<OverlayStore> store = OverlayStore::open_at(context.host, places, overlay.directory);
  if (!store) return;
  std::vector<Change> changes = find_changes(store->layers());
  Files files = recoverable(changes, below_home(overlay.recover, store->home()), since);
  store.reset();
  if (files.empty() || !ask(program, files)) return;
  std::string name = base_name(overlay.directory);
  try {
    store = OverlayStore::open_at(context.host, places, overlay.directory);
    if (!store) return;
    store->lock(("sbox commit " + name).c_str());
    Left left = take(*store, files);
    if (!left.empty()) tell_left(left, name);
  } catch (const Error& error) {
    show_notification("Not kept: " + count(files.size()), error.line());
  }
}

// The only descriptor that is left.
void keep_only(UniqueFd& fd) {
  constexpr int kNumber = 3;
  if (fd.get() != kNumber && dup2(fd.get(), kNumber) != kNumber) throw system_error("descriptors", errno);
  fd.release();
  fd.reset(kNumber);
  close_range(kNumber + 1, ~0U, 0);
}

// In quotes for a shell.
std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

}  // namespace

std::vector<const Change*> recoverable(const std::vector<Change>& changes, const Paths& directories,
                                       const timespec& since) {
  Files files;
  for (const Change& change : changes) {
    bool is_wanted = (change.kind == ChangeKind::added || change.kind == ChangeKind::changed) &&
                     change.now == FileKind::file && change.obstacle.empty() && !is_later(since, change.status.st_ctim);
    if (is_wanted && is_at_or_below_any(change.path, directories)) files.push_back(&change);
  }
  return files;
}

std::string offer_text(const Files& files) {
  std::string text;
  for (size_t i = 0; i < std::min(files.size(), kMostNamed); ++i) {
    const Change& file = *files[i];
    std::string note = change_note(file);
    text += (i > 0 ? "\n" : "") + shortened(shown_path(file.path)) + "  " +
            short_size(static_cast<uint64_t>(file.status.st_size)) + (note.empty() ? "" : ", " + note);
  }
  return text + and_more(files.size());
}

std::string force_command(const std::string& overlay, const std::string& path) {
  if (!is_safe_to_show(path)) return "sbox diff " + shell_word(overlay);
  return "sbox commit --force " + shell_word(overlay) + " " + shell_word("~/" + path);
}

void offer_after_run(const Context& context, const Places& places, const Plan& plan, const std::string& program,
                     mode_t callers_umask) {
  UniqueFd run = open_pidfd(getpid());
  if (!run) throw system_error("pidfd_open", errno);
  timespec since = file_time(make_path(plan.overlay.directory).get());
  run_in_background([&] {
    change_umask(callers_umask);
    keep_only(run);
    while (!has_ended(run, -1)) continue;
    offer_of_overlay(context, places, plan.overlay, program, since);
  });
}

bool has_something_to_offer(const OverlayStore& store, const Paths& directories) {
  std::vector<Change> changes = find_changes(store.layers());
  return !recoverable(changes, below_home(directories, store.home()), {}).empty();
}

void offer_of_throw_away(OverlayStore& store, const Paths& directories, const std::string& program) {
  std::vector<Change> changes = find_changes(store.layers());
  Files files = recoverable(changes, below_home(directories, store.home()), {});
  if (files.empty() || !ask(program, files)) return;
  Left left = take(store, files);
  if (left.empty()) return;
  // It will be gone: so who asked for it may have it in place of the host's.
  changes = find_changes(store.layers());
  files.clear();
  std::set<std::string_view> names;
  for (const auto& [path, why] : left) names.insert(path);
  for (const Change& change : changes) {
    if (change.is_conflict && names.contains(change.path)) files.push_back(&change);
  }
  std::string summary = "Not kept: " + count(left.size());
  if (files.empty()) return show_notification(summary, left_text(left));
  if (!ask_by_notification(summary, left_text(left), "Replace the host's")) return;
  left = take_over(store, changes, with_directories(changes, files), true).left;
  if (!left.empty()) show_notification("Not kept: " + count(left.size()), left_text(left));
}

}  // namespace sbox
