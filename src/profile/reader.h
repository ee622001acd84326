// Finds, reads and merges profiles. The only I/O is reading profile files.
#pragma once

#include <optional>
#include <string>
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

// Reads the profile `name_or_file` with its includes and drop-ins, then applies `overrides` (origin "command line").
// With a slash it is a file; without, a name that is looked for in `search`. Error for everything that is odd: see
// sbox-profile(5). Nothing is ever half read.
Profile read_profile(const SearchPath& search, const std::string& name_or_file,
                     const std::vector<Override>& overrides = {});

// The name of the profile for a program (its base name is what counts): a profile of that name, else one whose
// `programs` has it, else nothing.
std::optional<std::string> find_profile_for(const SearchPath& search, const std::string& program);

// Names of all profiles in `search` (without lib/), sorted, each once.
std::vector<std::string> list_profiles(const SearchPath& search);

}  // namespace sbox
