// Files that hold policy, as the user's own: whatever the umask is, nobody else can write them.
#pragma once

#include <string>

namespace sbox {

// Makes `directory` and what is missing above it. Error where that cannot be done.
void make_policy_directories(const std::string& directory);

// A new file in place of what is at `path`, flushed. Error where it cannot be written. Follows no symlink at its end.
void write_policy_file(const std::string& path, const std::string& text);

}  // namespace sbox
