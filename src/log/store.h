// Where logs are: ~/.local/share/sbox/log, which no sandbox sees. The last few runs of each instance are kept.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "log/log.h"

namespace sbox {

// Makes the log of a run that begins now, below the home directory `home`: open for writing, with the header in it, of
// mode 0600, and locked for as long as the descriptor is open anywhere. Now and then removes those of older runs that
// are too many. Error where it cannot be made; nothing is made through a symlink.
UniqueFd new_log(const std::string& home, LogHeader header);

struct StoredLog {
  std::string file;      // its name
  std::string instance;  // of which run it is
  bool is_running = false;
};

// The newest first: the last eight of each instance, 256 in all, and those that go on. Empty where there is no
// directory for them. Error where that cannot be read.
std::vector<StoredLog> stored_logs(const std::string& home);

// Its bytes. Error when it cannot be read.
std::string read_log(const std::string& home, const StoredLog& log);

}  // namespace sbox
