// From entries that know their place to the nodes of the plan: leaves out what changes nothing, refuses what could not
// hold, adds the directories and pins in between. Decides by the longest path and by nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/host.h"
#include "plan/paths.h"
#include "plan/plan.h"

namespace sbox {

struct Entry {
  Node node;            // for hide: `source` is the host path that must not be seen
  bool exists = true;   // on the host; false for what is to be protected although it is not there yet
  bool placed = false;  // part of every sandbox: gives way where something else shows its surroundings
  Origin origin;
};

// By target; parents first.
using Entries = std::map<std::string, Entry, PathOrder>;

// The entry at `path` or nearest above it, else null.
const Entry* covering(const Entries& entries, const std::string& path);

// The host path that `node` makes visible at `path`, which is at or below its target; nothing for what shows no host
// path.
std::optional<std::string> shown_at(const Node& node, const std::string& path);

// Parents before children. Error where something protected could be made or moved away by the sandboxed program.
std::vector<Node> arrange(Entries entries, const Host& host);

}  // namespace sbox
