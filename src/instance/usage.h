// What running sandboxes use, added up over their processes: those that descend from the supervisor, which is among
// them, as are the helpers.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "instance/registry.h"

namespace sbox {

struct Usage {
  uint64_t cpu = 0;     // clock ticks, user and system; of processes that have ended only what their parents know of
  uint64_t memory = 0;  // bytes that are theirs: resident, and no pages of files
  uint64_t processes = 0, tasks = 0;
  uint64_t sockets = 0;             // open ones
  uint64_t read = 0, written = 0;   // bytes, from and to storage
  uint64_t received = 0, sent = 0;  // bytes, by networks of its own; what goes over the host's is told by nobody
};

// One for each instance, in their order. Processes that do not let this user look count with what can be seen.
std::vector<Usage> measure(const std::vector<Instance>& instances);

// Adds what a text like /proc/net/dev counts, without the loopback and sbox's own queue.
void add_traffic(std::string_view text, Usage& usage);

// For each process that descends from one of `roots` (or is one): which. `parents`: of all processes.
std::map<pid_t, pid_t> descendants_of(const std::vector<pid_t>& roots, const std::map<pid_t, pid_t>& parents);

}  // namespace sbox
