// Writing files for other programs, so that everything can be undone. Paths are absolute and normalised, below the
// root.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"

namespace sbox {

class Store {
 public:
  // `root` is followed as it is; below it no symlink is. Error where it is not there or belongs to another user.
  explicit Store(const std::string& root);

  // Makes or replaces the file at once; directories that lack are made, and known by a mark. Where `aside` is not "",
  // what was at `path` is there then (both in one directory). Error where something is there already.
  void write(const std::string& path, const std::string& text, mode_t mode, const std::string& aside = "") const;
  // Renames `aside` to `path` where it is there, else removes `path`; then every directory that is empty and was made
  // here.
  void undo(const std::string& path, const std::string& aside) const;

 private:
  enum class Missing { refuse, make };
  UniqueFd open_directory(const std::string& path, Missing missing) const;
  void remove_made(std::string directory) const;

  std::string root_;
  UniqueFd fd_;
};

}  // namespace sbox
