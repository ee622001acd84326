// Resolution of a path, component by component, as a pure algorithm over a function that looks at one of them.
#pragma once

#include <functional>
#include <string>

#include "plan/host.h"

namespace sbox {

struct Seen {
  FileStatus status;
  std::string target;  // of a symlink
};

// What is at a path whose directory is canonical; valid until the next call.
using Look = std::function<const Seen&(const std::string& path)>;

// The contract of Host::resolve.
Resolved walk(const std::string& path, const Look& look);

}  // namespace sbox
