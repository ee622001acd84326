#include "launcher/host_events.h"

#include <sys/inotify.h>
#include <unistd.h>

namespace sbox {

void HostEvents::watch(const char* directory, uint32_t changes) {
  if (!events_) events_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!events_ || inotify_add_watch(events_.get(), directory, changes | IN_ONLYDIR | IN_MASK_ADD) < 0) is_deaf_ = true;
}

void HostEvents::clear() {
  // What comes faster than it is taken is heard of by the next poll(2).
  constexpr int kMostAtOnce = 16;
  alignas(inotify_event) char events[4096];
  for (int i = 0; i < kMostAtOnce && events_ && read(events_.get(), events, sizeof events) > 0; ++i) continue;
}

}  // namespace sbox
