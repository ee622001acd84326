// What all that walks through overlays shares. Everything in an upper directory was written by a program that may be
// hostile: nothing here follows a symlink, and nothing is believed of a name before it is open.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "plan/host.h"

namespace sbox {

// Opens `path` ("." is `directory` itself), which must lie below `directory` without a symlink on the way. Invalid with
// errno set.
UniqueFd open_beneath(int directory, const std::string& path, int flags);

// The same for a directory of which names_in and status_of will work: its mode may allow the one without the other.
UniqueFd open_to_list(int directory, const std::string& path);

// The same for a regular file, for reading; errno EINVAL for anything else. Never waits.
UniqueFd open_regular(int directory, const std::string& name);

// Of `name` itself, in `directory`; all zero (kind_of: missing) when it is not there. Error when it cannot be told.
struct stat status_of(int directory, const std::string& name);

// Sorted, without . and .. Error when it cannot be read. The position of `directory` is changed.
std::vector<std::string> names_in(int directory);

// The mark of the kernel for what is no longer there.
inline bool is_whiteout(const struct stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == 0; }
// Whether the directory hides the lower one altogether.
bool is_opaque(int directory);
// False with errno set.
bool make_opaque(int directory);
bool end_opaque(int directory);

std::string link_target(int directory, const std::string& name);

// Names of extended attributes of `fd` that are the user's own: not those by which overlays work.
std::vector<std::string> attribute_names(int fd);
std::string attribute(int fd, const std::string& name);

// Whether both hold the same bytes and extended attributes.
bool have_same_content(int a, int b);

// Copies bytes (holes stay holes) and extended attributes to the empty file `to`; the two share their blocks where the
// file system can do that. False with errno set.
bool copy_content(int from, int to);
// Those of attribute_names.
bool copy_attributes(int from, int to);

// Removes `name` with all that is in it, however deep and whatever its modes. Error when something stays.
void remove_tree(int directory, const std::string& name);

// What a file that replaces another is called until it does, in the same directory.
inline constexpr char kFresh[] = ".sbox-commit.new";

// The mode that a committed file has: nothing that gives rights.
inline mode_t plain_mode(mode_t mode) { return mode & 0777; }

}  // namespace sbox
