// Desktop entries and D-Bus service files that start their programs through sbox. Pure: text in, text out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "desktop/key_file.h"

namespace sbox {

// What a written file remembers (keys X-Sbox-*).
struct Record {
  std::string source;  // path of the file that it was made from
  std::string digest;  // of that file's text
  std::string shim;    // name of the command that was put on PATH for it, or ""

  bool operator==(const Record&) const = default;
};

std::string digest_of(std::string_view text);

// Nothing where sbox has not written the file.
std::optional<Record> record_of(const KeyFile& file);

// The command line of the main group, else of another one, as it was before wrapping. Empty where there is none. Throws
// as parse_exec.
std::vector<std::string> command_of(const KeyFile& file);

// Whether it has command lines, and each starts sbox (by `sbox`, its absolute path, or from a usual place). Throws as
// parse_exec.
bool starts_sbox(const KeyFile& file, const std::string& sbox);

// `file` with `sbox run --notify --` in front of the command line of every group; one that starts sbox already stays.
// An entry becomes one that is not activated over the bus (where it has a command line), a service one that the bus
// starts by itself and not through systemd. `sbox` is its absolute path. Error, with the line, for a file that
// launchers could read in different ways.
std::string wrapped(const KeyFile& file, const std::string& sbox, const Record& record);

}  // namespace sbox
