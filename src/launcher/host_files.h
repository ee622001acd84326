// Files of the host that change while the sandbox runs: copies of them follow, and covers on them last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "launcher/follow.h"
#include "launcher/guards.h"
#include "launcher/host_events.h"
#include "plan/plan.h"

namespace sbox {

class HostFiles {
 public:
  // As Followers::add, Guards::begin and Guards::enter_by take them.
  void follow(const std::string& source, UniqueFd copy) { followers_.add(source, std::move(copy)); }
  void guard(const Plan& plan, UniqueFd tree, bool may_cover) { guards_.begin(plan, std::move(tree), may_cover); }
  void guard_by(UniqueFd mounts) { guards_.enter_by(std::move(mounts)); }
  bool are_guarded() const { return !guards_.empty(); }
  bool can_guard() const { return guards_.is_ready(); }

  // Brings copies and covers up to date. "", or why the sandbox must not go on.
  std::string look();
  // Readable when there is something to look at; -1 before the first look.
  int descriptor() const { return events_.descriptor(); }
  // When to look although nothing was told (now_ns()).
  std::optional<int64_t> next_look() const { return next_look_; }
  // Renews covers for as long as that goes, and returns why it does not any more.
  std::string guard_to_the_end();

 private:
  std::string look_at_covers();

  HostEvents events_;
  Followers followers_;
  Guards guards_;
  std::optional<int64_t> next_look_;
};

}  // namespace sbox
