// `sbox log`: what was denied to a run, each with the line that would allow it.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "log/denial.h"
#include "log/store.h"

namespace sbox {

struct Run {
  Log log;
  bool is_running = false;
  std::vector<Denial> denials;  // one for each record
};

// Both end with a newline. What comes from inside is escaped.
std::string runs_text(const std::vector<Run>& runs);
std::string runs_json(const std::vector<Run>& runs);

// `arguments` is [--all] [--json] [INSTANCE]. Throws Error.
int run_log(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
