#include "launcher/tree.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>

#include "launcher/mounts.h"
#include "launcher/workshop.h"

namespace sbox {
namespace {

// The directory in which the next nodes are made: neighbours share it.
struct Parent {
  std::string path;
  UniqueFd fd;
  bool is_own = false;  // on a file system that only this sandbox has
};

// The last component of the target.
const char* name_of(const Node& node) { return node.target.c_str() + node.target.rfind('/') + 1; }

class TreeBuilder {
 public:
  TreeBuilder(const Step& step, const std::vector<Helper>& helpers, int root, Prepared prepared)
      : step_(step), helpers_(helpers), root_(root), prepared_(std::move(prepared)) {
    own_devices_.push_back(device_of(root_));
  }

  void make(const Node& node, size_t number);
  void finish();

 private:
  void make_directory(const Node& node);
  void make_file(const Node& node);
  void make_symlink(const Node& node);
  void make_pin(const Node& node);
  void make_hide(const Node& node, size_t number);
  void make_tmpfs(const Node& node, size_t number);
  void make_socket(const Node& node);

  // The directory of the node's target; what is made in it is named by name_of.
  const Parent& parent_of(const Node& node);
  const Parent& own_parent_of(const Node& node);
  UniqueFd make_parents(const std::string& directory);
  void make_mount_point(const Node& node, int parent, bool is_file);
  void attach(const Node& node, UniqueFd mount, bool is_file);
  static bool mount_at(int mount, const Parent& parent, const char* name, bool is_file);
  bool is_own(int directory) const;
  dev_t device_of(int fd) const;
  void set_read_only(int mount, const std::string& name);

