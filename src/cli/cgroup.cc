#include "cli/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "cli/tool.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kBusctl[] = "/usr/bin/busctl";
constexpr char kOurs[] = "sbox-";
constexpr char kHint[] = "needs systemd's user manager, or a cgroup that is delegated to you; see `sbox doctor`";

// Of this process, as the kernel names it; "" where it is in none of version 2.
std::string own_cgroup(const Host& host) {
  constexpr std::string_view kMark = "0::";
  for (const std::string& line : split(host.read("/proc/self/cgroup").value_or(""), '\n')) {
    if (line.starts_with(kMark)) return line.substr(kMark.size());
  }
  return "";
}

std::string mount_point() {
  for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct statfs status {};
    if (statfs(path, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC) return path;
  }
  return "";
}

bool has_user_manager(const Host& host) {
  std::string runtime = host.variable("XDG_RUNTIME_DIR").value_or("");
  return !runtime.empty() && host.status(join(runtime, "systemd/private")).kind == FileKind::socket &&
         host.status(kBusctl).kind == FileKind::file;
}

class UserManager {
 public:
  explicit UserManager(const Host& host) {
    for (const char* name : {"XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"}) {
      if (auto value = host.variable(name)) variables_.push_back(std::string(name) + "=" + *value);
    }
    for (const std::string& variable : variables_) environment_.push_back(variable.c_str());
    environment_.push_back(nullptr);
  }
  bool call(const std::string& method, const std::string& signature, std::vector<std::string> arguments) const {
    constexpr long kPatience = 5000;
    std::vector<std::string> words = {kBusctl,
                                      "--user",
                                      "--",
                                      "call",
                                      "org.freedesktop.systemd1",
                                      "/org/freedesktop/systemd1",
                                      "org.freedesktop.systemd1.Manager",
                                      method,
                                      signature};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_tool(words, environment_.data(), kPatience);
  }

 private:
  std::vector<std::string> variables_;
  std::vector<const char*> environment_;
};

// Letters and digits of a profile's name, as units are called.
std::string unit_name(const std::string& profile) {
  std::string name = kOurs;
  for (char c : profile) name += isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name + "-" + std::to_string(getpid()) + ".scope";
}

// The same property may come with several disks: one list for all.
std::vector<std::string> properties(const Plan& plan, size_t& count) {
  std::vector<std::string> words;
  count = 0;
  for (const CgroupLimit& limit : plan.cgroup) {
    constexpr size_t kSimple = 3, kOfDisk = 5;
    size_t step = limit.property.at(1) == "a(st)" ? kOfDisk : kSimple;
    count += limit.property.size() / step;
    words.insert(words.end(), limit.property.begin(), limit.property.end());
  }
  return words;
}

// For messages.
std::string purpose(const Plan& plan) { return plan.cgroup.empty() ? "process.nested-sandbox" : "limits"; }

void enter_scope(const Plan& plan, const Host& host) {
  UserManager manager(host);
  std::string unit = unit_name(plan.profile);
  size_t count = 0;
  std::vector<std::string> limits = properties(plan, count);
  constexpr size_t kAlways = 4;
  std::vector<std::string> words = {unit,
                                    "fail",
                                    std::to_string(kAlways + count),
                                    "PIDs",
                                    "au",
                                    "1",
                                    std::to_string(getpid()),
                                    "Slice",
                                    "s",
                                    "app.slice",
                                    "Description",
                                    "s",
                                    "sbox: " + plan.profile,
                                    "CollectMode",
                                    "s",
                                    "inactive-or-failed"};
  words.insert(words.end(), limits.begin(), limits.end());
  words.push_back("0");
  if (!manager.call("StartTransientUnit", "ssa(sv)a(sa(sv))", words)) {
    throw Error(purpose(plan), "systemd's user manager refuses a scope for the run").hint(kHint);
  }
  // The manager has it among its jobs; each question is answered after some of them are done.
  for (int questions = 0; !own_cgroup(host).ends_with("/" + unit); ++questions) {
    constexpr int kMost = 200;
    if (questions >= kMost || !manager.call("GetUnit", "s", {unit})) {
      throw Error(purpose(plan), "systemd's user manager does not start the scope " + unit).hint(kHint);
    }
  }
}

