// The desktop entries of a host, with those that sbox has written among them. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "desktop/wrap.h"
#include "plan/host.h"

namespace sbox {

// What is set aside for a file of sbox's is renamed to this.
inline constexpr std::string_view kAside = ".before-sbox";

// A file that sbox has written, or could write, in the first data directory.
struct Place {
  std::string path;
  std::string_view group;             // kEntryGroup or kServiceGroup
  std::optional<KeyFile> written;     // what sbox has written there
  bool occupied = false;              // something else is there, which is to be set aside
  std::optional<std::string> source;  // path of the original; of one that is to be set aside: where it will be
  std::string original;               // its text

  // Precondition: written.
  bool is_stale() const;
  // Precondition: source. Throws as parse_key_file.
  KeyFile parse() const;
};

enum class EntryState {
  available,  // can be enabled
  enabled,
  stale,    // enabled, but the original is not what it was then
  gone,     // enabled, but the original is no longer there
  wrapped,  // the original itself starts sbox
};

struct DesktopEntry {
  std::string id;  // without .desktop
  EntryState state = EntryState::available;
  std::string program;  // that it starts, as it says
  Place entry;
  Place service;  // that starts the same by D-Bus activation; without a source where there is none
};

// $XDG_DATA_HOME and $XDG_DATA_DIRS, normalised, or with `system` /usr/local/share and $XDG_DATA_DIRS. The first is
// where sbox writes.
std::vector<std::string> data_directories(const Host& host, bool system);

// The programs among the entries of `directories`, sorted by id; what cannot be read as an entry is left out, unless
// sbox has written it. `sbox` is its absolute path.
std::vector<DesktopEntry> find_entries(const Host& host, const std::vector<std::string>& directories,
                                       const std::string& sbox);

}  // namespace sbox
