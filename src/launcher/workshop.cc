#include "launcher/workshop.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

namespace sbox {
namespace {

constexpr char kNoDirectory[] = "directory";
constexpr char kNoFile[] = "file";

// Attached, since older kernels copy no part of a mount that is nowhere. And not to the root, for what is on top there
// is what the umount(2) that lets go of the host's tree would take.
constexpr char kPlace[] = "/proc";

class Workshop {
 public:
  explicit Workshop(const Step& step);
  UniqueFd mask(const Node& node) const;
  UniqueFd followed(const Node& node, size_t number) const;

 private:
  UniqueFd open(const char* name, int flags) const;
  UniqueFd make_mask(const char* name) const;

  const Step& step_;
  UniqueFd mount_, no_directory_, no_file_;
};

Workshop::Workshop(const Step& step)
    : step_(step),
      mount_(new_tmpfs(step, {.size = kSmallSize, .inodes = kFewInodes, .mode = 0700},
                       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)) {
  step_.require(move_mount(mount_.get(), "", AT_FDCWD, kPlace, MOVE_MOUNT_F_EMPTY_PATH) == 0, "workshop");
  step_.require(mkdirat(mount_.get(), kNoDirectory, 0) == 0, "workshop");
  write_new_file(step_, mount_.get(), kNoFile, 0, "");
  no_directory_ = make_mask(kNoDirectory);
  no_file_ = make_mask(kNoFile);
}

UniqueFd Workshop::open(const char* name, int flags) const {
  UniqueFd file = open_at(mount_.get(), name, flags, kBeneath);
  step_.require(file.ok(), name);
  return file;
}

// A mount of `name` on itself: its copies have the flags of a mask from the beginning.
UniqueFd Workshop::make_mask(const char* name) const {
  UniqueFd mask = clone_mount(step_, open(name, O_PATH).get(), kMaskAttributes | MOUNT_ATTR_RDONLY, "mask");
  step_.require(move_mount(mask.get(), "", mount_.get(), name, MOVE_MOUNT_F_EMPTY_PATH) == 0, "mask");
  return mask;
}

UniqueFd Workshop::mask(const Node& node) const {
  int nothing = (node.is_file ? no_file_ : no_directory_).get();
  UniqueFd mask(static_cast<int>(open_tree(nothing, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)));
  step_.require(mask.ok(), "mask");
  return mask;
}

// The file system stays writable for who holds a descriptor of the file; what is seen at the target is read-only.
UniqueFd Workshop::followed(const Node& node, size_t number) const {
  std::string name = "follow-" + std::to_string(number);
  write_new_file(step_, mount_.get(), name, 0644, node.content);
  UniqueFd writer = open(name.c_str(), O_WRONLY);
  UniqueFd shown = clone_mount(step_, open(name.c_str(), O_PATH).get(), mount_attributes(node), node.target);
  step_.require(send_message(step_.socket(), MessageKind::follow, static_cast<int64_t>(number), {}, writer.get()),
                node.target);
  return shown;
}

}  // namespace

void prepare_workshop(const Step& step, const std::vector<Node>& nodes, std::vector<UniqueFd>& mounts) {
  std::optional<Workshop> workshop;
  for (size_t i = 0; i < nodes.size(); ++i) {
    bool hides = nodes[i].kind == NodeKind::hide && !is_open_mask(nodes[i]);
    if (!hides && nodes[i].kind != NodeKind::follow) continue;
    if (!workshop) workshop.emplace(step);
    mounts[i] = hides ? workshop->mask(nodes[i]) : workshop->followed(nodes[i], i);
  }
}

}  // namespace sbox
