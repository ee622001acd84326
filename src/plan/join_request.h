// What `sbox join` asks process 1 of a running sandbox for. A plain value, serialised like the plan (encode.h,
// decode.h). It names a program and nothing of the policy: that is the one that process 1 is under.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/fields.h"

namespace sbox {

// A path of the caller's, which must lead to the same file inside.
struct SameFile {
  std::string path;  // absolute
  uint64_t device = 0, inode = 0;
  bool operator==(const SameFile&) const = default;
};

struct JoinRequest {
  std::vector<std::string> argv;    // [0] is looked for in the sandbox's PATH; empty: the sandbox's shell
  std::string terminal;             // TERM of the caller; "" leaves the sandbox's
  std::vector<SameFile> files;      // named by argv; the request is refused when one of them is not to be seen inside
  std::vector<SameFile> directory;  // at most one: the current directory, when it is the same inside
  bool operator==(const JoinRequest&) const = default;
};

template <typename Visitor, Is<SameFile> T>
void fields(Visitor& visit, T& file) {
  visit("path", file.path);
  visit("device", file.device);
  visit("inode", file.inode);
}

template <typename Visitor, Is<JoinRequest> T>
void fields(Visitor& visit, T& request) {
  visit("argv", request.argv);
  visit("terminal", request.terminal);
  visit("files", request.files);
  visit("directory", request.directory);
}

}  // namespace sbox
