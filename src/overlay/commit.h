// Takes changes over from an overlay to the host. Each file is there as it was or as it is to be, never between; the
// overlay lets go of one only when it is safe on the host. What ends in the middle is gone on with by doing it again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "overlay/store.h"

namespace sbox {

struct CommitResult {
  size_t taken = 0;
  std::vector<std::pair<std::string, std::string>> left;  // path, and why it was not taken over
};

// Tells of each path as it is taken over.
using OnTaken = std::function<void(const Change&)>;

// Takes over those of `changes` (of this store, in their order) for which `wanted` is true. With `force` also where the
// host's file has changed since. Precondition: the store is locked. Error when nothing more can be done.
CommitResult commit(OverlayStore& store, const std::vector<Change>& changes,
                    const std::function<bool(const Change&)>& wanted, bool force, const OnTaken& on_taken);

// Throws those changes away for which `wanted` is true: there the overlay shows what the host has. The same
// precondition.
void discard_changes(OverlayStore& store, const std::vector<Change>& changes,
                     const std::function<bool(const Change&)>& wanted);

// Removes what a commit that was cut short has left beside the files of `changes`.
void remove_leftovers(const OverlayStore& store, const std::vector<Change>& changes);

// Makes every opaque directory one that names what it hides, so that its entries can be taken over one by one. What is
// seen through the overlay stays the same.
void name_what_is_hidden(const OverlayStore& store);

}  // namespace sbox
