// The processes beside the program, all of them: what they say, and how they end.
#pragma once

#include <poll.h>

#include <string>
#include <vector>

#include "launcher/helper.h"
#include "launcher/watch.h"
#include "plan/plan.h"

namespace sbox {

class Helpers {
 public:
  // As start_helper() takes them. "", or why there is none.
  std::string start(const Helper& helper, const Ids& ids, int served);
  size_t serving() const;

  void prepare(std::vector<pollfd>& polled) const;
  // Hears what they have to say; notes for the log go to `watch`. "", or why one of them failed before it served.
  std::string work(const std::vector<pollfd>& polled, const Watch& watch);
  // A helper that is gone takes with it what it mediates: the program has no other way to there.
  void reap();

  // Only when nothing of the sandbox goes on: what they mediate ends with them.
  void finish();
  // Takes the last words of those that have some, and waits until none is left.
  void end(const Watch& watch);

 private:
  std::string hear(size_t index, const Watch& watch);

  std::vector<RunningHelper> helpers_;
};

}  // namespace sbox
