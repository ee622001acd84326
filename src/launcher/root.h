// The sandbox's own root: a small tmpfs that takes the place of the host's tree.
#pragma once

#include <sys/stat.h>

#include "launcher/step.h"

namespace sbox {

struct Root {
  UniqueFd fd;            // O_PATH-like descriptor of the new root mount
  uint64_t mount_id = 0;  // STATX_MNT_ID of it
};

// Stops mount events from crossing between the host and this mount namespace, both ways, for all mounts.
void make_mounts_private(const Step& step);

// Makes the tmpfs (still writable), pivots into it and lets go of the host's tree: from here on it can be reached only
// by the descriptors that are held.
Root enter_new_root(const Step& step);

// STATX_MNT_ID; 0 when it cannot be had.
uint64_t mount_id(int dir, const char* path, int flags);

}  // namespace sbox
