// Mounts by the new mount API. Detached mounts are held by descriptor and get their flags before they are attached.
#pragma once

#include <vector>

#include "launcher/kernel.h"
#include "launcher/step.h"
#include "plan/plan.h"

namespace sbox {

struct DevptsOption {
  const char *name, *value;
};
// Of every devpts; the kernel lists them as NAME=VALUE, among others.
inline constexpr DevptsOption kDevptsOptions[] = {{"mode", "620"}, {"ptmxmode", "666"}, {"max", "256"}};

struct TmpfsOptions {
  uint64_t size = 0;    // bytes
  uint64_t inodes = 0;  // 0: the kernel's default
  uint32_t mode = 0755;
};

// Of file systems that hold little, and are not for the program to write to.
inline constexpr uint64_t kSmallSize = 1 << 20, kFewInodes = 1024;
// Of what is shown in place of something hidden.
inline constexpr uint64_t kMaskAttributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// Detached mounts; the caller owns the result, which is always valid.
UniqueFd new_tmpfs(const Step& step, const TmpfsOptions& options, uint64_t attributes);
UniqueFd new_proc(const Step& step);
UniqueFd new_devpts(const Step& step);

// A detached copy of what `fd` (O_PATH) refers to with all its submounts, private, with the attributes of `node` set.
UniqueFd clone_mount(const Step& step, int fd, uint64_t attributes, const std::string& name);

// A new file in `directory`, of exactly `mode` where the umask is 0.
void write_new_file(const Step& step, int directory, const std::string& name, uint32_t mode,
                    const std::string& content);

// MOUNT_ATTR_* that the node asks for; nosuid always, nodev unless it is a device.
uint64_t mount_attributes(const Node& node);

// Of all bind, overlay, proc and follow nodes, and of most hide nodes (workshop.h), by node number (empty for others).
// Preconditions: still in the host's tree, in a mount namespace of its own; umask 0.
std::vector<UniqueFd> prepare_mounts(const Step& step, const std::vector<Node>& nodes, const Overlay& overlay);

}  // namespace sbox
