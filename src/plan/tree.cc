#include "plan/tree.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kOfEverySandbox[] = "sbox";

bool shows_host(const Node& node) {
  return node.kind == NodeKind::bind || node.kind == NodeKind::overlay || node.kind == NodeKind::pin;
}

class Arranger {
 public:
  explicit Arranger(const Host& host) : host_(host) {}

  // `entries` in the order of their paths.
  std::vector<Node> run(const std::vector<Entry*>& entries) {
    nodes_.reserve(2 * entries.size());
    for (Entry* entry : entries) add(*entry);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      Node& node = nodes_[i];
      bool has_children = i + 1 < nodes_.size() && is_below(nodes_[i + 1].target, node.target);
      bool has_source = node.kind == NodeKind::bind || node.kind == NodeKind::overlay || node.kind == NodeKind::follow;
      if (!has_source) node.source.clear();
      if (node.kind == NodeKind::hide) node.mode = has_children ? 0111 : 0;
    }
    return std::move(nodes_);
  }

 private:
  // Takes the node out of the entry.
  void add(Entry& entry) {
    Node& node = entry.node;
    while (!above_.empty() && !is_below(node.target, nodes_[above_.back()].target)) above_.pop_back();
    const Node* around = above_.empty() ? nullptr : &nodes_[above_.back()];
    if (!is_needed(entry, around)) return;
    std::vector<Node> between;
    if (around && shows_host(*around)) {
      node.make_target = !is_own_place(node, *around);
      guard(node, *around);
      if (around->writable && !(node.kind == NodeKind::bind && node.writable)) between = pins(node, *around);
    } else if (!around || around->kind != NodeKind::proc) {
      between = directories(node, around);
    }
    for (Node& each : between) insert(std::move(each));
    insert(std::move(node));
  }

  // Without its cover the program would see there what the host has, with the rights of what is around.
  void guard(Node& node, const Node& around) const {
    bool is_less_without = node.make_target || (node.kind == NodeKind::bind && node.writable);
    if (is_less_without || !is_part_of(NodeKind::bind)) return;
    node.guarded = true;
    // Sockets go with the program that made them.
    node.required = around.writable && host_.status(node.source).kind != FileKind::socket;
  }

  // What is below the node may be there already, when it is a pin.
  void insert(Node node) {
    auto place = nodes_.end();
    while (place != nodes_.begin() && is_below(std::prev(place)->target, node.target)) --place;
    above_.push_back(static_cast<size_t>(place - nodes_.begin()));
    nodes_.insert(place, std::move(node));
  }

  // Whether what surrounds the node would show the same host path there.
  static bool is_own_place(const Node& node, const Node& around) {
    return node.source == shown_at(around, node.target);
  }

  bool is_needed(Entry& entry, const Node* around) const {
    switch (entry.node.kind) {
      case NodeKind::hide:
        return hides_something(entry, around);
      case NodeKind::bind:
      case NodeKind::overlay:
        return shows_something(entry, around);
      case NodeKind::tmpfs:
        return covers_something(entry, around);
      default:
        return !around || !shows_host(*around);
    }
  }

  bool hides_something(Entry& entry, const Node* around) const {
    if (!around || !(around->kind == NodeKind::proc || shows_host(*around))) return false;
    Node& node = entry.node;
    if (!is_own_place(node, *around)) return false;
    FileKind kind = host_.status(node.source).kind;
    if (kind != FileKind::missing && kind != FileKind::unreachable) {
      node.is_file = kind != FileKind::directory;
      return true;
    }
    bool is_written = entry.origin.file != kOfEverySandbox;
    // The plan makes sbox's own directories. Others cannot be made on the host from inside, but they can appear there.
    if (is_of_overlay() && kind == FileKind::missing && !is_written) return true;
    if (around->writable && !is_of_overlay()) throw could_be_made(entry, *around);
    // Who wrote the line relies on it; what sbox hides by itself may be missing.
    if (is_written && kind == FileKind::missing) throw could_appear(entry, *around);
    return false;
  }

  bool shows_something(const Entry& entry, const Node* around) const {
    const Node& node = entry.node;
    bool same = around && shows_host(*around) && is_own_place(node, *around);
    if (!entry.exists) {
      if (same && around->writable && !is_of_overlay()) throw could_be_made(entry, *around);
      return false;
    }
    bool is_overlay = node.kind == NodeKind::overlay;
    return !same || around->writable != node.writable || node.device || is_overlay != is_of_overlay();
  }

  bool is_of_overlay() const { return is_part_of(NodeKind::overlay); }

  // Whether what surrounds the next node is a part of such a one: a pin is of what it lies in.
  bool is_part_of(NodeKind kind) const {
    auto is_pin = [&](size_t i) { return nodes_[i].kind == NodeKind::pin; };
    auto around = std::find_if_not(above_.rbegin(), above_.rend(), is_pin);
    return around != above_.rend() && nodes_[*around].kind == kind;
  }

  // A tmpfs names no host path of its own: it covers whatever is there.
  bool covers_something(Entry& entry, const Node* around) const {
    Node& node = entry.node;
    if (!around || !shows_host(*around)) return true;
    if (is_own_place(node, *around) && host_.status(node.source).kind != FileKind::directory) {
      if (entry.placed) return false;
      throw Error("tmpfs " + quote(node.target), "no such directory, and it lies below " + quote(around->target))
          .at(entry.origin)
          .hint("make the directory first");
    }
    return true;
  }

  static Error could_be_made(const Entry& entry, const Node& around) {
    return Error(quote(entry.node.source), "does not exist, and the program could make it, for " +
                                               quote(around.target) + " is writable (" + around.origin + ")")
        .at(entry.origin)
        .hint("make it first");
  }

  static Error could_appear(const Entry& entry, const Node& around) {
    std::string why = "does not exist, and what is made there later would be seen, for ";
    return Error("hide = " + quote(entry.node.source),
                 why + quote(around.target) + " is granted (" + around.origin + ")")
        .at(entry.origin)
        .hint("make it first, or hide the directory it is to be in");
  }

  // The paths between the node and what is around it, outermost first.
  static std::vector<std::string> paths_between(const Node& node, const Node* around) {
    std::vector<std::string> paths;
    const std::string end = around ? around->target : "/";
    for (std::string path = parent_of(node.target); path != end && path != "/"; path = parent_of(path)) {
      paths.push_back(path);
    }
    std::reverse(paths.begin(), paths.end());
    return paths;
  }

  static std::vector<Node> pins(const Node& node, const Node& around) {
    std::vector<Node> nodes;
    for (std::string& path : paths_between(node, &around)) {
      Node& pin = nodes.emplace_back();
      pin.kind = NodeKind::pin;
      pin.source = *shown_at(around, path);
      pin.target = std::move(path);
      pin.writable = true;
      pin.make_target = node.make_target;
      pin.guarded = node.guarded;
      pin.origin = node.origin;
    }
    return nodes;
  }

  static std::vector<Node> directories(const Node& node, const Node* around) {
    std::vector<Node> nodes;
    for (std::string& path : paths_between(node, around)) {
      Node& directory = nodes.emplace_back();
      directory.kind = NodeKind::directory;
      directory.target = std::move(path);
      directory.origin = node.origin;
    }
    return nodes;
  }

  const Host& host_;
  std::vector<Node> nodes_;    // in the order of their paths
  std::vector<size_t> above_;  // of nodes_: at and around the one that came last, outermost first
};

}  // namespace

const Entry* covering(const Entries& entries, std::string_view path) {
  for (;;) {
    auto found = entries.find(path);
    if (found != entries.end()) return &found->second;
    if (path == "/") return nullptr;
    path = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  }
}

const Node* node_showing(const Plan& plan, std::string_view path) {
  const Node* best = nullptr;
  for (const Node& node : plan.nodes) {
    if (node.kind != NodeKind::pin && is_at_or_below(path, node.target)) best = &node;
  }
  return best;
}

std::optional<std::string> shown_at(const Node& node, const std::string& path) {
  if (node.kind == NodeKind::proc) return path;
  if (!shows_host(node)) return std::nullopt;
  return rebase(path, node.target, node.source);
}

std::vector<Node> arrange(Entries&& entries, const Host& host) {
  std::vector<Entry*> ordered;
  ordered.reserve(entries.size());
  for (auto& [target, entry] : entries) ordered.push_back(&entry);
  std::sort(ordered.begin(), ordered.end(),
            [](const Entry* a, const Entry* b) { return PathOrder()(a->node.target, b->node.target); });
  return Arranger(host).run(ordered);
}

}  // namespace sbox
