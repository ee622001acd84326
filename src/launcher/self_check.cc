#include "launcher/self_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdlib>

#include "launcher/kernel.h"
#include "launcher/mounts.h"

namespace sbox {
namespace {

constexpr const char* kNamespaceFiles[] = {"user", "mnt", "pid", "ipc", "uts", "cgroup", "net"};
constexpr size_t kNet = 6;
constexpr size_t kLargestStatus = 8192;

std::string read_small(const Step& step, const char* path) {
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  step.require(file.ok(), path);
  std::string text(kLargestStatus, '\0');
  ssize_t size = read(file.get(), text.data(), text.size());
  step.require(size > 0 && size < static_cast<ssize_t>(text.size()), path);
  text.resize(static_cast<size_t>(size));
  return text;
}

// The value of "NAME:\tVALUE\n" in /proc/self/status.
std::string field(const Step& step, const std::string& status, const std::string& name) {
  size_t begin = status.find("\n" + name + ":\t");
  if (begin == std::string::npos) step.fail("no " + name + " in the process status", EINVAL);
  begin += name.size() + 3;
  return status.substr(begin, status.find('\n', begin) - begin);
}

void expect(const Step& step, bool so, const std::string& what) {
  if (!so) step.fail(what + " is not as planned", 0);
}

void check_status(const Step& step, const Plan& plan) {
  std::string status = read_small(step, "/proc/self/status");
  auto four = [](uint32_t id) {
    std::string one = std::to_string(id);
    return one + "\t" + one + "\t" + one + "\t" + one;
  };
  expect(step, field(step, status, "Uid") == four(plan.uid), "the user id");
  expect(step, field(step, status, "Gid") == four(plan.gid), "the group id");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    expect(step, field(step, status, set) == "0000000000000000", std::string("the capability set ") + set);
  }
  expect(step, field(step, status, "NoNewPrivs") == "1", "no_new_privs");
  bool filtered = !plan.filters.empty();
  expect(step, filtered == (field(step, status, "Seccomp") == "2"), "the seccomp mode");
  int filters = atoi(field(step, status, "Seccomp_filters").c_str());
  expect(step, filters >= static_cast<int>(plan.filters.size()), "the number of seccomp filters");
  expect(step, (prctl(PR_GET_SECUREBITS) & 1) == 1, "securebits");
  expect(step, read_small(step, "/proc/self/setgroups") == "deny\n", "setgroups");
}

void check_namespaces(const Step& step, const Plan& plan, const Namespaces& host) {
  Namespaces here = current_namespaces(step);
  for (size_t i = 0; i < here.inodes.size(); ++i) {
    bool own = i != kNet || plan.own_network;
    expect(step, own == (here.inodes[i] != host.inodes[i]), std::string("the namespace ") + kNamespaceFiles[i]);
  }
  utsname name{};
  expect(step, uname(&name) == 0 && plan.hostname == name.nodename, "the host name");
}

void check_mount(const Step& step, const std::string& target, uint64_t attributes) {
  // Plain open: the filter, which is in force already, knows no openat2.
  UniqueFd place(open(target.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  step.require(place.ok(), target);
  struct statx status {};
  struct statvfs flags {};
  step.require(statx(place.get(), "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0, target);
  step.require(fstatvfs(place.get(), &flags) == 0, target);
  expect(step, (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0, "the mount " + target);
  auto demands = [&](uint64_t attribute, unsigned long flag) {
    return (attributes & attribute) == 0 || (flags.f_flag & flag) != 0;
  };
  expect(step,
         demands(MOUNT_ATTR_RDONLY, ST_RDONLY) && demands(MOUNT_ATTR_NOSUID, ST_NOSUID) &&
             demands(MOUNT_ATTR_NODEV, ST_NODEV) && demands(MOUNT_ATTR_NOEXEC, ST_NOEXEC),
         "the mount flags of " + target);
}

void check_mounts(const Step& step, const Plan& plan, uint64_t root_mount_id) {
  expect(step, mount_id(AT_FDCWD, "/", 0) == root_mount_id, "the root");
  // ".." of the root would cross into a tree that is still stacked on it.
  expect(step, mount_id(AT_FDCWD, "/..", 0) == root_mount_id, "the host's tree");
  check_mount(step, "/", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  for (const Node& node : plan.nodes) {
    switch (node.kind) {
      case NodeKind::directory:
      case NodeKind::file:
      case NodeKind::symlink:
        break;
      case NodeKind::proc:
        check_mount(step, node.target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        break;
      case NodeKind::devpts:
        check_mount(step, node.target, MOUNT_ATTR_NOSUID);
        break;
      case NodeKind::hide:
        check_mount(step, node.target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
        break;
      case NodeKind::bind:
      case NodeKind::follow:
      case NodeKind::pin:
      case NodeKind::tmpfs:
        check_mount(step, node.target, mount_attributes(node));
        break;
    }
  }
}

void check_descriptors(const Step& step, int also) {
  DIR* listing = opendir("/proc/self/fd");
  step.require(listing != nullptr, "/proc/self/fd");
  while (const dirent* entry = readdir(listing)) {
    if (entry->d_name[0] == '.') continue;
    int fd = atoi(entry->d_name);
    expect(step, fd <= 2 || fd == also || fd == dirfd(listing), "the list of open descriptors");
  }
  closedir(listing);
  for (int fd = 0; fd <= 2; ++fd) step.require(fcntl(fd, F_GETFD) >= 0, "standard descriptors");
}

void check_landlock(const Step& step, const Plan& plan, int probe) {
  if (plan.landlock.abi == 0) return;
  std::string path = "/proc/self/fd/" + std::to_string(probe);
  UniqueFd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  expect(step, !opened && errno == EACCES, "Landlock");
}

}  // namespace

Namespaces current_namespaces(const Step& step) {
  Namespaces found;
  for (size_t i = 0; i < found.inodes.size(); ++i) {
    std::string path = std::string("/proc/self/ns/") + kNamespaceFiles[i];
    struct stat status {};
    step.require(stat(path.c_str(), &status) == 0, path);
    found.inodes[i] = status.st_ino;
  }
  return found;
}

void check_confinement(const Step& step, const Plan& plan, const Expected& expected) {
  check_landlock(step, plan, expected.probe);
  close(expected.probe);
  check_status(step, plan);
  check_namespaces(step, plan, expected.host);
  check_mounts(step, plan, expected.root_mount_id);
  check_descriptors(step, expected.also);
}

}  // namespace sbox
