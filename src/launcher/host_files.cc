#include "launcher/host_files.h"

#include <poll.h>

#include <algorithm>

#include "launcher/moment.h"

namespace sbox {

std::string HostFiles::look() {
  events_.clear();
  if (followers_.empty() && guards_.empty()) return "";
  followers_.update(events_);
  return look_at_covers();
}

std::string HostFiles::look_at_covers() {
  constexpr int64_t kOfTheDeaf = kSecond;
  std::string why = guards_.look(events_);
  next_look_ = guards_.deadline();
  if (events_.is_deaf()) next_look_ = std::min(next_look_.value_or(INT64_MAX), now_ns() + kOfTheDeaf);
  return why;
}

std::string HostFiles::guard_to_the_end() {
  for (;;) {
    std::string why = look_at_covers();
    if (!why.empty()) return why;
    pollfd told{events_.descriptor(), POLLIN, 0};
    poll(&told, 1, next_look_ ? milliseconds_until(*next_look_) : -1);
    events_.clear();
  }
}

}  // namespace sbox
