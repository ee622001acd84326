#include "instance/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/contains.h"
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

ino_t network_of(int at, const char* path) {
  struct stat status {};
  return fstatat(at, path, &status, 0) == 0 ? status.st_ino : 0;
}

// What the processes of a sandbox have in common, and is counted once.
struct Shared {
  std::set<std::string> sockets;
  std::set<ino_t> networks;
};

void add(Usage& usage, const ProcessStatus& status, pid_t pid, Shared& shared) {
  usage.cpu += status.cpu;
  usage.tasks += status.threads;
  ++usage.processes;
  UniqueFd process = open_process(pid);
  if (!process) return;
  std::string memory = read_of(process.get(), "status", kLongestText), io = read_of(process.get(), "io", kLongestText);
  usage.memory += (number_in(memory, "RssAnon") + number_in(memory, "RssShmem")) * kKilobyte;
  usage.read += number_in(io, "read_bytes");
  usage.written += number_in(io, "write_bytes");
  add_sockets(process.get(), shared.sockets);
  ino_t network = network_of(process.get(), "ns/net");
  if (network != 0 && shared.networks.insert(network).second) {
    add_traffic(read_of(process.get(), "net/dev", kLongestText), usage);
  }
}

}  // namespace

void add_traffic(std::string_view text, Usage& usage) {
  constexpr size_t kReceived = 0, kSent = 8, kFields = 9;
  while (!text.empty()) {
    std::string_view line = take_part(text, '\n');
    size_t colon = line.find(':');
    if (colon == line.npos) continue;
    std::string_view name = trim(line.substr(0, colon)), left = line.substr(colon + 1);
    if (name == "lo" || name == "sbox-down") continue;
    std::array<uint64_t, kFields> fields{};
    for (uint64_t& field : fields) {
      left = left.substr(std::min(left.find_first_not_of(' '), left.size()));
      field = parse_number(take_part(left, ' ')).value_or(0);
    }
    usage.received += fields[kReceived];
    usage.sent += fields[kSent];
  }
}

std::map<pid_t, pid_t> descendants_of(const std::vector<pid_t>& roots, const std::map<pid_t, pid_t>& parents) {
  std::map<pid_t, pid_t> found;
  for (pid_t root : roots) found.emplace(root, root);
  for (const auto& [pid, parent] : parents) {
    std::vector<pid_t> way;
    // A number that was used again while the list was made could close a circle.
    pid_t at = pid;
    while (!found.contains(at) && !contains(way, at)) {
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
  Shared host;
  host.networks.insert(network_of(AT_FDCWD, "/proc/self/ns/net"));
  std::vector<Shared> shared(instances.size(), host);
  for (const auto& [pid, root] : descendants_of(roots, parents)) {
    auto process = processes.find(pid);
    size_t place = places.at(root);
    if (process != processes.end()) add(usages[place], process->second, pid, shared[place]);
  }
  for (size_t i = 0; i < usages.size(); ++i) usages[i].sockets = shared[i].sockets.size();
  return usages;
}

}  // namespace sbox
