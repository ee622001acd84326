// What words of a command line mean as paths.
#pragma once

#include <string>
#include <vector>

#include "plan/host.h"

namespace sbox {

// The paths that an argument may mean, as written: itself, or what follows the = of an option, or that of a file: URL.
std::vector<std::string> readings(const std::string& argument);

// Of these the files and directories that exist; absolute, not resolved.
std::vector<std::string> files_named_by(const std::string& argument, const Host& host);

}  // namespace sbox
