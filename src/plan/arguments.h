// What words of a command line mean as paths.
#pragma once

#include <string>
#include <vector>

#include "plan/host.h"

namespace sbox {

// The paths that arguments may mean, as written: each itself, or what follows the = of an option, or that of a file:
// URL. Behind "--" nothing is an option.
std::vector<std::string> readings(const std::vector<std::string>& arguments);

// Of these the files and directories that exist; absolute, not resolved.
std::vector<std::string> files_named_by(const std::vector<std::string>& arguments, const Host& host);

}  // namespace sbox
