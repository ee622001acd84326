// What hide and follow nodes show: files that sbox makes, on a file system of their own that is in no sandbox's view.
#pragma once

#include <vector>

#include "launcher/mounts.h"

namespace sbox {

// A hide that later nodes lie in gets a file system of its own where the tree is built; all others show the same
// nothing.
inline bool is_open_mask(const Node& node) { return node.mode != 0 && !node.is_file; }

// Fills in the mounts of all follow nodes, and of the hide nodes that show nothing. Sends a `follow` message for each
// follow node. Preconditions: still in the host's tree, in a mount namespace of its own; umask 0. From here
// on the /proc of that tree is covered.
void prepare_workshop(const Step& step, const std::vector<Node>& nodes, std::vector<UniqueFd>& mounts);

}  // namespace sbox
