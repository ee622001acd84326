#include "instance/usage.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "instance/process.h"

namespace sbox {
namespace {

constexpr size_t kLongestText = 8192;
constexpr uint64_t kKilobyte = 1024;

// Calls `use` with the name of each entry; none where it cannot be read.
template <typename Use>
void for_each_entry(int at, const char* path, Use use) {
  int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = fd < 0 ? nullptr : fdopendir(fd);
  if (listing == nullptr) return;
  while (const dirent* entry = readdir(listing)) {
    if (entry->d_name[0] != '.') use(fd, entry->d_name);
  }
  closedir(listing);
}

// The number in a line "NAME: NUMBER ..."; 0 when there is none.
uint64_t number_in(const std::string& text, std::string_view name) {
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    line = trim(line.substr(name.size() + 1));
    return parse_number(take_part(line, ' ')).value_or(0);
  }
  return 0;
}

std::map<pid_t, ProcessStatus> all_processes() {
  std::map<pid_t, ProcessStatus> processes;
  for_each_entry(AT_FDCWD, "/proc", [&](int, const char* name) {
    auto pid = parse_number(name);
    if (!pid) return;
    UniqueFd directory = open_process(static_cast<pid_t>(*pid));
    std::optional<ProcessStatus> status = directory ? status_of(directory.get()) : std::nullopt;
    if (status) processes.emplace(static_cast<pid_t>(*pid), *status);
  });
  return processes;
}

// Several processes may hold one socket.
void add_sockets(int process, std::set<std::string>& sockets) {
  for_each_entry(process, "fd", [&](int descriptors, const char* name) {
    std::string target = read_link_of(descriptors, name);
    if (target.starts_with("socket:")) sockets.insert(target);
  });
}

void add(Usage& usage, const ProcessStatus& status, pid_t pid, std::set<std::string>& sockets) {
  usage.cpu += status.cpu;
  usage.tasks += status.threads;
  ++usage.processes;
  UniqueFd process = open_process(pid);
  if (!process) return;
  std::string memory = read_of(process.get(), "status", kLongestText), io = read_of(process.get(), "io", kLongestText);
  usage.memory += (number_in(memory, "RssAnon") + number_in(memory, "RssShmem")) * kKilobyte;
  usage.read += number_in(io, "read_bytes");
  usage.written += number_in(io, "write_bytes");
  add_sockets(process.get(), sockets);
}

}  // namespace

std::map<pid_t, pid_t> descendants_of(const std::vector<pid_t>& roots, const std::map<pid_t, pid_t>& parents) {
  std::map<pid_t, pid_t> found;
  for (pid_t root : roots) found.emplace(root, root);
  for (const auto& [pid, parent] : parents) {
    std::vector<pid_t> way;
    // A number that was used again while the list was made could close a circle.
    pid_t at = pid;
    while (!found.contains(at) && std::find(way.begin(), way.end(), at) == way.end()) {
      way.push_back(at);
      auto above = parents.find(at);
      if (above == parents.end()) break;
      at = above->second;
    }
    if (auto root = found.find(at); root != found.end()) {
      for (pid_t one : way) found.emplace(one, root->second);
    }
  }
  return found;
}

std::vector<Usage> measure(const std::vector<Instance>& instances) {
  std::map<pid_t, ProcessStatus> processes = all_processes();
  std::map<pid_t, pid_t> parents;
  for (const auto& [pid, status] : processes) parents.emplace(pid, status.parent);
  std::vector<pid_t> roots;
  std::map<pid_t, size_t> places;
  for (const Instance& instance : instances) {
    places.emplace(instance.pid, roots.size());
    roots.push_back(instance.pid);
  }
  std::vector<Usage> usages(instances.size());
  std::vector<std::set<std::string>> sockets(instances.size());
  for (const auto& [pid, root] : descendants_of(roots, parents)) {
    auto process = processes.find(pid);
    size_t place = places.at(root);
    if (process != processes.end()) add(usages[place], process->second, pid, sockets[place]);
  }
  for (size_t i = 0; i < usages.size(); ++i) usages[i].sockets = sockets[i].size();
  return usages;
}

}  // namespace sbox
