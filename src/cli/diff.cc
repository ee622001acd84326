#include <fcntl.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/strings.h"
#include "cli/overlay.h"
#include "cli/print.h"
#include "overlay/files.h"
#include "overlay/text_diff.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr off_t kLargestText = 8 << 20;

struct Counts {
  size_t added = 0, changed = 0, deleted = 0;
};

Counts count(const std::vector<Change>& changes) {
  Counts counts;
  for (const Change& change : changes) {
    if (change.kind == ChangeKind::added) ++counts.added;
    if (change.kind == ChangeKind::changed) ++counts.changed;
    if (change.kind == ChangeKind::deleted) ++counts.deleted;
  }
  return counts;
}

std::string as_words(const Counts& counts) {
  return std::to_string(counts.added) + " added, " + std::to_string(counts.changed) + " changed, " +
         std::to_string(counts.deleted) + " deleted";
}

const char* word_of(ChangeKind kind) {
  constexpr const char* kWords[] = {"added", "changed", "deleted", "none"};
  return kWords[static_cast<int>(kind)];
}

const char* word_of(FileKind kind) {
  constexpr const char* kWords[] = {"none",   "directory", "file", "symlink", "socket",
                                    "device", "device",    "fifo", "unknown"};
  return kWords[static_cast<int>(kind)];
}

std::string octal(mode_t mode) {
  char digits[16];
  snprintf(digits, sizeof digits, "%04o", mode & 07777U);
  return digits;
}

nlohmann::ordered_json as_json(const Change& change) {
  nlohmann::ordered_json object;
  put_text(object, "path", change.path);
  object["change"] = word_of(change.kind);
  object["type"] = word_of(change.now);
  object["type_before"] = word_of(change.before);
  object["size"] = change.now == FileKind::file ? change.status.st_size : 0;
  object["size_before"] = change.before == FileKind::file ? change.host.st_size : 0;
  object["mode"] = octal(change.status.st_mode);
  object["mode_before"] = octal(change.host.st_mode);
  put_text(object, "link", change.link);
  object["same_content"] = change.same_content;
  object["conflict"] = change.is_conflict;
  object["obstacle"] = change.obstacle;
  return object;
}

// Of a file in `root`; -1 where there is none.
UniqueFd open_for_text(int root, const std::string& path, bool is_there) {
  if (!is_there) return {};
  size_t slash = path.rfind('/');
  UniqueFd parent =
      open_beneath(root, slash == std::string::npos ? "." : path.substr(0, slash), O_RDONLY | O_DIRECTORY);
  return parent ? open_regular(parent.get(), base_name("/" + path)) : UniqueFd();
}

// As it is now: a program that runs may have changed it since it was listed.
bool is_too_large(const UniqueFd& file) {
  struct stat status {};
  return file && (fstat(file.get(), &status) != 0 || status.st_size > kLargestText);
}

std::string text_of(const OverlayStore& store, const Change& change, bool colour) {
  bool is_new = change.now == FileKind::file, was_there = change.before == FileKind::file;
  if (!is_new && !was_there) return "";
  UniqueFd before = open_for_text(store.home_directory(), change.path, was_there);
  UniqueFd after = open_for_text(store.upper(), change.path, is_new);
  if (before.ok() != was_there || after.ok() != is_new) return "";
  if (is_too_large(before) || is_too_large(after)) {
    return "Too large to compare: " + shown_path(change.path) + "\n";
  }
  return text_diff(before.get(), after.get(), "~/" + change.path, colour);
}

// Gives standard output to a pager, where it is a terminal. Ends when the reader has seen enough.
class Pager {
 public:
  Pager() {
    const char* chosen = getenv("PAGER");
    std::string command = chosen && *chosen ? chosen : "less";
    int ends[2];
    if (command == "cat" || pipe2(ends, O_CLOEXEC) != 0) return;
    fflush(stdout);
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[0], 0);
      setenv("LESS", "FRX", 0);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      execl("/bin/cat", "cat", nullptr);
      _exit(kExitNotFound);
    }
    if (child_ > 0) dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    signal(SIGPIPE, SIG_IGN);
  }
  ~Pager() {
    fflush(stdout);
    if (child_ <= 0) return;
    // Who has seen enough misses nothing.
    __fpurge(stdout);
    clearerr(stdout);
    close(1);
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  pid_t child_ = -1;
};

int list_overlays(const Context& context, bool as_objects) {
  Places places = find_places(context.host);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::string& name : OverlayStore::list(data_directory(context.host, places))) {
    OverlayStore store = OverlayStore::open(context.host, places, name);
    Counts counts = count(find_changes(store.layers()));
    bool in_use = store.is_locked_by_other();
    if (as_objects) {
      nlohmann::ordered_json object;
      put_text(object, "name", name);
      object.update({{"in_use", in_use}, {"added", counts.added}, {"changed", counts.changed}});
      object["deleted"] = counts.deleted;
      list.push_back(object);
    } else {
      printf("%s: %s%s\n", escape_control(name).c_str(), as_words(counts).c_str(), in_use ? " (in use)" : "");
    }
  }
  if (as_objects) print(json_text(list));
  return 0;
}

void print_list(const OverlayStore& store, const std::vector<Change>& changes, bool with_text, bool colour) {
  for (const Change& change : changes) {
    if (puts(change_line(change).c_str()) < 0) return;
  }
  if (changes.empty()) puts("Nothing is changed.");
  for (const Change& change : changes) {
    std::string text = with_text ? text_of(store, change, colour) : "";
    if (!text.empty() && fputs(("\n" + text).c_str(), stdout) < 0) return;
  }
}

}  // namespace

int run_diff(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("diff", arguments, {"--text", "--json", "--no-pager", "--color=never", "--color=always"});
  bool as_objects = words.has("--json");
  if (words.names.empty()) return list_overlays(context, as_objects);
  OverlayStore store = OverlayStore::open(context.host, find_places(context.host), words.name());
  if (store.was_interrupted()) {
    fputs("sbox: taking over was cut short: `sbox commit` goes on with it\n", stderr);
  }
  std::vector<Change> changes = find_changes(store.layers());
  Selection selection(context, store, words);
  selection.check_there(changes, store.layers().home);
  std::erase_if(changes, [&](const Change& c) { return c.kind == ChangeKind::none || !selection.holds(c); });
  if (as_objects) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Change& change : changes) list.push_back(as_json(change));
    print(json_text(list));
    return 0;
  }
  bool is_terminal = isatty(1) == 1;
  bool colour = words.has("--color=always") || (is_terminal && !words.has("--color=never"));
  std::optional<Pager> pager;
  if (is_terminal && !words.has("--no-pager")) pager.emplace();
  print_list(store, changes, words.has("--text"), colour);
  return 0;
}

}  // namespace sbox
