// The directory of a bundle: there as a whole or not at all, and for its owner only.
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "oci/bundle.h"

namespace sbox {

class BundleDirectory {
 public:
  // `path` as the user names it, relative to the current directory. Error where it is anything but an empty directory
  // or nothing, or where its parent cannot be entered.
  explicit BundleDirectory(const std::string& path);

  // Absolute, canonical.
  const std::string& path() const { return path_; }

  // Writes into a directory beside it, named `.sbox-SUFFIX`, and gives that its name in the end. Where something fails,
  // none of both is left. Signals that would end the process wait until then.
  void write(const Bundle& bundle, const std::string& suffix) const;

 private:
  UniqueFd parent_;
  std::string name_, path_;
};

}  // namespace sbox
