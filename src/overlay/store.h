// Where overlays are kept: DATA/overlays/NAME with
//   upper, work   the layers; `upper` is what programs wrote
//   record        since when, and of which home
//   taken         what was taken over from it since
//   lock          locked by whoever uses the layers: a sandbox as long as it runs, or a command
//   committing    there while files are taken over
//   snapshots     copies of these, by name; snapshot.h
//   restoring     there while one of them takes the place of these
// No sandbox sees any of this but through the mount that is made of the layers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "overlay/scan.h"
#include "plan/places.h"
#include "plan/plan.h"

namespace sbox {

// For a run that sees `home` (canonical) through the overlay, or nothing of it where that is not what the overlay is
// made of: makes what is missing, and begins the record anew where nothing is changed. The result holds the lock. Error
// when the overlay is in use, or of another home.
UniqueFd begin_run(const Overlay& overlay, const std::string& home);

// An overlay that exists, for a command.
class OverlayStore {
 public:
  // Error when there is none of that name.
  static OverlayStore open(const Host& host, const Places& places, const std::string& name);
  // The same for one at this path; nothing where there is none.
  static std::optional<OverlayStore> open_at(const Host& host, const Places& places, const std::string& path);
  // Names in the order of the alphabet.
  static std::vector<std::string> list(const std::string& data);

  // Error when a sandbox or another command uses it; `what` is to be done with it.
  void lock(const char* what);
  bool is_locked_by_other() const;
  bool was_interrupted() const;  // while files were taken over

  const std::string& home() const { return home_; }
  int directory() const { return directory_.get(); }
  int upper() const { return upper_.get(); }
  int home_directory() const { return home_directory_.get(); }
  Layers layers() const;

  void begin_commit();
  // Remembers that the host's files are as in the overlay now.
  void add_taken(const std::vector<std::string>& paths);
  void end_commit();
  // All but the lock and the snapshots.
  void discard();

 private:
  OverlayStore() = default;
  bool load();  // false where there is nothing

  std::string name_, home_;
  std::vector<std::string> policy_, own_;
  Since since_;
  bool is_blank_ = false;
  UniqueFd directory_, upper_, home_directory_, lock_;
};

}  // namespace sbox
