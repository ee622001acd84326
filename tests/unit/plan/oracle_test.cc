// Random profiles against a small oracle of the mount view: the longest path decides, and nothing protected can be
// moved.
#include <algorithm>
#include <map>
#include <random>

#include "plan/tree.h"
#include "planning.h"

namespace sbox::testing {
namespace {

constexpr Key kLists[] = {Key::files_hide, Key::files_read_only, Key::files_read_write, Key::files_tmpfs};
constexpr const char* kSights[] = {"nothing", "read-only", "read-write", "nothing"};

class Oracle : public Planning, public ::testing::WithParamInterface<int> {
 protected:
  using Lines = std::vector<std::pair<Key, std::string>>;

  Oracle() {
    std::vector<std::string> directories = {"/data"};
    for (size_t i = 0; i < directories.size() && directories.size() < 40; ++i) {
      for (const char* name : {"a", "a b", "a-c"}) directories.push_back(directories[i] + "/" + name);
    }
    for (const std::string& path : directories) {
      host.directory(path);
      host.file(path + "/f");
      paths.push_back(path);
      paths.push_back(path + "/f");
    }
  }

  Lines random_lines() {
    std::mt19937 random(static_cast<unsigned>(GetParam()));
    auto below = [&](size_t n) { return random() % n; };
    Lines lines;
    std::map<std::string, bool> is_tmpfs;
    for (size_t count = 1 + below(9); lines.size() < count;) {
      Key key = kLists[below(4)];
      std::string path = paths[below(below(2) ? 20 : paths.size())];
      bool tmpfs = key == Key::files_tmpfs;
      if (tmpfs && path.ends_with("/f")) continue;
      // A path that is both a tmpfs and the host's is refused.
      if (is_tmpfs.emplace(path, tmpfs).first->second != tmpfs) continue;
      lines.emplace_back(key, path);
    }
    return lines;
  }

  static std::string expected(const Lines& lines, const std::string& path) {
    size_t longest = 0;
    int access = 0;
    for (const auto& [key, line_path] : lines) {
      if (!is_at_or_below(path, line_path)) continue;
      int own = static_cast<int>(std::find(std::begin(kLists), std::end(kLists), key) - std::begin(kLists));
      if (line_path.size() > longest || (line_path.size() == longest && own < access)) access = own;
      longest = std::max(longest, line_path.size());
    }
    return kSights[longest ? access : 0];
  }

  static const Node* around(const Plan& plan, const std::string& path) {
    const Node* best = nullptr;
    for (const Node& node : plan.nodes) {
      if (is_at_or_below(path, node.target)) best = &node;
    }
    return best;
  }

  static std::string seen(const Plan& plan, const std::string& path) {
    const Node* node = around(plan, path);
    // A pin shows what is around it.
    while (node && node->kind == NodeKind::pin) node = around(plan, parent_of(node->target));
    if (!node || node->kind != NodeKind::bind || shown_at(*node, path) != path) return "nothing";
    return node->writable ? "read-write" : "read-only";
  }

  std::vector<std::string> paths;
};

TEST_P(Oracle, AgreesWithThePlan) {
  Lines lines = random_lines();
  set(Key::seccomp_mode, "none");
  for (const auto& [key, path] : lines) set(key, path);
  Plan p = plan();
  for (const std::string& path : paths) EXPECT_EQ(seen(p, path), expected(lines, path)) << path;
}

TEST_P(Oracle, NothingProtectedCanBeMovedAway) {
  set(Key::seccomp_mode, "none");
  for (const auto& [key, path] : random_lines()) set(key, path);
  Plan p = plan();
  for (const Node& node : p.nodes) {
    if (!is_below(node.target, "/data") || node.kind == NodeKind::directory) continue;
    const Node* above = around(p, parent_of(node.target));
    bool in_writable = above && (above->kind == NodeKind::pin || (above->kind == NodeKind::bind && above->writable));
    // What is writable itself may go wherever its surroundings go.
    if (!in_writable || (node.kind == NodeKind::bind && node.writable)) continue;
    EXPECT_EQ(above->target, parent_of(node.target)) << node.target;
  }
}

TEST_P(Oracle, HidingMoreNeverShowsMore) {
  set(Key::seccomp_mode, "none");
  Lines lines = random_lines();
  for (const auto& [key, path] : lines) set(key, path);
  Plan before = plan();
  for (const std::string& path : {paths[2], paths[7]}) {
    if (std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return l.second == path; })) continue;
    set(Key::files_hide, path);
  }
  Plan after = plan();
  for (const std::string& path : paths) {
    std::string then = seen(before, path), now = seen(after, path);
    EXPECT_TRUE(now == then || now == "nothing") << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Random, Oracle, ::testing::Range(0, 300));

}  // namespace
}  // namespace sbox::testing
