#include "launcher/self_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>

#include "launcher/identity.h"
#include "launcher/kernel.h"
#include "launcher/lockdown.h"
#include "launcher/mount_table.h"
#include "launcher/mounts.h"

namespace sbox {
namespace {

constexpr const char* kNamespaceFiles[] = {"user", "mnt", "pid", "ipc", "uts", "cgroup", "net"};
constexpr size_t kUser = 0, kNet = 6;
constexpr std::string_view kDevpts = "/dev/pts";

// The value of "NAME:\tVALUE\n" in /proc/self/status.
std::string_view field(const Step& step, std::string_view status, const char* name) {
  size_t begin = status.find(std::string("\n") + name + ":\t");
  if (begin == std::string::npos) step.fail(std::string("no ") + name + " in the process status", EINVAL);
  begin += strlen(name) + 3;
  return status.substr(begin, status.find('\n', begin) - begin);
}

void expect(const Step& step, bool so, std::string_view what, std::string_view which = {}) {
  if (!so) step.fail(std::string(what) + std::string(which) + " is not as planned", 0);
}

// A decimal number and nothing else, or -1.
int number(std::string_view text) {
  int value = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

void check_status(const Step& step, const Plan& plan, pid_t session) {
  std::string status = read_small(step, "/proc/self/status");
  auto four = [](uint32_t id) {
    std::string one = std::to_string(id);
    return one + "\t" + one + "\t" + one + "\t" + one;
  };
  expect(step, field(step, status, "Uid") == four(plan.uid), "the user id");
  expect(step, field(step, status, "Gid") == four(plan.gid), "the group id");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    expect(step, field(step, status, set) == "0000000000000000", "the capability set ", set);
  }
  expect(step, field(step, status, "NoNewPrivs") == "1", "no_new_privs");
  expect(step, plan.filters.empty() || field(step, status, "Seccomp") == "2", "the seccomp mode");
  int filters = number(field(step, status, "Seccomp_filters"));
  // One that tells of denied calls is there in place of all of them.
  int expected = plan.log ? 1 : static_cast<int>(plan.filters.size());
  expect(step, filters >= expected, "the number of seccomp filters");
  expect(step, prctl(PR_GET_SECUREBITS) == kSecurebits, "securebits");
  expect(step, read_small(step, "/proc/self/setgroups") == "deny\n", "setgroups");
  expect(step, read_small(step, "/proc/self/uid_map") == only_map(plan.uid), "the map of user ids");
  bool closed = plan.nested_sandbox || read_small(step, "/proc/sys/user/max_user_namespaces") == "0\n";
  expect(step, closed, "the number of user namespaces");
  expect(step, getsid(0) == session, "the session");
  struct stat here {};
  struct stat wanted {};
  bool there = stat(".", &here) == 0 && stat(plan.directory.c_str(), &wanted) == 0;
  expect(step, there && here.st_dev == wanted.st_dev && here.st_ino == wanted.st_ino, "the current directory");
}

void check_namespaces(const Step& step, const Plan& plan, const Expected& expected) {
  Namespaces here = current_namespaces(step);
  for (size_t i = 0; i < here.inodes.size(); ++i) {
    bool own = i == kUser ? !expected.is_granted : i != kNet || plan.own_network;
    expect(step, own == (here.inodes[i] != expected.host.inodes[i]), "the namespace ", kNamespaceFiles[i]);
  }
  utsname name{};
  expect(step, uname(&name) == 0 && plan.hostname == name.nodename, "the host name");
}

// What the mount of a node must have; nothing for nodes that are no mounts.
uint64_t expected_attributes(const Node& node) {
  switch (node.kind) {
    case NodeKind::directory:
    case NodeKind::file:
    case NodeKind::symlink:
    case NodeKind::socket:
      return 0;
    case NodeKind::proc:
      return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    case NodeKind::devpts:
      return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    case NodeKind::hide:
      return MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    case NodeKind::bind:
    case NodeKind::overlay:
    case NodeKind::follow:
    case NodeKind::pin:
    case NodeKind::tmpfs:
      return mount_attributes(node);
  }
  return ~uint64_t{0};
}

std::vector<MountEntry> read_mount_table(const Step& step) {
  constexpr size_t kUsual = 16384;
  UniqueFd file(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  step.require(file.ok(), "the list of mounts");
  std::string text;
  text.reserve(kUsual);
  for (;;) {
    char part[4096];  // the kernel gives a page at a time
    ssize_t size = read(file.get(), part, sizeof part);
    step.require(size >= 0, "the list of mounts");
    if (size == 0) break;
    text.append(part, static_cast<size_t>(size));
  }
  std::vector<MountEntry> table;
  if (!parse_mount_table(text, table)) step.fail("the list of mounts cannot be read", EINVAL);
  return table;
}

using Expectations = std::vector<std::pair<std::string_view, uint64_t>>;

// By target, sorted. Of nodes with one target the last is the one that is seen.
Expectations expected_mounts(const Plan& plan) {
  Expectations expected{{"/", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV}};
  for (const Node& node : plan.nodes) {
    if (uint64_t attributes = expected_attributes(node)) expected.emplace_back(node.target, attributes);
  }
  std::stable_sort(expected.begin(), expected.end(), [](auto& a, auto& b) { return a.first < b.first; });
  return expected;
}

// The kernel may list more: a security module adds words of its own.
bool has_option(const std::string& options, const std::string& option) {
  return ("," + options + ",").find("," + option + ",") != std::string::npos;
}

bool has_devpts_options(const std::string& options) {
  return std::all_of(std::begin(kDevptsOptions), std::end(kDevptsOptions), [&](const DevptsOption& option) {
    return has_option(options, std::string(option.name) + "=" + option.value);
  });
}

// The expectation for `target` itself, else (a mount that came along with a bind) for what it lies below; null for one
// that nobody asked for.
const std::pair<std::string_view, uint64_t>* expectation_for(const Expectations& expected, std::string_view target) {
  auto after = std::upper_bound(expected.begin(), expected.end(), target,
                                [](std::string_view t, auto& e) { return t < e.first; });
  if (after != expected.begin() && std::prev(after)->first == target) return &*std::prev(after);
  size_t slash = target.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return nullptr;
  return expectation_for(expected, target.substr(0, slash));
}

void check_mounts(const Step& step, const Plan& plan, const std::vector<MountEntry>& table, uint64_t root_mount_id) {
  Expectations expected = expected_mounts(plan);
  size_t found = 0;
  for (size_t i = 0; i < table.size(); ++i) {
    const MountEntry& mount = table[i];
    bool is_covered = i + 1 < table.size() && table[i + 1].target == mount.target;
    const auto* expectation = expectation_for(expected, mount.target);
    expect(step, expectation != nullptr, "the mount ", mount.target);
    // A second mount on the root would be the host's tree.
    expect(step, mount.target != "/" || (mount.id == root_mount_id && !is_covered), "the root");
    if (is_covered) continue;
    bool strict = (mount.attributes & expectation->second) == expectation->second;
    expect(step, strict, "the flags of the mount ", mount.target);
    expect(step, mount.target != kDevpts || has_devpts_options(mount.options), "the options of ", kDevpts);
    if (expectation->first == mount.target) ++found;
  }
  auto same_target = [](auto& a, auto& b) { return a.first == b.first; };
  expected.erase(std::unique(expected.begin(), expected.end(), same_target), expected.end());
  expect(step, found == expected.size(), "the number of mounts");
  expect(step, mount_id(AT_FDCWD, "/", 0) == root_mount_id, "the root");
}

// Anything else at its place would be the host's own. With attributes of another kind it could not write down what was
// replaced.
void check_overlay(const Step& step, const Plan& plan, const std::vector<MountEntry>& table) {
  for (const Node& node : plan.nodes) {
    if (node.kind != NodeKind::overlay) continue;
    struct statfs found {};
    bool is_overlay = statfs(node.target.c_str(), &found) == 0 && found.f_type == OVERLAYFS_SUPER_MAGIC;
    auto seen = std::find_if(table.rbegin(), table.rend(), [&](auto& mount) { return mount.target == node.target; });
    bool is_as_asked = seen != table.rend() && has_option(seen->options, "userxattr");
    expect(step, is_overlay && is_as_asked, "the overlay at ", node.target);
  }
}

void check_descriptors(const Step& step, int also) {
  DIR* listing = opendir("/proc/self/fd");
  step.require(listing != nullptr, "/proc/self/fd");
  while (const dirent* entry = readdir(listing)) {
    if (entry->d_name[0] == '.') continue;
    int fd = number(entry->d_name);
    expect(step, (fd >= 0 && fd <= 2) || fd == also || fd == dirfd(listing), "the list of open descriptors");
  }
  closedir(listing);
  for (int fd = 0; fd <= 2; ++fd) step.require(fcntl(fd, F_GETFD) >= 0, "standard descriptors");
}

void check_landlock(const Step& step, const Plan& plan, int probe) {
  // The probe is a file.
  if (plan.landlock.handled == 0) return;
  std::string path = "/proc/self/fd/" + std::to_string(probe);
  UniqueFd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  expect(step, !opened && errno == EACCES, "Landlock");
}

// No rule is for port 0: bind(2) would choose one, connect(2) find nobody there.
void check_ports(const Step& step, const Plan& plan) {
  using Call = int (*)(int, const sockaddr*, socklen_t);
  struct Row {
    uint64_t access;
    Call call;
  };
  sockaddr_in nowhere{};
  nowhere.sin_family = AF_INET;
  nowhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (const Row& row : {Row{kLandlockBindTcp, bind}, Row{kLandlockConnectTcp, connect}}) {
    if (!(plan.landlock.handled_ports & row.access)) continue;
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    step.require(fd.ok(), "socket");
    int done = row.call(fd.get(), reinterpret_cast<sockaddr*>(&nowhere), sizeof nowhere);
    expect(step, done != 0 && errno == EACCES, "Landlock's limit of ports");
  }
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
  std::vector<MountEntry> table = read_mount_table(step);
  check_mounts(step, plan, table, expected.root_mount_id);
  check_ports(step, plan);
  check_overlay(step, plan, table);
  check_guest(step, plan, expected);
}

void check_guest(const Step& step, const Plan& plan, const Expected& expected) {
  check_status(step, plan, expected.session);
  check_namespaces(step, plan, expected);
  expect(step, mount_id(AT_FDCWD, "/", 0) == expected.root_mount_id, "the root");
  check_descriptors(step, expected.also);
}

}  // namespace sbox
