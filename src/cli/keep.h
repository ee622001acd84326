// Asks which changes of a run are to be kept, and takes them over.
#pragma once

#include <string>
#include <vector>

#include "overlay/commit.h"
#include "overlay/store.h"

namespace sbox {

// What is listed in one line: a change, or a new directory with all that is in it.
struct Item {
  std::vector<const Change*> changes;  // the first one names it
};
// Without those that change nothing.
std::vector<Item> items_of(const std::vector<Change>& changes);
// "A  12.0K  ~/path  (directory, 3 files)", escaped.
std::string item_line(const Item& item);

struct Choice {
  std::vector<bool> taken;  // by item
  bool force = false;       // replaces what changed on the host
};
// An answer: numbers (from 1) and ranges "2-5" between blanks or commas, "all", "none" or nothing; with an exclamation
// mark at its end it is to be forced. Nothing where it is none of that.
std::optional<Choice> parse_choice(const std::string& answer, size_t items);

// Takes over those of `changes` that `chosen` points to, by the rules of commit().
CommitResult take_over(OverlayStore& store, const std::vector<Change>& changes, std::vector<const Change*> chosen,
                       bool force);

// On the terminal that standard input and error are, until everything is taken over that was chosen. The store is
// locked.
void ask_what_to_keep(OverlayStore& store);

}  // namespace sbox
