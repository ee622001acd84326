// The directory of one overlay (store.h says what is in it): its lock and its small files.
#pragma once

#include <sys/types.h>

#include <ctime>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "overlay/record.h"

namespace sbox {

inline constexpr char kOverlays[] = "overlays", kThrowAways[] = "ephemeral";  // in the data directory
inline constexpr char kUpper[] = "upper", kWork[] = "work", kRecord[] = "record", kTaken[] = "taken",
                      kCommitting[] = "committing", kSnapshots[] = "snapshots", kLock[] = "lock", kLower[] = "lower",
                      kRecover[] = "recover";

// Opens the directory `path` (absolute) and makes what is missing of it, 0700, without following a link. Error when
// that cannot be.
UniqueFd make_path(const std::string& path);

// Invalid when somebody else has it. Error when there is no telling.
UniqueFd take_lock(int directory);
Error in_use(const std::string& name, const std::string& hint);

// The upper layer of `state`, for reading; its owner's rights are given back. Invalid with errno set.
UniqueFd open_upper(int state);

// Nothing where there is no such file. Error for one that is larger than `limit` bytes or no regular file.
std::optional<std::string> read_small(int directory, const char* name, off_t limit);
// Whole or not at all, and safe on the disk.
void replace_file(int directory, const char* name, const std::string& text);
void append_to_file(int directory, const char* name, const std::string& text);

// Nothing where there is none. Error for one that cannot be read.
std::optional<OverlayRecord> read_record(int directory);
// "" where there is none.
std::string read_taken(int directory);

// What the kernel stamps a file with that is changed now. No clock tells: since Linux 6.13 some stamps are finer than
// others, and only among files a later one is never less.
timespec file_time(int directory);

}  // namespace sbox
