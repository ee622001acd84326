// The search directories, held open: which files there are for a name. Reads files, but not into them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "profile/reader.h"

namespace sbox {

struct ProfileFile {
  std::string path;  // for messages
  std::string content;
};

struct Stray {
  enum class Kind {
    drop_ins,  // a folder of drop-ins for a profile or block that there is not
    drop_in,   // not called like one
    profile,
  } kind;
  std::string path;
  std::string name;  // of the profile or block; "" where it is known of none
};

class Search {
 public:
  // Error when one of the directories is there but not trusted (trusted_file.h), or cannot be opened.
  explicit Search(const SearchPath& path);

  // The file of the profile or block `name` (NAME, lib/NAME) in the highest directory that has one. Error when that one
  // is not trusted: a lower one never takes its place.
  std::optional<ProfileFile> find(const std::string& name);
  // Whether any directory has something of that name, good or not.
  bool has(const std::string& name) const;

  // The drop-ins of `name`, in the order in which they are merged: by file name; of two with the same name the one in
  // the higher directory.
  std::vector<ProfileFile> drop_ins(const std::string& name) const;

  // Names of profiles (or, with the prefix lib/, of blocks), sorted, each once. Only proper names.
  std::vector<std::string> profiles() const;
  std::vector<std::string> blocks() const;

  // Names in search order, sorted within one directory, of the profiles one of whose files holds `word`. Cheap: looks
  // at the bytes only, so a comment counts too, and a file that cannot be read does not.
  std::vector<std::string> mentioning(std::string_view word) const;

  // Paths of all files that are policy, also those that a higher directory hides.
  std::vector<std::string> all_files() const;
  // What lies in the directories and no reading ever comes to. Notes (README) and the backups of editors are left out.
  std::vector<Stray> strays() const;

 private:
  struct Directory {
    std::string path;
    UniqueFd fd;
    std::optional<UniqueFd> blocks;  // its lib/, once that was asked for
  };
  void add_strays(const Directory& directory, const std::string& prefix, std::vector<Stray>& found) const;

  std::vector<Directory> directories_;
};

}  // namespace sbox
