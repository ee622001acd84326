// Throw-away runs. The program runs in a sandbox of a process of its own, while this one waits to say what it changed,
// to ask what is to be kept, and to remove the rest.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/options.h"
#include "plan/places.h"

namespace sbox {

// Returns twice, as fork(2): in a new process nothing, with `directory` set to where the run's overlay is; that process
// is to become the launcher. In this one, when that has ended, its exit status. With options.quiet nothing is said or
// asked. Where nobody can be asked on a terminal, a process that stays offers what the plan says is to be recovered.
// Preconditions: single-threaded; no timer is set.
std::optional<int> wait_for_throw_away_run(const Context& context, const RunOptions& options, std::string& directory);

// In the background, where there are any: those that were left by a kill or a power failure.
void clean_up_throw_aways(const Context& context, const Places& places);

}  // namespace sbox
