#include "launcher/follow.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "launcher/host_file.h"

namespace sbox {
namespace {

std::string directory_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

bool Followers::watch(const std::string& source) {
  constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MODIFY;
  bool watched = inotify_add_watch(events_.get(), directory_of(source).c_str(), kChanges) >= 0;
  // Where it is a link, the file behind it changes in another directory.
  char* real = realpath(source.c_str(), nullptr);
  if (real != nullptr) watched = inotify_add_watch(events_.get(), directory_of(real).c_str(), kChanges) >= 0 && watched;
  free(real);
  return watched;
}

void Followers::add(const std::string& source, UniqueFd copy) { followers_.push_back({source, std::move(copy), {}}); }

bool Followers::start() {
  if (followers_.empty()) return true;
  events_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!events_) return false;
  for (Follower& follower : followers_) {
    if (!watch(follower.source)) return false;
    copy(follower);
  }
  return true;
}

void Followers::update() {
  alignas(inotify_event) char events[4096];
  while (read(events_.get(), events, sizeof events) > 0) continue;
  for (Follower& follower : followers_) {
    watch(follower.source);
    copy(follower);
  }
}

void Followers::copy(Follower& follower) {
  std::string content;
  // A file that is just being replaced keeps its last content inside.
  if (!read_host_file(follower.source, content) || content == follower.content) return;
  ssize_t size = pwrite(follower.copy.get(), content.data(), content.size(), 0);
  if (size == static_cast<ssize_t>(content.size()) && ftruncate(follower.copy.get(), size) == 0) {
    follower.content = std::move(content);
  }
}

}  // namespace sbox
