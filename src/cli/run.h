// `sbox [run] [OPTIONS] [--] PROGRAM [ARG...]`.
#pragma once

#include "cli/command.h"

namespace sbox {

// Replaces the calling process by the launcher; returns only for --dry-run, --help and --version.
int run_run(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
