#include "oci/mounts.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/contains.h"
#include "base/error.h"
#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

using nlohmann::ordered_json;

constexpr char kMasks[] = "masks", kNoDirectory[] = "masks/directory", kNoFile[] = "masks/file";
constexpr uint32_t kOfOthers = 0077;

// A runtime brings these by itself, over whatever is there.
bool is_of_runtime(const Node& node) {
  constexpr std::string_view kDevices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                           "/dev/random", "/dev/urandom", "/dev/tty"};
  return node.device && node.source == node.target && contains(kDevices, node.target);
}

std::string octal(uint32_t mode) {
  char digits[16];
  snprintf(digits, sizeof digits, "%04o", mode);
  return digits;
}

// Those of mount(8) are for the mount itself, those with an r in front for what is mounted below it too.
std::vector<std::string> flags(const Node& node, bool is_recursive) {
  std::vector<std::string> names{"nosuid"};
  if (!node.device) names.emplace_back("nodev");
  if (!node.writable) names.emplace_back("ro");
  if (!node.executable) names.emplace_back("noexec");
  if (!is_recursive) return names;
  std::vector<std::string> all = names;
  for (const std::string& name : names) all.push_back("r" + name);
  return all;
}

// What is seen at a target and below, until a later node covers it.
struct Area {
  std::string target;
  // Of the bundle, for what only this sandbox has; nothing where the host's files or none are seen.
  std::optional<std::string> place{};
  std::string source{};           // of the host, for what shows it
  std::optional<size_t> tmpfs{};  // the mount that starts with what is in `place`
};

class TreeMaker {
 public:
  TreeMaker(const Plan& plan, const std::vector<std::string>& mount_points) : plan_(plan), mount_points_(mount_points) {
    areas_.push_back({.target = "/", .place = kRootfs});
    directory(kRootfs, 0755);
    directory(kMasks, 0755);
    directory(kNoDirectory, 0);
    tree_.files.push_back({BundleFile::Kind::file, kNoFile, "", 0});
  }

  BundleTree make() {
    for (const Node& node : plan_.nodes) {
      while (!is_at_or_below(node.target, areas_.back().target)) areas_.pop_back();
      is_below(node.target, "/proc") ? add_to_proc(node) : add(node);
    }
    return std::move(tree_);
  }

