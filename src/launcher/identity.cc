#include "launcher/identity.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "launcher/kernel.h"

namespace sbox {
namespace {

constexpr int kNobodyIsLeft = 125;

void write_once(const Step& step, int dir, const char* path, const std::string& text) {
  UniqueFd file = open_at(dir, path, O_WRONLY, 0);
  step.require(file.ok(), path);
  step.require(write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()), path);
}

// Memory that no core dump is to hold. A core_pattern that is a socket (Linux 6.16) takes no notice of a limit. A
// kernel that dumps nothing has no such file.
void keep_memory_out_of_cores(const Step& step) {
  constexpr char kFilter[] = "/proc/self/coredump_filter";
  UniqueFd file = open_at(AT_FDCWD, kFilter, O_WRONLY, 0);
  if (!file && errno == ENOENT) return;
  bool is_set = file && write(file.get(), "0", 1) == 1 && read_small(step, kFilter) == "00000000\n";
  step.require(is_set, kFilter);
}

}  // namespace

void die_with_supervisor(const Step& step) {
  step.require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "parent death signal");
  // It may have died before: then nobody would send the signal, but its end of the socket is closed.
  pollfd hangup{step.socket(), 0, 0};
  if (poll(&hangup, 1, 0) != 0) _exit(kNobodyIsLeft);
}

void map_ids(const Step& step, uint32_t uid, uint32_t gid) {
  UniqueFd proc = open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  struct statfs status {};
  step.require(proc.ok() && fstatfs(proc.get(), &status) == 0, "/proc");
  if (status.f_type != PROC_SUPER_MAGIC) step.fail("/proc is not the kernel's", EINVAL);
  auto one = [](uint32_t id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
  write_once(step, proc.get(), "self/setgroups", "deny");
  write_once(step, proc.get(), "self/uid_map", one(uid));
  write_once(step, proc.get(), "self/gid_map", one(gid));
}

std::string only_map(uint32_t id) {
  auto column = [](uint32_t number) {
    std::string digits = std::to_string(number);
    return std::string(10 - digits.size(), ' ') + digits;
  };
  return column(id) + " " + column(id) + " " + column(1) + "\n";
}

bool is_granted(const Step& step, uint32_t uid) {
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SYS_ADMIN, 0, 0) == 1 &&
         read_small(step, "/proc/self/uid_map") == only_map(uid);
}

void set_hostname(const Step& step, const Plan& plan) {
  step.require(sethostname(plan.hostname.data(), plan.hostname.size()) == 0, plan.hostname);
}

void raise_loopback(const Step& step) {
  UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  step.require(socket_fd.ok(), "loopback");
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  step.require(ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) == 0, "loopback");
}

void forbid_user_namespaces(const Step& step, int proc) { write_once(step, proc, "sys/user/max_user_namespaces", "0"); }

OpenFiles::OpenFiles(const Step& step) {
  step.require(getrlimit(RLIMIT_NOFILE, &callers_) == 0, "limit of open files");
  rlimit most{callers_.rlim_max, callers_.rlim_max};
  is_raised_ = callers_.rlim_cur < callers_.rlim_max && setrlimit(RLIMIT_NOFILE, &most) == 0;
}

void OpenFiles::restore(const Step& step) const {
  rlimit seen{};
  bool is_set = (!is_raised_ || setrlimit(RLIMIT_NOFILE, &callers_) == 0) && getrlimit(RLIMIT_NOFILE, &seen) == 0;
  bool is_same = seen.rlim_cur == callers_.rlim_cur && seen.rlim_max == callers_.rlim_max;
  step.require(is_set && is_same, "limit of open files");
}

void set_limits(const Step& step, const Plan& plan) {
  for (const ResourceLimit& limit : plan.limits) {
    rlimit wanted{limit.soft, limit.hard};
    rlimit seen{};
    auto resource = static_cast<__rlimit_resource_t>(limit.resource);
    step.require(setrlimit(resource, &wanted) == 0, limit.name);
    step.require(getrlimit(resource, &seen) == 0, limit.name);
    if (seen.rlim_cur != wanted.rlim_cur || seen.rlim_max != wanted.rlim_max) step.fail(limit.name, EPERM);
    if (limit.resource == RLIMIT_CORE && limit.hard <= 1) keep_memory_out_of_cores(step);
  }
  int nice = std::max(static_cast<int>(plan.nice), getpriority(PRIO_PROCESS, 0));
  step.require(setpriority(PRIO_PROCESS, 0, nice) == 0 && getpriority(PRIO_PROCESS, 0) == nice, "nice");
  if (plan.io_priority == 0) return;
  constexpr int kProcess = 1;
  auto io_priority = static_cast<long>(plan.io_priority);
  bool is_set = syscall(SYS_ioprio_set, kProcess, 0, io_priority) == 0;
  step.require(is_set && syscall(SYS_ioprio_get, kProcess, 0) == io_priority, "io priority");
}

}  // namespace sbox
