#include "launcher/root.h"

#include <fcntl.h>

#include <cerrno>

#include "launcher/mounts.h"

namespace sbox {
namespace {

constexpr uint64_t kRootSize = 16 << 20;
constexpr uint64_t kRootInodes = 16384;

}  // namespace

void make_mounts_private(const Step& step) {
  struct mount_attr change {};
  change.propagation = MS_PRIVATE;
  step.require(mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &change, sizeof change) == 0, "private propagation");
}

uint64_t mount_id(int dir, const char* path, int flags) {
  struct statx status {};
  if (statx(dir, path, flags, STATX_MNT_ID, &status) != 0) return 0;
  return status.stx_mnt_id;
}

Root enter_new_root(const Step& step) {
  Root root;
  root.fd =
      new_tmpfs(step, {.size = kRootSize, .inodes = kRootInodes, .mode = 0755}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  step.require(move_mount(root.fd.get(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) == 0, "attach the new root");
  step.require(fchdir(root.fd.get()) == 0, "enter the new root");
  // "." twice: the host's tree is stacked on the new root for a moment and taken away, no directory for it is needed.
  step.require(pivot_root(".", ".") == 0, "pivot_root");
  step.require(umount2(".", MNT_DETACH) == 0, "let go of the host's tree");
  step.require(chdir("/") == 0, "enter the new root");
  root.mount_id = mount_id(root.fd.get(), "", AT_EMPTY_PATH);
  step.require(root.mount_id != 0, "identity of the new root");
  return root;
}

}  // namespace sbox
