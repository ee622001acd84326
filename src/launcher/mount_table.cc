#include "launcher/mount_table.h"

#include <sys/mount.h>

#include <algorithm>

#include "base/mount_path.h"

namespace sbox {
namespace {

std::string_view next_word(std::string_view& line) {
  size_t end = std::min(line.find(' '), line.size());
  std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

bool parse_id(std::string_view word, uint64_t& id) {
  id = 0;
  for (char c : word) {
    if (c < '0' || c > '9') return false;
    id = id * 10 + static_cast<uint64_t>(c - '0');
  }
  return !word.empty();
}

uint64_t parse_attributes(std::string_view options) {
  uint64_t attributes = 0;
  while (!options.empty()) {
    size_t end = std::min(options.find(','), options.size());
    std::string_view option = options.substr(0, end);
    if (option == "ro") attributes |= MOUNT_ATTR_RDONLY;
    if (option == "nosuid") attributes |= MOUNT_ATTR_NOSUID;
    if (option == "nodev") attributes |= MOUNT_ATTR_NODEV;
    if (option == "noexec") attributes |= MOUNT_ATTR_NOEXEC;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return attributes;
}

}  // namespace

bool parse_mount_table(std::string_view text, std::vector<MountEntry>& table) {
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    MountEntry entry;
    if (!parse_id(next_word(line), entry.id) || !parse_id(next_word(line), entry.parent)) return false;
    next_word(line);  // device
    next_word(line);  // root
    entry.target = unescape_mount_path(next_word(line));
    entry.attributes = parse_attributes(next_word(line));
    entry.options = line.substr(std::min(line.rfind(' ') + 1, line.size()));
    if (entry.target.empty() || entry.target[0] != '/') return false;
    table.push_back(std::move(entry));
  }
  std::sort(table.begin(), table.end(), [](const MountEntry& a, const MountEntry& b) {
    return a.target != b.target ? a.target < b.target : a.id == b.parent;
  });
  return true;
}

}  // namespace sbox
