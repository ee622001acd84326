// Overlays on the command line: what programs changed in them, taken over, thrown away. One file for each command;
// what they share is in overlay.cc.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/words.h"
#include "overlay/store.h"

namespace sbox {

int run_diff(const Context& context, const std::vector<std::string>& arguments);
int run_commit(const Context& context, const std::vector<std::string>& arguments);
int run_discard(const Context& context, const std::vector<std::string>& arguments);
int run_snapshot(const Context& context, const std::vector<std::string>& arguments);
int run_restore(const Context& context, const std::vector<std::string>& arguments);

// Error where the words name none.
void require_overlay(const std::string& command, const Words& words);

// The changes that somebody named by paths; all where none is named.
class Selection {
 public:
  // `words`: the overlay's name, and paths. Error for one outside of the overlay's home.
  Selection(const Context& context, const OverlayStore& store, const Words& words);

  bool holds(const Change& change) const;
  // The same, and the new directories that lead there.
  bool needs(const Change& change) const;
  // Error when nothing was found for one of the paths.
  void check(const std::vector<Change>& changes) const;
  // Error when one of the paths is neither among the changes nor in the home, which is most likely a slip.
  void check_there(const std::vector<Change>& changes, int home) const;

 private:
  std::vector<std::string> paths_;  // below the home
};

// "A  12.0K  ~/path": without a newline, escaped.
std::string change_line(const Change& change);
// For people: "file, changed on the host too".
std::string change_note(const Change& change);
// "~/path", escaped.
std::string shown_path(const std::string& path);
// "12.0K".
std::string short_size(uint64_t bytes);
// Names need not be UTF-8: where they are not, the bytes are there too, as KEY_hex.
void put_text(nlohmann::ordered_json& object, const std::string& key, const std::string& bytes);

}  // namespace sbox