 private:
  void add(const Node& node) {
    switch (node.kind) {
      case NodeKind::directory:
        if (area().place) directory(own_place(node), node.mode);
        return;
      case NodeKind::file:
      case NodeKind::follow:
        return file(node);
      case NodeKind::symlink:
        return file(BundleFile::Kind::symlink, node);
      case NodeKind::bind:
        return bind(node, node.source);
      case NodeKind::pin:
        return pin(node);
      case NodeKind::hide:
        return hide(node);
      case NodeKind::tmpfs:
        return tmpfs(node);
      case NodeKind::proc:
        return special(node, "proc", {"nosuid", "nodev", "noexec"});
      case NodeKind::devpts:
        return special(node, "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "max=256"});
      case NodeKind::overlay:
        throw no_place(node);
      case NodeKind::socket:
        return;  // nobody listens
    }
  }

  // Runtimes take no mounts there.
  void add_to_proc(const Node& node) {
    if (node.kind == NodeKind::hide) {
      tree_.masked.push_back(node.target);
    } else if (node.kind == NodeKind::pin && !node.writable) {
      tree_.read_only.push_back(node.target);
    } else {
      throw no_place(node);
    }
  }

  static Error no_place(const Node& node) {
    return Error("export", quote(node.target) + " (" + node.origin + ") cannot be in a bundle");
  }

  Area& area() { return areas_.back(); }

  // Where in the bundle it is prepared.
  std::string own_place(const Node& node) {
    if (!area().place) throw no_place(node);
    if (area().tmpfs) copy_up(*area().tmpfs);
    return join(*area().place, rest_below(node.target, area().target));
  }

  void copy_up(size_t mount) {
    ordered_json& options = tree_.mounts[mount]["options"];
    if (options.back() != "tmpcopyup") options.push_back("tmpcopyup");
  }

  void directory(std::string path, uint32_t mode) {
    tree_.files.push_back({BundleFile::Kind::directory, std::move(path), "", mode});
  }

  void file(const Node& node) {
    bool is_secret = (node.mode & kOfOthers) == 0;
    if (is_secret) return tree_.left_out.push_back(node.target);
    file(BundleFile::Kind::file, node);
  }
  void file(BundleFile::Kind kind, const Node& node) {
    tree_.files.push_back({kind, own_place(node), node.content, node.mode});
  }

  // Below what the host has, there is one, or the runtime makes it.
  void mount_point(const Node& node, bool is_file) {
    if (!area().place) return;
    if (!is_file) return directory(own_place(node), 0755);
    tree_.files.push_back({BundleFile::Kind::file, own_place(node), "", 0444});
  }

  void mount(const Node& node, const char* type, const std::string& source, std::vector<std::string> options) {
    tree_.mounts.push_back(
        {{"destination", node.target}, {"type", type}, {"source", source}, {"options", std::move(options)}});
  }

  void mount_bind(const Node& node, const std::string& source) {
    std::vector<std::string> options{node.is_file ? "bind" : "rbind", node.is_file ? "private" : "rprivate"};
    for (std::string& flag : flags(node, !node.is_file)) options.push_back(std::move(flag));
    mount(node, "none", source, std::move(options));
  }

  // Where crun 1.8 may copy mounts itself it takes an rbind for a bind: the host's files under what is mounted below
  // would come to light.
  void mount_below(const Node& node, const std::string& source) {
    for (const std::string& path : mount_points_) {
      if (!is_below(path, source)) continue;
      Node below = node;
      below.target = rebase(path, source, node.target);
      mount_bind(below, path);
    }
  }

  void bind(const Node& node, const std::string& source) {
    mount_point(node, node.is_file);
    if (!is_of_runtime(node)) mount_bind(node, source);
    mount_below(node, source);
    areas_.push_back({.target = node.target, .source = source});
  }

  // On itself: what is there is what the host has at this place.
  void pin(const Node& node) {
    if (area().source.empty()) throw no_place(node);
    bind(node, rebase(node.target, area().target, area().source));
  }

  void hide(const Node& node) {
    mount_point(node, node.is_file);
    Node mask = node;
    mask.writable = mask.executable = mask.device = false;
    if (node.is_file || node.mode == 0) {
      mount_bind(mask, node.is_file ? kNoFile : kNoDirectory);
      areas_.push_back({.target = node.target});
      return;
    }
    std::string place = join(kMasks, std::to_string(tree_.mounts.size()));
    directory(place, node.mode);
    mount_bind(mask, place);
    areas_.push_back({.target = node.target, .place = place});
  }

  // A runtime fills it from what lies below its mount point, which must not be the host's.
  void tmpfs(const Node& node) {
    mount_point(node, false);
    std::vector<std::string> options = flags(node, false);
    options.push_back("mode=" + octal(node.mode));
    options.push_back("size=" + std::to_string(node.size));
    if (node.inodes != 0) options.push_back("nr_inodes=" + std::to_string(node.inodes));
    std::optional<std::string> place;
    if (area().place) place = own_place(node);
    mount(node, "tmpfs", "tmpfs", std::move(options));
    areas_.push_back({.target = node.target, .place = std::move(place), .tmpfs = tree_.mounts.size() - 1});
  }

  void special(const Node& node, const char* type, std::vector<std::string> options) {
    mount_point(node, false);
    mount(node, type, type, std::move(options));
    areas_.push_back({.target = node.target});
  }

  const Plan& plan_;
  const std::vector<std::string>& mount_points_;
  BundleTree tree_;
  std::vector<Area> areas_;  // outermost first
};

}  // namespace

BundleTree bundle_tree(const Plan& plan, const std::vector<std::string>& mount_points) {
  return TreeMaker(plan, mount_points).make();
}

}  // namespace sbox
