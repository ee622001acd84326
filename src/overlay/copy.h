// Copies what programs have left in an overlay, as it is: for snapshots.
#pragma once

#include <cstdint>

namespace sbox {

struct Copied {
  uint64_t files = 0, bytes = 0;  // as SnapshotFacts has them
};

// Copies all that is in the directory `from` to the empty directory `to` of the same file system: files with their
// holes, attributes, times and further names, symlinks as such, the marks by which the overlay knows what is gone.
// Set-id bits are dropped. Blocks are shared where the file system can. Preconditions: nobody writes there; `to` is the
// caller's alone. Error, with the path, where something cannot be read, is a device, or lies too deep.
Copied copy_layer(int from, int to);

// What a copy would hold; what cannot be looked into counts as nothing.
Copied count_layer(int from);

}  // namespace sbox
