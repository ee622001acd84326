// The kernel's own list of the mounts that the calling process can reach.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sbox {

struct MountEntry {
  uint64_t id = 0, parent = 0;
  std::string target;
  uint64_t attributes = 0;  // MOUNT_ATTR_* of those that sbox sets
  std::string options;      // of the file system
};

// Parses the text of /proc/self/mountinfo; false when a line is not as proc(5) says. Sorted by target; of mounts on one
// target, a parent comes before its child.
bool parse_mount_table(std::string_view text, std::vector<MountEntry>& table);

}  // namespace sbox
