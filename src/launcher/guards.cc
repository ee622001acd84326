#include "launcher/guards.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/stat.h>
#include <poll.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "launcher/identity.h"
#include "launcher/kernel.h"
#include "launcher/moment.h"
#include "launcher/root.h"
#include "launcher/step.h"
#include "launcher/tree.h"
#include "launcher/workshop.h"

namespace sbox {
namespace {

// Programs that save by a rename need less between the two names.
constexpr int64_t kMissingFor = kSecond;
constexpr int kCoverPatience = 5000;  // milliseconds
constexpr char kTooLong[] = "it takes too long to cover it again";

struct Sight {
  bool is_there = false;    // something that may be looked at, if only a link
  bool is_covered = false;  // the root of a mount: the program can make none
  bool is_directory = false;
};

Sight look_at(int tree, const std::string& path) {
  UniqueFd place = open_at(tree, path.c_str(), O_PATH | O_NOFOLLOW, kInRoot);
  if (!place) return {.is_there = errno == ELOOP};
  struct statx status {};
  if (statx(place.get(), "", AT_EMPTY_PATH, STATX_TYPE, &status) != 0) return {.is_there = true};
  bool is_known = (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
  return {.is_there = true,
          .is_covered = is_known && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
          .is_directory = S_ISDIR(status.stx_mode)};
}

// The node as it is made on what has taken its place.
Node renewed(Node node) {
  // What it shows is what is there, with fewer rights.
  if (node.kind == NodeKind::bind) node.kind = NodeKind::pin;
  // What lay in it is seen no more.
  if (node.kind == NodeKind::hide) node.mode = 0;
  return node;
}

[[noreturn]] void cover_in(Step step, const std::vector<Node>& nodes, int tree, int mounts) {
  step.begin("cover again");
  UniqueFd owner(ioctl(mounts, NS_GET_USERNS));
  step.require(owner && setns(owner.get(), CLONE_NEWUSER) == 0, "user namespace");
  die_with_supervisor(step);
  // What covers is made where no sandbox sees it.
  step.require(unshare(CLONE_NEWNS) == 0, "mount namespace");
  make_mounts_private(step);
  Prepared prepared(nodes.size());
  prepare_workshop(step, nodes, prepared);
  step.require(setns(mounts, CLONE_NEWNS) == 0, "the sandbox's mount namespace");
  make_again(step, nodes, tree, std::move(prepared));
  send_message(step.socket(), static_cast<uint8_t>(MessageKind::ended), 0);
  _exit(0);
}

std::string told(const Node& node, const std::string& what) {
  return node.target + ": a program outside " + what + " (" + node.origin + ")";
}

}  // namespace

void Guards::begin(const Plan& plan, UniqueFd tree, bool may_cover) {
  tree_ = std::move(tree);
  may_cover_ = may_cover;
  for (const Node& node : plan.nodes) {
    if (node.guarded) guarded_.push_back({renewed(node), std::nullopt});
  }
  find_directories();
}

// All between a cover and the mount that it lies in, and the root of that.
void Guards::find_directories() {
  for (const Guarded& each : guarded_) {
    std::string path = each.node.target;
    do {
      path.resize(std::max<size_t>(path.rfind('/'), 1));
      directories_.push_back(path);
    } while (path != "/" && !look_at(tree_.get(), path).is_covered);
  }
  std::sort(directories_.begin(), directories_.end());
  directories_.erase(std::unique(directories_.begin(), directories_.end()), directories_.end());
}

void Guards::watch(HostEvents& events) const {
  constexpr uint32_t kNames = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
  for (const std::string& path : directories_) {
    UniqueFd directory = open_at(tree_.get(), path.c_str(), O_PATH | O_DIRECTORY, kInRoot);
    if (directory) events.watch(("/proc/self/fd/" + std::to_string(directory.get())).c_str(), kNames);
  }
}

std::vector<Node> Guards::find_bare() {
  std::vector<Node> bare;
  deadline_.reset();
  for (auto& [node, deadline] : guarded_) {
    Sight sight = look_at(tree_.get(), node.target);
    if (sight.is_there || !node.required) {
      deadline.reset();
    } else {
      if (!deadline) deadline = now_ns() + kMissingFor;
      deadline_ = std::min(deadline_.value_or(*deadline), *deadline);
    }
    if (!sight.is_there || sight.is_covered) continue;
    Node& found = bare.emplace_back(node);
    found.is_file = !sight.is_directory;
  }
  return bare;
}

std::string Guards::look(HostEvents& events) {
  constexpr int kAttempts = 3;
  for (int attempt = 1, failures = 0; attempt <= kAttempts; ++attempt) {
    watch(events);
    std::vector<Node> bare = find_bare();
    for (const auto& [node, deadline] : guarded_) {
      if (deadline && now_ns() >= *deadline) return told(node, "took it away, and what is made there would be seen");
    }
    if (bare.empty()) return "";
    if (!may_cover_) return told(bare.front(), "replaced it, and it cannot be covered again");
    std::string why = cover(bare);
    if (why.empty()) continue;
    // It may have been replaced once more in the middle.
    if (++failures == kAttempts || why == kTooLong) return told(bare.front(), "replaced it: " + why);
  }
  // Who replaces it again and again keeps nobody waiting: the rest is for the next look.
  deadline_ = now_ns();
  return "";
}

std::string Guards::cover(const std::vector<Node>& bare) const {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return reason(errno);
  UniqueFd here(ends[0]), there(ends[1]);
  pid_t pid = fork();
  if (pid < 0) return reason(errno);
  if (pid == 0) {
    here.reset();
    cover_in(Step(there.get(), false), bare, tree_.get(), mounts_.get());
  }
  there.reset();
  pollfd said{here.get(), POLLIN, 0};
  bool in_time = poll(&said, 1, kCoverPatience) > 0;
  Message last;
  std::string why = kTooLong;
  if (in_time) why = receive_message(here.get(), last) ? last.text : "who was to cover it again is gone";
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, in_time ? 0 : WNOHANG);
  return why;
}

}  // namespace sbox
