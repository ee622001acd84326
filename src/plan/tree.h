// From entries that know their place to the nodes of the plan: leaves out what changes nothing, refuses what could not
// hold, adds the directories and pins in between. Decides by the longest path and by nothing else.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "plan/host.h"
#include "plan/plan.h"

namespace sbox {

struct Entry {
  Node node;            // for hide: `source` is the host path that must not be seen
  bool exists = true;   // on the host; false for what is to be protected although it is not there yet
  bool placed = false;  // part of every sandbox: gives way where something else shows its surroundings
  Origin origin;
};

struct PathHash {
  using is_transparent = void;
  size_t operator()(std::string_view path) const { return std::hash<std::string_view>()(path); }
};

// By target.
using Entries = std::unordered_map<std::string, Entry, PathHash, std::equal_to<>>;

// The entry at `path` or nearest above it, else null.
const Entry* covering(const Entries& entries, std::string_view path);

// The host path that `node` makes visible at `path`, which is at or below its target; nothing for what shows no host
// path.
std::optional<std::string> shown_at(const Node& node, const std::string& path);

// The node of the plan that decides what is seen at `path`, else null: pins show what is around them.
const Node* node_showing(const Plan& plan, std::string_view path);

// Parents before children; takes the nodes out of `entries`. Error where something protected could be made or moved
// away by the sandboxed program.
std::vector<Node> arrange(Entries&& entries, const Host& host);

}  // namespace sbox
