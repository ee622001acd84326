#include "cli/keep.h"

#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "cli/ask.h"
#include "cli/overlay.h"

namespace sbox {
namespace {

bool is_in(const Change& change, const Change& directory) { return change.path.starts_with(directory.path + "/"); }

// Numbers from 1.
struct Range {
  size_t first, last;
};

std::optional<Range> parse_range(std::string_view word, size_t items) {
  std::string_view left = word;
  auto first = parse_number(take_part(left, '-'));
  auto last = word.find('-') == std::string_view::npos ? first : parse_number(left);
  if (!first || !last || *first < 1 || *last < *first || *last > items) return std::nullopt;
  return Range{*first, *last};
}

void print(const std::vector<Item>& items) {
  size_t digits = std::to_string(items.size()).size();
  for (size_t i = 0; i < items.size(); ++i) {
    std::string number = std::to_string(i + 1);
    fprintf(stderr, "%s%s  %s\n", std::string(digits - number.size(), ' ').c_str(), number.c_str(),
            item_line(items[i]).c_str());
  }
}

// False when something of it is still in the overlay.
bool take(OverlayStore& store, const std::vector<Change>& changes, const std::vector<Item>& items,
          const Choice& choice) {
  std::vector<const Change*> chosen;
  for (size_t i = 0; i < items.size(); ++i) {
    if (choice.taken[i]) chosen.insert(chosen.end(), items[i].changes.begin(), items[i].changes.end());
  }
  CommitResult result = take_over(store, changes, std::move(chosen), choice.force);
  for (const auto& [path, why] : result.left) {
    fprintf(stderr, "sbox: not taken over: %s: %s\n", shown_path(path).c_str(), why.c_str());
  }
  return result.left.empty();
}

std::optional<Choice> ask(size_t items, bool may_force) {
  std::string question = "Keep which? [1" + (items > 1 ? "-" + std::to_string(items) : "") + ", all, none" +
                         (may_force ? "; 1! replaces what the host has" : "") + "] ";
  for (;;) {
    std::optional<std::string> answer = ask_for_line(question);
    if (!answer) {
      fputs("\n", stderr);
      return std::nullopt;
    }
    std::optional<Choice> choice = parse_choice(*answer, items);
    if (choice) return choice;
    fputs("Numbers, as 1 3-5; all; or none.\n", stderr);
  }
}

}  // namespace

std::vector<Item> items_of(const std::vector<Change>& changes) {
  std::vector<Item> items;
  for (const Change& change : changes) {
    if (change.kind == ChangeKind::none) continue;
    const Change* head = items.empty() ? nullptr : items.back().changes.front();
    bool is_of_last =
        head && head->now == FileKind::directory && head->before == FileKind::missing && is_in(change, *head);
    if (!is_of_last) items.emplace_back();
    items.back().changes.push_back(&change);
  }
  return items;
}

std::string item_line(const Item& item) {
  std::string line = change_line(*item.changes.front());
  if (item.changes.size() == 1) return line;
  uint64_t bytes = 0;
  for (const Change* change : item.changes) {
    if (change->now == FileKind::file) bytes += static_cast<uint64_t>(change->status.st_size);
  }
  return line + "  with " + std::to_string(item.changes.size() - 1) + " more, " + short_size(bytes);
}

std::optional<Choice> parse_choice(const std::string& answer, size_t items) {
  std::string words = answer;
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c == ',' || c == '\t'; }, ' ');
  std::string_view left = trim(words);
  Choice choice{std::vector<bool>(items), false};
  if (left.ends_with('!')) {
    choice.force = true;
    left = trim(left.substr(0, left.size() - 1));
  }
  if (left == "all") choice.taken.assign(items, true);
  if (left == "all" || left == "none") return choice;
  while (!left.empty()) {
    std::string_view word = take_part(left, ' ');
    if (word.empty()) continue;
    std::optional<Range> range = parse_range(word, items);
    if (!range) return std::nullopt;
    for (size_t i = range->first; i <= range->last; ++i) choice.taken[i - 1] = true;
  }
  return choice;
}

CommitResult take_over(OverlayStore& store, const std::vector<Change>& changes, std::vector<const Change*> chosen,
                       bool force) {
  std::sort(chosen.begin(), chosen.end());
  return commit(
      store, changes, [&](const Change& change) { return std::binary_search(chosen.begin(), chosen.end(), &change); },
      force, [](const Change&) {});
}

void ask_what_to_keep(OverlayStore& store) {
  for (bool is_first = true;; is_first = false) {
    std::vector<Change> changes = find_changes(store.layers());
    std::vector<Item> items = items_of(changes);
    if (items.empty()) return;
    if (is_first) fputs("sbox: changed in this run, and thrown away unless you keep it:\n", stderr);
    print(items);
    bool may_force = std::any_of(changes.begin(), changes.end(), [](const Change& each) { return each.is_conflict; });
    std::optional<Choice> choice = ask(items.size(), may_force);
    if (!choice || take(store, changes, items, *choice)) return;
  }
}

}  // namespace sbox
