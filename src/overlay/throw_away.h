// Overlays of throw-away runs: DATA/ephemeral/ID, each with what store.h says, and
//   owner   locked by the process that waits for the end of the run
//   lower   empty, but for places to mount on: where the run begins with no file of the home
// Whatever is killed, the next start of any sandbox removes what nobody owns.
#pragma once

#include <optional>
#include <string>

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
  void remove(const Host& host, const Places& places);
  void disown() { owner_.reset(); }

 private:
  ThrowAway(std::string path, UniqueFd owner) : path_(std::move(path)), owner_(std::move(owner)) {}

  std::string path_;
  UniqueFd owner_;
};

// Makes what the nodes of the plan are mounted on, in its own empty lower layer.
void make_mount_points(const Plan& plan, const std::string& home);

// Whether there is any directory of a throw-away run, of one that runs too.
bool has_throw_aways(const std::string& data);
// Removes those that nobody owns any more.
void remove_stale_throw_aways(const Host& host, const Places& places);

}  // namespace sbox
