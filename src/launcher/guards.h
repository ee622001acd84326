// Covers that last: what hides a path, or keeps it from being changed, is a mount on what the host has there. A program
// outside that renames something over it, moves it away or removes it takes the mount along (detach_mounts in the
// kernel), and what has the name then would be open to the sandbox. Here that is noticed and covered anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "launcher/host_events.h"
#include "plan/plan.h"

namespace sbox {

class Guards {
 public:
  // `tree`: the root of the sandbox's tree; the guarded nodes of the plan are kept. With `may_cover` what is bare is
  // covered anew; otherwise nothing may be bare.
  void begin(const Plan& plan, UniqueFd tree, bool may_cover);
  // `mounts`: the sandbox's mount namespace.
  void enter_by(UniqueFd mounts) { mounts_ = std::move(mounts); }
  bool is_ready() const { return tree_ && mounts_; }
  bool empty() const { return guarded_.empty(); }

  // Covers what is bare and has `events` tell of what comes next. "", or why the sandbox must not go on. The program is
  // the faster one if it waits for this: it has some milliseconds.
  std::string look(HostEvents& events);
  // When to look again although `events` has told nothing (now_ns()).
  std::optional<int64_t> deadline() const { return deadline_; }

 private:
  struct Guarded {
    Node node;                        // as it is made anew
    std::optional<int64_t> deadline;  // while it is missing and must not be
  };
  void find_directories();
  void watch(HostEvents& events) const;
  std::vector<Node> find_bare();
  std::string cover(const std::vector<Node>& bare) const;

  UniqueFd tree_, mounts_;
  bool may_cover_ = false;
  std::vector<Guarded> guarded_;          // parents before children
  std::vector<std::string> directories_;  // in which a change may take a cover away
  std::optional<int64_t> deadline_;       // the first of them
};

}  // namespace sbox
