// `sbox join`: runs a program in a sandbox that runs already, under the confinement that it has.
#pragma once

#include <optional>

#include "cli/command.h"
#include "cli/options.h"
#include "instance/registry.h"
#include "plan/join_request.h"

namespace sbox {

int run_join(const Context& context, const std::vector<std::string>& arguments);

// The instance of that name; waits for one that is being started. Nothing when there is none.
std::optional<RunningInstance> wait_for_instance(const Registry& registry, const std::string& name);

// Joins `running` with a program that was to be started: by the program's own name, with the files that its arguments
// name, which must be the same inside. Returns the exit status.
int join_with_program(const RunningInstance& running, const RunOptions& options, const Host& host);

// Error for a name that no running sandbox has, with the nearest one that does.
Error does_not_run(const Registry& registry, const std::string& name);

}  // namespace sbox
