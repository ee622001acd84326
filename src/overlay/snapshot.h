// Copies of what programs have left in an overlay, by name, to which it can be set back. They are in
// snapshots/LABEL of its directory, each with `upper`, `record` and `taken` as these were. Whatever ends in the middle,
// the overlay holds what it did or what it is to hold.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "overlay/record.h"
#include "plan/host.h"
#include "plan/places.h"

namespace sbox {

// What was in the overlay before it was set back is kept by this name, until that is done again.
inline constexpr char kBeforeRestore[] = "before-restore";

struct Snapshot {
  std::string label;
  SnapshotFacts facts;
};

class Snapshots {
 public:
  // Error when there is neither an overlay of that name nor a snapshot of one.
  static Snapshots open(const Host& host, const Places& places, const std::string& overlay);
  // Names of all overlays that have snapshots, sorted.
  static std::vector<std::string> overlays_with_some(const std::string& data);

  // Error when a sandbox or another command uses the overlay; `what` is to be done with it.
  void lock(const char* what);

  std::vector<Snapshot> list() const;  // the oldest first

  // The following need the lock.
  Snapshot take(const std::string& label);
  // Sets the overlay back. The name by which what was in it is kept; "" when nothing was changed in it.
  std::string restore(const std::string& label);
  void remove(const std::string& label);

 private:
  Snapshots() = default;
  UniqueFd directory_of(const std::string& label) const;

  std::string overlay_;
  UniqueFd directory_, lock_;
};

// Goes on with what was cut short, and removes what that left. Precondition: the directory is locked.
void settle(int directory);
// Whether an overlay is being set back, or this was cut short: its layers are not to be looked at before it is settled.
bool is_unsettled(int directory);

}  // namespace sbox
