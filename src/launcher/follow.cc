#include "launcher/follow.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cstdlib>

#include "launcher/host_file.h"

namespace sbox {
namespace {

std::string directory_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void Followers::watch(const std::string& source, HostEvents& events) {
  constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MODIFY;
  events.watch(directory_of(source).c_str(), kChanges);
  // Where it is a link, the file behind it changes in another directory.
  char* real = realpath(source.c_str(), nullptr);
  if (real != nullptr) events.watch(directory_of(real).c_str(), kChanges);
  free(real);
}

void Followers::add(const std::string& source, UniqueFd copy) { followers_.push_back({source, std::move(copy), {}}); }

void Followers::update(HostEvents& events) {
  for (Follower& follower : followers_) {
    watch(follower.source, events);
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
