#include "launcher/mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/write_all.h"
#include "launcher/workshop.h"

namespace sbox {
namespace {

struct Option {
  const char* name;
  std::string value;  // "": a flag
};

UniqueFd new_filesystem(const Step& step, const char* type, const std::vector<Option>& options, uint64_t attributes) {
  UniqueFd context(fsopen(type, FSOPEN_CLOEXEC));
  step.require(context.ok(), "fsopen ", type);
  for (const Option& option : options) {
    bool is_flag = option.value.empty();
    step.require(fsconfig(context.get(), is_flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, option.name,
                          is_flag ? nullptr : option.value.c_str(), 0) == 0,
                 "file system option ", option.name);
  }
  step.require(fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0, "new file system ", type);
  UniqueFd mount(fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  step.require(mount.ok(), "fsmount ", type);
  return mount;
}

std::string octal(uint32_t mode) {
  std::string digits;
  for (; mode != 0 || digits.empty(); mode >>= 3) digits.insert(digits.begin(), static_cast<char>('0' + (mode & 7)));
  return digits;
}

// A node of these names must be the kernel's device of that number: a bound look-alike would take what is written to
// it.
bool is_expected_device(const std::string& target, const struct stat& status) {
  struct KnownDevice {
    std::string_view target;
    unsigned major, minor;
  };
  constexpr KnownDevice kKnown[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                                    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
  if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) return S_ISDIR(status.st_mode);
  for (const KnownDevice& known : kKnown) {
    if (target == known.target) return status.st_rdev == makedev(known.major, known.minor);
  }
  return true;
}

// The planner's path is canonical: whatever is a symlink now was put there since, so it stops the start.
UniqueFd open_canonical(const Step& step, const std::string& path) {
  UniqueFd fd = open_at(AT_FDCWD, path.c_str(), O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  step.require(fd.ok(), path);
  return fd;
}

// What is changed goes to `upper` and nowhere else: no link, redirection or index leads out of it. It is mounted over
// its own directory, in this namespace alone, for older kernels copy no part of a mount that is nowhere.
UniqueFd new_overlay(const Step& step, const Overlay& overlay) {
  constexpr const char* kLayers[] = {"lowerdir", "upperdir", "workdir"};
  UniqueFd layers[] = {open_canonical(step, overlay.lower), open_canonical(step, overlay.directory + "/upper"),
                       open_canonical(step, overlay.directory + "/work")};
  std::vector<Option> options{
      {"userxattr", ""}, {"redirect_dir", "nofollow"}, {"metacopy", "off"}, {"index", "off"}, {"xino", "off"}};
  for (size_t i = 0; i < std::size(layers); ++i) {
    options.push_back({kLayers[i], "/proc/self/fd/" + std::to_string(layers[i].get())});
  }
  UniqueFd mount = new_filesystem(step, "overlay", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  UniqueFd place = open_canonical(step, overlay.directory);
  step.require(move_mount(mount.get(), "", place.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0,
               "attach overlay");
  return mount;
}

// `source` in the overlay, where a program may have changed everything since.
UniqueFd open_in_overlay(const Step& step, int mount, const Overlay& overlay, const std::string& source) {
  std::string rest = source == overlay.lower ? "." : source.substr(std::min(overlay.lower.size() + 1, source.size()));
  UniqueFd fd = open_at(mount, rest.c_str(), O_PATH, kBeneath);
  step.require(fd.ok(), source);
  return fd;
}

void check_source(const Step& step, const Node& node, int fd) {
  struct stat status {};
  step.require(fstat(fd, &status) == 0, node.source);
  if (S_ISDIR(status.st_mode) == node.is_file) step.fail(node.source + " is not what it was", EBUSY);
  if (node.device && !is_expected_device(node.target, status)) {
    step.fail(node.source + " is not the device of that name", ENODEV);
  }
}

}  // namespace

UniqueFd new_tmpfs(const Step& step, const TmpfsOptions& options, uint64_t attributes) {
  std::vector<Option> chosen{{"size", std::to_string(options.size)}, {"mode", octal(options.mode)}};
  if (options.inodes != 0) chosen.push_back({"nr_inodes", std::to_string(options.inodes)});
  UniqueFd mount = new_filesystem(step, "tmpfs", chosen, attributes);
  // Without its limits it would take the machine's memory.
  struct statfs made {};
  struct stat root {};
  step.require(fstatfs(mount.get(), &made) == 0 && fstat(mount.get(), &root) == 0, "look at tmpfs");
  auto block = static_cast<uint64_t>(made.f_bsize);
  bool as_asked = made.f_blocks == (options.size + block - 1) / std::max<uint64_t>(block, 1) &&
                  (options.inodes == 0 || made.f_files == options.inodes) && (root.st_mode & 07777) == options.mode;
  if (!as_asked) step.fail("tmpfs is not as asked for", EINVAL);
  return mount;
}

UniqueFd new_proc(const Step& step) {
  return new_filesystem(step, "proc", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

UniqueFd new_devpts(const Step& step) {
  std::vector<Option> options;
  for (const DevptsOption& option : kDevptsOptions) options.push_back({option.name, option.value});
  return new_filesystem(step, "devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

UniqueFd clone_mount(const Step& step, int fd, uint64_t attributes, const std::string& name) {
  UniqueFd tree(
      static_cast<int>(open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE)));
  step.require(tree.ok(), "copy mount ", name);
  struct mount_attr change {};
  change.attr_set = attributes;
  change.propagation = MS_PRIVATE;
  step.require(mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change) == 0,
               "mount flags of ", name);
  return tree;
}

void write_new_file(const Step& step, int directory, const std::string& name, uint32_t mode,
                    const std::string& content) {
  UniqueFd file = open_at(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, kBeneath, mode);
  step.require(file.ok(), name);
  step.require(write_all(file.get(), content), name);
  struct stat status {};
  step.require(fstat(file.get(), &status) == 0, name);
  if (static_cast<size_t>(status.st_size) != content.size()) step.fail(name + ": it is not written", EIO);
}

uint64_t mount_attributes(const Node& node) {
  uint64_t attributes = MOUNT_ATTR_NOSUID;
  if (!node.device) attributes |= MOUNT_ATTR_NODEV;
  if (!node.writable) attributes |= MOUNT_ATTR_RDONLY;
  if (!node.executable) attributes |= MOUNT_ATTR_NOEXEC;
  return attributes;
}

std::vector<UniqueFd> prepare_mounts(const Step& step, const std::vector<Node>& nodes, const Overlay& overlay) {
  std::vector<UniqueFd> mounts(nodes.size());
  auto open_all = [&](NodeKind kind, const auto& open) {
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].kind != kind) continue;
      UniqueFd source = open(nodes[i].source);
      check_source(step, nodes[i], source.get());
      mounts[i] = clone_mount(step, source.get(), mount_attributes(nodes[i]), nodes[i].source);
    }
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    // A fresh proc can be had only while another one is in view.
    if (nodes[i].kind == NodeKind::proc) mounts[i] = new_proc(step);
  }
  open_all(NodeKind::bind, [&](const std::string& path) { return open_canonical(step, path); });
  // These come last, for they are mounted in the tree that the others are copied from.
  if (!overlay.lower.empty()) {
    UniqueFd copy = new_overlay(step, overlay);
    open_all(NodeKind::overlay,
             [&](const std::string& path) { return open_in_overlay(step, copy.get(), overlay, path); });
  }
  prepare_workshop(step, nodes, mounts);
  return mounts;
}

}  // namespace sbox
