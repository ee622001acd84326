// Overlays of throw-away runs: DATA/ephemeral/ID, each with what store.h says, and
//   owner   locked by the process that waits for the end of the run
//   recover where files are offered from at the end: paths, each with a NUL behind it
//   lower   empty, but for places to mount on: where the run begins with no file of the home
// Whatever is killed, the next start of any sandbox removes what nobody owns.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "overlay/store.h"
#include "plan/host.h"
#include "plan/places.h"
#include "plan/plan.h"

namespace sbox {

class ThrowAway {
 public:
  // A new one, owned by this process until it ends or calls remove() or disown().
  static ThrowAway make(const Host& host, const Places& places);

  const std::string& directory() const { return path_; }
  // What the run has changed. Waits until every process of its sandbox is gone. Nothing where the run never began.
  std::optional<OverlayStore> wait_for_end(const Host& host, const Places& places) const;
  // What write_recover() wrote; nothing where it did not.
  std::vector<std::string> recover() const;
  void remove(const Host& host, const Places& places);
  bool is_owned() const { return owner_.ok(); }
  void disown() { owner_.reset(); }

 private:
  ThrowAway(std::string path, UniqueFd owner) : path_(std::move(path)), owner_(std::move(owner)) {}

  std::string path_;
  UniqueFd owner_;
};

// Makes what the nodes of the plan are mounted on, in its own empty lower layer.
void make_mount_points(const Plan& plan, const std::string& home);

// For the one that waits, from the one that knows the plan.
void write_recover(const Plan& plan);

// Whether there is any directory of a throw-away run, of one that runs too.
bool has_throw_aways(const std::string& data);
// Removes those that nobody owns any more.
void remove_stale_throw_aways(const Host& host, const Places& places);

}  // namespace sbox