bool write_to(const std::string& path, const std::string& text) {
  UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Outside of the cgroup: waits for the end of `process`, then ends what is left inside and removes the directory.
[[noreturn]] void sweep(pid_t process, const std::string& directory) {
  UniqueFd ended(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  UniqueFd events(open((directory + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd kill(open((directory + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  // The caller's streams and terminal stay the caller's.
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  setsid();
  if (getppid() == process) {
    pollfd wait{ended.get(), POLLIN, 0};
    while (poll(&wait, 1, -1) < 0) continue;
  }
  (void)!write(kill.get(), "1", 1);
  char content[256];
  for (;;) {
    // Reading it is what makes the next change be told.
    (void)!pread(events.get(), content, sizeof content, 0);
    if (rmdir(directory.c_str()) == 0 || errno != EBUSY) _exit(0);
    pollfd changed{events.get(), POLLPRI, 0};
    poll(&changed, 1, -1);
  }
}

// Those whose sweeper was killed too.
void remove_stale(const Host& host, const std::string& base) {
  for (const std::string& name : host.list(base, kOurs)) {
    auto pid = parse_number(name.substr(sizeof kOurs - 1));
    if (pid && host.status("/proc/" + std::to_string(*pid)).kind == FileKind::missing) {
      rmdir(join(base, name).c_str());
    }
  }
}

bool set_limits(const Plan& plan, const std::string& base, const std::string& directory) {
  std::set<std::string> controllers;
  for (const CgroupLimit& limit : plan.cgroup) controllers.insert(limit.file.substr(0, limit.file.find('.')));
  // Where they are on already, the user need not be allowed to switch them on.
  for (const std::string& name : controllers) (void)write_to(base + "/cgroup.subtree_control", "+" + name);
  return std::all_of(plan.cgroup.begin(), plan.cgroup.end(),
                     [&](const CgroupLimit& limit) { return write_to(directory + "/" + limit.file, limit.line); });
}

bool enter_own_cgroup(const Plan& plan, const Host& host, const std::string& base) {
  remove_stale(host, base);
  std::string directory = base + "/" + kOurs + std::to_string(getpid());
  if (mkdir(directory.c_str(), 0755) != 0) return false;
  pid_t process = getpid();
  pid_t sweeper = set_limits(plan, base, directory) ? fork() : -1;
  if (sweeper == 0) sweep(process, directory);
  if (sweeper > 0 && write_to(directory + "/cgroup.procs", "0")) return true;
  if (sweeper > 0) kill(sweeper, SIGKILL);
  rmdir(directory.c_str());
  return false;
}

// Beside this process's cgroup, for one that has processes has no limited ones below it; else below it.
std::vector<std::string> bases(const Host& host) {
  std::string own = own_cgroup(host), root = mount_point();
  if (own.empty() || root.empty()) return {};
  std::string beside = own.substr(0, own.rfind('/'));
  return {root + beside, root + own};
}

// Who may mount sees in a cgroup namespace of its own the cgroup that it is in, and where that is the user's it can
// end, stop and limit all that is in it: the terminal that it was started from, for one.
bool needs_own_cgroup(const Plan& plan, const Host& host) {
  if (!may_mount(plan)) return false;
  std::string own = own_cgroup(host), root = mount_point();
  if (own.empty()) return false;
  return root.empty() || access((root + own + "/cgroup.procs").c_str(), W_OK) == 0;
}

}  // namespace

void enter_cgroup(const Plan& plan, const Host& host) {
  if (plan.cgroup.empty() && !needs_own_cgroup(plan, host)) return;
  if (has_user_manager(host)) return enter_scope(plan, host);
  for (const std::string& base : bases(host)) {
    if (enter_own_cgroup(plan, host, base)) return;
  }
  if (!plan.cgroup.empty()) throw Error(plan.cgroup[0].meaning, "there is no cgroup here to enforce it").hint(kHint);
  throw Error(purpose(plan), "who may mount could end whatever else is in this cgroup, and there is no other")
      .hint(kHint);
}

LimitsBy limits_by(const Host& host) {
  if (has_user_manager(host)) return LimitsBy::systemd;
  for (const std::string& base : bases(host)) {
    if (access(base.c_str(), W_OK) == 0 && access((base + "/cgroup.procs").c_str(), W_OK) == 0) {
      return LimitsBy::delegated_cgroup;
    }
  }
  return LimitsBy::nothing;
}

}  // namespace sbox
