// `sbox export --oci DIR [OPTIONS] [--] PROGRAM [ARG...]`: the sandbox of a start, for an OCI runtime.
#pragma once

#include "cli/command.h"
#include "cli/options.h"

namespace sbox {

// Its own option, among those of a start.
inline constexpr RunOption kOciOption{0, "oci", "DIR", "the directory of the bundle: a new or an empty one"};

int run_export(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
