// Finds, reads and merges profiles. The only I/O is reading profile files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.h"

namespace sbox {

// The three search directories, highest first. Directories need not exist.
struct SearchPath {
  std::vector<std::string> directories;  // ~/.config/sbox/profiles, /etc/sbox/profiles, PREFIX/share/sbox/profiles
};

// One --set option.
struct Override {
  enum class Operation { assign, add, remove } operation = Operation::assign;
  Key key{};
  std::string value;
};

// Parses "SECTION.KEY=VALUE", "SECTION.KEY+=VALUE", "SECTION.KEY-=VALUE". Error with a suggestion for an unknown key.
Override parse_override(const std::string& text);

// By its name; the draft of `sbox edit` is one too.
bool is_drop_in_file(std::string_view path);

// Reads the profile `name_or_file` with its includes and drop-ins, then applies `overrides` (origin "command line").
// Without a slash it is a name that is looked for in `search`, never in the current directory; so is lib/NAME, a block.
// What else has a slash is a file, read without drop-ins (these belong to names). Error for everything that is odd: see
// sbox-profile(5). Nothing is ever half read.
//
// A file's includes are merged before it, its drop-ins after it. The last scalar wins; lists grow, `key =` alone
// empties one, and `key -= ELEMENT` takes out what is there; of a drop-in that is read by its path nobody knows what
// is. What is included twice counts where it stands first. description, programs and include stay with the file that
// has them. Files and their directories must be trusted (trusted_file.h).
Profile read_profile(const SearchPath& search, const std::string& name_or_file,
                     const std::vector<Override>& overrides = {});

// The name of the profile for a program (its base name is what counts): a profile of that name, else one whose
// `programs` has it (the first in search order, then by name), else nothing. Error when a profile that mentions the
// program cannot be read: a broken one is not passed over.
std::optional<std::string> find_profile_for(const SearchPath& search, const std::string& program);

// Names of all profiles in `search` (without lib/), sorted, each once.
std::vector<std::string> list_profiles(const SearchPath& search);

}  // namespace sbox
