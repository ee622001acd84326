// Builds the file tree of the plan on the new root.
#pragma once

#include <vector>

#include "launcher/root.h"
#include "plan/plan.h"

namespace sbox {

// Detached mounts that had to be made while the host's tree was there, by node number (empty: made when its turn
// comes).
using Prepared = std::vector<UniqueFd>;

struct Tree {
  const std::vector<Node>& nodes;
  const std::vector<Helper>& helpers;  // that serve in it
};

// Makes every node in order and closes the root to writing. Sends a `helper` message for each socket.
// Preconditions: inside the new root, umask 0. Returns an O_PATH descriptor of an unlinked file that only Landlock
// keeps this process from opening (see self_check.h).
UniqueFd build_tree(const Step& step, const Tree& tree, const Root& root, Prepared prepared);

// Makes `nodes` in a tree that runs, on what the host has there now. `tree`: its root. Precondition: in its mount
// namespace.
void make_again(const Step& step, const std::vector<Node>& nodes, int tree, Prepared prepared);

// Sends `fd` to the supervisor, which starts helper `number` with it.
void offer_to_helper(const Step& step, const std::vector<Helper>& helpers, size_t number, int fd);
// The same for each helper that serves through `node`.
void offer_to_helpers(const Step& step, const std::vector<Helper>& helpers, const Node& node, int fd);

// What a tmpfs node becomes before it is attached.
UniqueFd new_tmpfs_for(const Step& step, const Node& node);

}  // namespace sbox
