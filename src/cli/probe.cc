#include "cli/probe.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "cli/background.h"
#include "network/firewall.h"

namespace sbox {
namespace {

bool put(const char* path, const std::string& text) {
  UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  return file.ok() && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool map_ids(uid_t uid, gid_t gid) {
  auto same = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
  return put("/proc/self/setgroups", "deny") && put("/proc/self/gid_map", same(gid)) &&
         put("/proc/self/uid_map", same(uid));
}

bool copy_mount() {
  UniqueFd tree(open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  return tree.ok() && mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) == 0;
}

bool make_filesystem(const char* type) {
  UniqueFd context(fsopen(type, FSOPEN_CLOEXEC));
  if (!context || fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return false;
  return UniqueFd(fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)).ok();
}

// A pid namespace is only that of the processes made after it.
bool make_proc() {
  pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) _exit(make_filesystem("proc") ? 0 : errno);
  int status = 0;
  if (waitpid(child, &status, 0) != child) return false;
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

ProbeResult try_stages() {
  constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNET;
  uid_t uid = getuid();
  gid_t gid = getgid();
  auto stopped = [](ProbeStage stage) { return ProbeResult{stage, errno}; };
  if (unshare(CLONE_NEWUSER) != 0) return stopped(ProbeStage::user_namespace);
  if (!map_ids(uid, gid)) return stopped(ProbeStage::id_map);
  if (unshare(kNamespaces) != 0) return stopped(ProbeStage::namespaces);
  if (!copy_mount()) return stopped(ProbeStage::mount_api);
  if (!make_filesystem("tmpfs")) return stopped(ProbeStage::tmpfs);
  if (!make_proc()) return stopped(ProbeStage::proc);
  return {};
}

struct Pipe {
  UniqueFd reader, writer;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw system_error("pipe", errno);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The first line of what it writes to descriptor `heard`; the others are /dev/null, and so is `also`. It has no
// environment: the caller's could make it load code.
std::string first_line(const std::string& program, const std::vector<std::string>& words, int heard, int also,
                       int& status) {
  Pipe pipe = make_pipe();
  pid_t child = new_process();
  if (child == 0) {
    int null = fcntl(open("/dev/null", O_RDWR), F_DUPFD, also + 1);
    int writer = fcntl(pipe.writer.get(), F_DUPFD, also + 1);
    for (int fd = 0; fd <= also; ++fd) {
      if (dup2(fd == heard ? writer : null, fd) != fd) _exit(kExitNotFound);
    }
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char* environment[] = {nullptr};
    execve(program.c_str(), arguments.data(), environment);
    _exit(kExitNotFound);
  }
  pipe.writer.reset();
  std::string text;
  char part[512];
  for (ssize_t size = 0; (size = read(pipe.reader.get(), part, sizeof part)) > 0;) {
    text.append(part, static_cast<size_t>(size));
  }
  waitpid(child, &status, 0);
  return text.substr(0, text.find('\n'));
}

// In a process of its own, which then has namespaces of its own.
int try_overlay(const std::string& home, const std::string& scratch) {
  uid_t uid = getuid();
  gid_t gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !map_ids(uid, gid)) return errno;
  UniqueFd context(fsopen("overlay", FSOPEN_CLOEXEC));
  // Open until it is made: kernels before 6.5 look at the names only then.
  auto layer = [](const std::string& path) { return UniqueFd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); };
  UniqueFd lower = layer(home), upper = layer(scratch + "/upper"), work = layer(scratch + "/work");
  auto set = [&](const char* option, const UniqueFd& directory) {
    std::string name = "/proc/self/fd/" + std::to_string(directory.get());
    return directory && fsconfig(context.get(), FSCONFIG_SET_STRING, option, name.c_str(), 0) == 0;
  };
  bool made = context && fsconfig(context.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr, 0) == 0 &&
              set("lowerdir", lower) && set("upperdir", upper) && set("workdir", work) &&
              fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
  return made ? 0 : errno;
}

// In a process of its own, which gets a network namespace with nothing but a loopback.
NetworkProbe try_network() {
  NetworkProbe probe;
  probe.tried = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  if (!probe.tried) return probe;
  network::Rules rules;
  rules.log = true;
  network::Firewall firewall(network::open_netlink(NETLINK_NETFILTER));
  probe.firewall = firewall.load(rules);
  probe.tells = firewall.tells() && network::hear_refusals(network::open_netlink(NETLINK_NETFILTER).get());
  constexpr uint64_t kAnyRate = 1 << 20;
  constexpr uint32_t kLoopback = 1;
  network::Limits limits{kAnyRate, kAnyRate};
  UniqueFd links = network::open_netlink(NETLINK_ROUTE);
  probe.bandwidth = network::make_queue_device(links.get());
  if (!probe.bandwidth) {
    probe.bandwidth = network::Bandwidth(std::move(links), UniqueFd(), limits).hold(kLoopback);
  }
  return probe;
}

// What `attempt` finds out in a process of its own; `otherwise` where that does not say it.
template <typename Finding>
Finding found_by(Finding (*attempt)(), const Finding& otherwise) {
  Pipe pipe = make_pipe();
  pid_t child = fork();
  if (child < 0) throw fork_error(errno);
  if (child == 0) {
    Finding finding = attempt();
    _exit(write(pipe.writer.get(), &finding, sizeof finding) == sizeof finding ? 0 : 1);
  }
  pipe.writer.reset();
  Finding finding = otherwise;
  ssize_t size = read(pipe.reader.get(), &finding, sizeof finding);
  waitpid(child, nullptr, 0);
  return size == sizeof finding ? finding : otherwise;
}

}  // namespace

int probe_overlay(const std::string& home) {
  std::string scratch = home + "/.sbox-doctor-XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) return errno;
  for (const char* layer : {"/upper", "/work"}) mkdir((scratch + layer).c_str(), S_IRWXU);
  pid_t child = fork();
  if (child == 0) _exit(try_overlay(home, scratch));
  int status = 0;
  if (child > 0) waitpid(child, &status, 0);
  for (const char* made : {"/work/work", "/work/index", "/work", "/upper", ""}) rmdir((scratch + made).c_str());
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

ProbeResult probe_namespaces() { return found_by<ProbeResult>(try_stages, {ProbeStage::user_namespace, EINTR}); }

// The words of a fault lie at the same place in both processes.
NetworkProbe probe_network() {
  NetworkProbe unknown;
  unknown.tried = false;
  return found_by(try_network, unknown);
}

bool probe_seccomp() {
  for (uint32_t action : {SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS}) {
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) return false;
  }
  return true;
}

KernelVersion kernel_version() {
  utsname name{};
  KernelVersion version;
  if (uname(&name) != 0 || sscanf(name.release, "%d.%d", &version.major, &version.minor) != 2) return {};
  return version;
}

std::string first_line_of(const std::string& program, const std::string& argument) {
  int status = 0;
  std::string line = first_line(program, {program, argument}, 1, 2, status);
  return status == 0 ? line : "";
}

std::string ask_granter(const std::string& path) {
  int status = 0;
  std::string line = first_line(path, {"sbox", "doctor", "", ""}, 2, 3, status);
  if (line.starts_with("sbox: sbox-launch: ")) return "";
  return line.empty() ? "it ended with nothing said" : line;
}

}  // namespace sbox
