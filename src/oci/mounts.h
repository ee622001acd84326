// The nodes of a plan as what a runtime mounts and what is written into the bundle. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace sbox {

// Where config.json says that the root is, relative to the bundle.
inline constexpr char kRootfs[] = "rootfs";

// Of the bundle, `path` relative to it; parents come first.
struct BundleFile {
  enum class Kind { directory, file, symlink } kind{};
  std::string path;
  std::string content{};  // of a file; of a symlink: its target
  uint32_t mode = 0755;
  bool operator==(const BundleFile&) const = default;
};

struct BundleTree {
  std::vector<BundleFile> files;
  nlohmann::ordered_json mounts = nlohmann::ordered_json::array();
  std::vector<std::string> masked, read_only;  // below /proc
  std::vector<std::string> left_out;           // targets of generated files that are secrets
};

// Error for what has no place in a bundle. `mount_points`: of the host, parents first.
BundleTree bundle_tree(const Plan& plan, const std::vector<std::string>& mount_points);

}  // namespace sbox
