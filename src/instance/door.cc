#include "instance/door.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/contains.h"
#include "base/strings.h"
#include "instance/process.h"

namespace sbox {
namespace {

constexpr time_t kConnectSeconds = 5;

// A socket that has a name shows it; one that was opened as a socket shows a number.
bool is_way_to_a_socket(int descriptors, const char* number) {
  struct stat status {};
  if (fstatat(descriptors, number, &status, 0) != 0 || !S_ISSOCK(status.st_mode)) return false;
  return read_link_of(descriptors, number).starts_with('/');
}

// The number of the descriptor, "" when there is none.
std::string find_door(int process) {
  int listing = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* descriptors = listing < 0 ? nullptr : fdopendir(listing);
  if (descriptors == nullptr) return "";
  std::string found;
  while (const dirent* entry = readdir(descriptors)) {
    // 0, 1 and 2 are the caller's.
    bool is_own = entry->d_name[0] != '.' && (entry->d_name[0] > '2' || entry->d_name[1] != '\0');
    if (is_own && is_way_to_a_socket(listing, entry->d_name)) found = entry->d_name;
  }
  closedir(descriptors);
  return found;
}

UniqueFd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  path.copy(address.sun_path, path.size());
  UniqueFd connection(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  timeval patience{kConnectSeconds, 0};
  bool connected = connection &&
                   setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
                   connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  return connected ? std::move(connection) : UniqueFd();
}

// Where /proc shows only what may be traced (hidepid), process 1 of a sandbox is not there: its parent names it.
bool is_child(const RunningInstance& running, pid_t process) {
  constexpr size_t kLongestList = 4096;
  std::string list = "task/" + std::to_string(running.instance.pid) + "/children";
  std::vector<std::string> children = split(read_of(running.process.get(), list.c_str(), kLongestList), ' ');
  return contains(children, std::to_string(process));
}

}  // namespace

Door open_door(const RunningInstance& running) {
  Door door;
  std::string number = find_door(running.process.get());
  if (number.empty()) return door;
  door.connection = connect_to("/proc/self/fd/" + std::to_string(running.process.get()) + "/fd/" + number);
  // The other side is who called listen(2).
  ucred peer{};
  socklen_t size = sizeof peer;
  bool known =
      door.connection && getsockopt(door.connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0;
  UniqueFd init = known ? open_process(peer.pid) : UniqueFd();
  std::optional<ProcessStatus> status = init ? status_of(init.get()) : std::nullopt;
  bool is_its_child = status ? status->parent == running.instance.pid : known && is_child(running, peer.pid);
  if (!is_its_child) return {};
  door.init = peer.pid;
  return door;
}

}  // namespace sbox
