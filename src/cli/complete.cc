#include "cli/complete.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/explain_thing.h"
#include "cli/export.h"
#include "cli/options.h"
#include "cli/print.h"
#include "desktop/catalogue.h"
#include "instance/registry.h"
#include "overlay/snapshot.h"
#include "overlay/store.h"
#include "plan/seccomp.h"
#include "profile/search.h"

namespace sbox {
namespace {

class Completer {
 public:
  Completer(const Context& context, const std::vector<std::string>& words) : context_(context), words_(words) {}

  std::string text() {
    const Command* command = words_.size() > 1 ? find_command(words_[0]) : nullptr;
    if (words_.size() == 1) {
      for (const Command& one : commands()) add(one.name, one.summary);
    }
    exports_ = command && command->name == "export";
    if (!command || command->name == "run" || exports_)
      options(command ? 1 : 0);
    else
      arguments(*command);
    return text_;
  }

 private:
  const std::string& current() const { return words_.back(); }

  static const Command* find_command(const std::string& name) {
    auto found =
        std::find_if(commands().begin(), commands().end(), [&](const Command& one) { return one.name == name; });
    return found == commands().end() ? nullptr : &*found;
  }

  void add(std::string_view word, std::string_view meaning = {}) {
    if (!word.starts_with(current()) || escape_control(word) != word) return;
    text_.append(word).append("\t").append(meaning).append("\n");
  }

  // From the summary of the arguments, such as "[--json] APP...".
  void arguments(const Command& command) {
    std::string plain(command.arguments);
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return c == '[' || c == ']' || c == '.'; }, ' ');
    for (const std::string& part : split(plain, ' ')) {
      if (part.starts_with('-')) add(part);
      if (part == "PROFILE" || part == "FILE") profiles("");
      if (part == "THING") things();
      if (part == "THING" || part == "FILE" || part == "PATH") text_ += ":files\n";
      if (part == "APP") entries();
      if (part == "INSTANCE") instances();
      if (part == "OVERLAY") overlays();
      if (part == "LABEL") labels();
      if (part == "SETTING" && words_.size() > 2 && words_[words_.size() - 2] == "-s") assignments("");
      if (part == "PROGRAM" && command.name == "learn" && !current().starts_with('-')) program(first_word());
    }
  }

  // Of the command line that `learn` takes, behind its options and their values.
  size_t first_word() const {
    size_t at = 1;
    while (at + 1 < words_.size() && words_[at].starts_with('-')) {
      bool has_value = words_[at] == "-s" || words_[at] == "--name" || words_[at] == "--output";
      if (words_[at++] == "--") break;
      if (has_value && at + 1 < words_.size()) ++at;
    }
    return at;
  }

  void options(size_t at) {
    const RunOption* pending = nullptr;
    for (; at + 1 < words_.size(); ++at) {
      const std::string& word = words_[at];
      if (pending) {
        pending = nullptr;
        continue;
      }
      if (word == "--") return program(at + 1);
      if (!word.starts_with('-')) return program(at);
      pending = find_option(word);
      if (pending && !pending->value) pending = nullptr;
    }
    if (pending) return value(*pending, "");
    size_t equals = current().find('=');
    const RunOption* named = equals == std::string::npos ? nullptr : find_option(current().substr(0, equals));
    if (named) return value(*named, current().substr(0, equals + 1));
    for (const RunOption& option : run_options()) add("--" + std::string(option.name), option.meaning);
    if (exports_) add("--" + std::string(kOciOption.name), kOciOption.meaning);
    if (!current().starts_with('-')) program(at);
  }

  const RunOption* find_option(const std::string& word) const {
    if (exports_ && word == std::string("--") + kOciOption.name) return &kOciOption;
    auto found = std::find_if(run_options().begin(), run_options().end(), [&](const RunOption& option) {
      return word == "--" + std::string(option.name) || word == std::string("-") + option.letter;
    });
    return found == run_options().end() ? nullptr : &*found;
  }

  void program(size_t at) { text_ += ":program " + std::to_string(at) + "\n"; }

  // `before`: what of the word stands in front of the value.
  void value(const RunOption& option, const std::string& before) {
    if (option.letter == kOciOption.letter) text_ += ":files\n";
    if (option.letter == 's') return assignments(before);
    if (option.letter != 'p') return;
    profiles(before);
    if (before.empty()) text_ += ":files\n";
  }

  void assignments(const std::string& before) {
    for (const Setting& row : settings()) {
      if (row.where == Where::file_only) continue;
      std::string name = before + std::string(row.section) + "." + std::string(row.name);
      if (!current().starts_with(name + "=") && !current().starts_with(name + "+=") &&
          !current().starts_with(name + "-=")) {
        add(name + "=", row.meaning);
        continue;
      }
      std::string start = current().substr(0, current().find('=', name.size()) + 1);
      std::string_view choices = row.type == Type::boolean ? "yes|no" : row.choices;
      for (const std::string& choice : split(choices, '|')) add(start + choice);
    }
  }

  void profiles(const std::string& before) {
    for (const std::string& name : list_profiles(context_.search)) add(before + name);
    if (!current().starts_with(before + "lib/")) return;
    for (const std::string& name : Search(context_.search).blocks()) add(before + name);
  }

  // Of what an answer of `explain` can be about, what has a table.
  void things() {
    for (const std::string& word : setting_words()) add(word);
    if (current().empty()) return;
    for (const SyscallGroup& group : syscall_groups()) {
      add(group.name, group.meaning);
      for (std::string_view call : group.calls) add(call, "system call");
    }
  }

  void instances() {
    for (const Instance& instance : Registry::open(context_.host.home()).list()) {
      add(instance.name, is_safe_to_show(instance.program) ? instance.program : "");
    }
  }

  void entries() {
    std::string sbox = context_.prefix + "/bin/sbox";
    for (const DesktopEntry& entry : find_entries(context_.host, data_directories(context_.host, false), sbox)) {
      add(entry.id, entry.program);
    }
  }

  void overlays() {
    std::string data = data_directory(context_.host, find_places(context_.host));
    std::set<std::string> names;
    for (const std::string& name : OverlayStore::list(data)) names.insert(name);
    for (const std::string& name : Snapshots::overlays_with_some(data)) names.insert(name);
    for (const std::string& name : names) add(name);
  }

  // Of the overlay that is named before.
  void labels() {
    auto named = std::find_if(words_.begin() + 1, words_.end() - 1,
                              [](const std::string& word) { return !word.starts_with('-'); });
    Places places = find_places(context_.host);
    std::vector<std::string> names = Snapshots::overlays_with_some(data_directory(context_.host, places));
    bool is_one = named != words_.end() - 1 && contains(names, *named);
    if (!is_one) return;
    for (const Snapshot& each : Snapshots::open(context_.host, places, *named).list()) add(each.label);
  }

  const Context& context_;
  const std::vector<std::string>& words_;
  std::string text_;
  bool exports_ = false;  // the options are those of `export`
};

}  // namespace

std::string completions(const Context& context, const std::vector<std::string>& words) {
  return words.empty() ? "" : Completer(context, words).text();
}

int run_complete(const Context& context, const std::vector<std::string>& arguments) {
  print(completions(context, arguments));
  return 0;
}

}  // namespace sbox