  const Step& step_;
  const std::vector<Helper>& helpers_;
  int root_;
  Prepared prepared_;
  Parent parent_;
  std::vector<dev_t> own_devices_;                            // file systems that only this sandbox has
  std::vector<std::pair<UniqueFd, std::string>> open_masks_;  // hide nodes that hold mount points: closed last
};

void TreeBuilder::make(const Node& node, size_t number) {
  switch (node.kind) {
    case NodeKind::directory:
      return make_directory(node);
    case NodeKind::file:
      return make_file(node);
    case NodeKind::symlink:
      return make_symlink(node);
    case NodeKind::follow:
      return attach(node, std::move(prepared_[number]), true);
    case NodeKind::bind:
    case NodeKind::overlay:
      return attach(node, std::move(prepared_[number]), node.is_file);
    case NodeKind::pin:
      return make_pin(node);
    case NodeKind::hide:
      return make_hide(node, number);
    case NodeKind::tmpfs:
      return make_tmpfs(node, number);
    case NodeKind::proc:
      return attach(node, std::move(prepared_[number]), false);
    case NodeKind::devpts:
      return attach(node, new_devpts(step_), false);
    case NodeKind::socket:
      return make_socket(node);
  }
}

void TreeBuilder::make_directory(const Node& node) {
  const Parent& parent = parent_of(node);
  const char* name = name_of(node);
  if (parent.is_own && mkdirat(parent.fd.get(), name, node.mode) == 0) return;
  UniqueFd existing = open_at(parent.fd.get(), name, O_PATH | O_DIRECTORY, kBeneath);
  step_.require(existing.ok(), node.target);
}

void TreeBuilder::make_file(const Node& node) {
  write_new_file(step_, own_parent_of(node).fd.get(), name_of(node), node.mode, node.content);
}

void TreeBuilder::make_symlink(const Node& node) {
  step_.require(symlinkat(node.content.c_str(), own_parent_of(node).fd.get(), name_of(node)) == 0, node.target);
}

void TreeBuilder::make_pin(const Node& node) {
  UniqueFd target = open_at(root_, node.target.c_str(), O_PATH, kInRoot);
  step_.require(target.ok(), node.target);
  UniqueFd mount = clone_mount(step_, target.get(), mount_attributes(node), node.target);
  step_.require(move_mount(mount.get(), "", target.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0,
                "pin ", node.target);
}

void TreeBuilder::make_hide(const Node& node, size_t number) {
  if (!is_open_mask(node)) return attach(node, std::move(prepared_[number]), node.is_file);
  UniqueFd mask = new_tmpfs(step_, {.size = kSmallSize, .inodes = kFewInodes, .mode = node.mode}, kMaskAttributes);
  own_devices_.push_back(device_of(mask.get()));
  UniqueFd kept(dup(mask.get()));
  step_.require(kept.ok(), node.target);
  attach(node, std::move(mask), false);
  open_masks_.emplace_back(std::move(kept), node.target);
}

void TreeBuilder::make_tmpfs(const Node& node, size_t number) {
  UniqueFd mount = prepared_[number] ? std::move(prepared_[number]) : new_tmpfs_for(step_, node);
  own_devices_.push_back(device_of(mount.get()));
  attach(node, std::move(mount), false);
}

void TreeBuilder::make_socket(const Node& node) {
  own_parent_of(node);  // so nothing in the path is a link
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (node.target.size() >= sizeof address.sun_path) step_.fail(node.target, ENAMETOOLONG);
  node.target.copy(address.sun_path, node.target.size());
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  bool listens = listener && bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                 listen(listener.get(), SOMAXCONN) == 0;
  step_.require(listens, node.target);
  offer_to_helpers(step_, helpers_, node, listener.get());
}

const Parent& TreeBuilder::parent_of(const Node& node) {
  size_t slash = node.target.rfind('/');
  if (slash == std::string::npos || slash + 1 == node.target.size()) step_.fail(node.target, EINVAL);
  std::string path = node.target.substr(0, std::max<size_t>(slash, 1));
  if (parent_.fd && parent_.path == path) return parent_;
  UniqueFd fd = open_at(root_, path.c_str(), O_PATH | O_DIRECTORY, kInRoot);
  if (!fd && errno == ENOENT) fd = make_parents(path);
  step_.require(fd.ok(), path);
  bool own = is_own(fd.get());
  parent_ = {std::move(path), std::move(fd), own};
  return parent_;
}

// Below a bind nothing is made: not for the host's sake, and because what is there may belong to a sandbox.
const Parent& TreeBuilder::own_parent_of(const Node& node) {
  const Parent& parent = parent_of(node);
  if (!parent.is_own) step_.fail(node.target, EROFS);
  return parent;
}

UniqueFd TreeBuilder::make_parents(const std::string& directory) {
  UniqueFd at(fcntl(root_, F_DUPFD_CLOEXEC, 0));
  for (size_t begin = 1; begin < directory.size();) {
    size_t end = std::min(directory.find('/', begin), directory.size());
    std::string name = directory.substr(begin, end - begin);
    UniqueFd next = open_at(at.get(), name.c_str(), O_PATH | O_DIRECTORY, kBeneath);
    if (!next && errno == ENOENT && is_own(at.get())) {
      step_.require(mkdirat(at.get(), name.c_str(), 0755) == 0, directory);
      next = open_at(at.get(), name.c_str(), O_PATH | O_DIRECTORY, kBeneath);
    }
    step_.require(next.ok(), directory);
    at = std::move(next);
    begin = end + 1;
  }
  return at;
}

void TreeBuilder::make_mount_point(const Node& node, int parent, bool is_file) {
  mode_t mode = node.make_target ? 0700 : 0755;
  int made =
      is_file ? mknodat(parent, name_of(node), S_IFREG | (mode & 0644), 0) : mkdirat(parent, name_of(node), mode);
  step_.require(made == 0 || errno == EEXIST, node.target);
}

void TreeBuilder::attach(const Node& node, UniqueFd mount, bool is_file) {
  const Parent& parent = parent_of(node);
  if (parent.is_own || node.make_target) make_mount_point(node, parent.fd.get(), is_file);
  step_.require(mount_at(mount.get(), parent, name_of(node), is_file), "attach ", node.target);
  if (parent_.path == node.target) parent_ = {};
}

bool TreeBuilder::mount_at(int mount, const Parent& parent, const char* name, bool is_file) {
  // Nobody else knows this file system, and a last component that is a link is not followed.
  if (parent.is_own) return move_mount(mount, "", parent.fd.get(), name, MOVE_MOUNT_F_EMPTY_PATH) == 0;
  // In a bind a sandbox may be changing names right now: what was found is what is mounted on, and it is no link.
  UniqueFd target = open_at(parent.fd.get(), name, O_PATH | (is_file ? 0 : O_DIRECTORY), kBeneath);
  return target && move_mount(mount, "", target.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

bool TreeBuilder::is_own(int directory) const {
  dev_t device = device_of(directory);
  return std::find(own_devices_.begin(), own_devices_.end(), device) != own_devices_.end();
}

dev_t TreeBuilder::device_of(int fd) const {
  struct stat status {};
  step_.require(fstat(fd, &status) == 0, "fstat");
  return status.st_dev;
}

void TreeBuilder::set_read_only(int mount, const std::string& name) {
  struct mount_attr change {};
  change.attr_set = MOUNT_ATTR_RDONLY;
  step_.require(mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof change) == 0, "close ", name);
}

void TreeBuilder::finish() {
  for (auto& [mount, name] : open_masks_) set_read_only(mount.get(), name);
  set_read_only(root_, "the root");
}

// No rule of Landlock covers a file directly on the root, so once the ruleset is in force this one cannot be opened.
UniqueFd make_probe(const Step& step, int root) {
  constexpr char kProbe[] = ".sbox-probe";
  UniqueFd file = open_at(root, kProbe, O_WRONLY | O_CREAT | O_EXCL, kInRoot, 0444);
  step.require(file.ok(), "probe");
  UniqueFd probe = open_at(root, kProbe, O_PATH, kInRoot);
  step.require(probe.ok() && unlinkat(root, kProbe, 0) == 0, "probe");
  if (open_at(root, kProbe, O_PATH, kInRoot)) step.fail("the probe is still there", EBUSY);
  return probe;
}

}  // namespace

UniqueFd new_tmpfs_for(const Step& step, const Node& node) {
  TmpfsOptions options{.size = node.size, .inodes = node.inodes, .mode = node.mode};
  return new_tmpfs(step, options, mount_attributes(node));
}

void offer_to_helper(const Step& step, const std::vector<Helper>& helpers, size_t number, int fd) {
  bool sent = send_message(step.socket(), MessageKind::helper, static_cast<int64_t>(number), {}, fd);
  step.require(sent, helpers[number].name);
}

void offer_to_helpers(const Step& step, const std::vector<Helper>& helpers, const Node& node, int fd) {
  for (size_t i = 0; i < helpers.size(); ++i) {
    if (helpers[i].node == node.target) offer_to_helper(step, helpers, i, fd);
  }
}

UniqueFd build_tree(const Step& step, const Tree& tree, const Root& root, Prepared prepared) {
  UniqueFd probe = make_probe(step, root.fd.get());
  TreeBuilder builder(step, tree.helpers, root.fd.get(), std::move(prepared));
  for (size_t i = 0; i < tree.nodes.size(); ++i) builder.make(tree.nodes[i], i);
  builder.finish();
  return probe;
}

void make_again(const Step& step, const std::vector<Node>& nodes, int tree, Prepared prepared) {
  const std::vector<Helper> none;
  TreeBuilder builder(step, none, tree, std::move(prepared));
  for (size_t i = 0; i < nodes.size(); ++i) builder.make(nodes[i], i);
}

}  // namespace sbox
