#include "plan/tree.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace sbox {
namespace {

constexpr char kOfEverySandbox[] = "sbox";

using Nodes = std::map<std::string, Node, PathOrder>;

template <typename Map>
auto nearest(const Map& map, std::string_view path) {
  for (;;) {
    auto found = map.find(path);
    if (found != map.end() || path == "/") return found;
    path = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  }
}

bool shows_host(const Node& node) { return node.kind == NodeKind::bind || node.kind == NodeKind::pin; }

class Arranger {
 public:
  explicit Arranger(const Host& host) : host_(host) {}

  std::vector<Node> run(Entries&& entries) {
    for (auto& [target, entry] : entries) add(entry);
    std::vector<Node> nodes;
    nodes.reserve(nodes_.size());
    for (auto next = nodes_.begin(); next != nodes_.end(); ++next) {
      auto after = std::next(next);
      bool has_children = after != nodes_.end() && is_below(after->first, next->first);
      Node& node = nodes.emplace_back(std::move(next->second));
      if (node.kind != NodeKind::bind && node.kind != NodeKind::follow) node.source.clear();
      if (node.kind == NodeKind::hide) node.mode = has_children ? 0111 : 0;
    }
    return nodes;
  }

 private:
  // Takes the node out of the entry.
  void add(Entry& entry) {
    Node& node = entry.node;
    auto found = node.target == "/" ? nodes_.end() : nearest(nodes_, parent_of(node.target));
    const Node* around = found == nodes_.end() ? nullptr : &found->second;
    if (!is_needed(entry, around)) return;
    if (around && shows_host(*around)) {
      node.make_target = !is_own_place(node, *around);
      if (around->writable && !(node.kind == NodeKind::bind && node.writable)) pin_between(node, *around);
    } else if (!around || around->kind != NodeKind::proc) {
      make_directories(node, around);
    }
    std::string target = node.target;
    nodes_.insert_or_assign(std::move(target), std::move(node));
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
    if (around->writable) throw could_be_made(entry, *around);
    // Who wrote the line relies on it; what sbox hides by itself may be missing.
    bool is_written = entry.origin.file != kOfEverySandbox;
    if (is_written && kind == FileKind::missing) throw could_appear(entry, *around);
    return false;
  }

  static bool shows_something(const Entry& entry, const Node* around) {
    const Node& node = entry.node;
    bool same = around && shows_host(*around) && is_own_place(node, *around);
    if (!entry.exists) {
      if (same && around->writable) throw could_be_made(entry, *around);
      return false;
    }
    return !same || around->writable != node.writable || node.device;
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

  void pin_between(const Node& node, const Node& around) {
    for (std::string path = parent_of(node.target); path != around.target; path = parent_of(path)) {
      Node pin;
      pin.kind = NodeKind::pin;
      pin.target = path;
      pin.source = *shown_at(around, path);
      pin.writable = true;
      pin.make_target = node.make_target;
      pin.origin = node.origin;
      nodes_.emplace(path, pin);
    }
  }

  void make_directories(const Node& node, const Node* around) {
    std::string end = around ? around->target : "/";
    if (node.target == "/") return;
    for (std::string path = parent_of(node.target); path != end && path != "/"; path = parent_of(path)) {
      Node directory;
      directory.kind = NodeKind::directory;
      directory.target = path;
      directory.origin = node.origin;
      Node& present = nodes_.emplace(path, directory).first->second;
      // What every sandbox has is not there for the sake of one line of a profile.
      if (present.kind == NodeKind::directory && node.origin == kOfEverySandbox) present.origin = node.origin;
    }
  }

  const Host& host_;
  Nodes nodes_;
};

}  // namespace

const Entry* covering(const Entries& entries, const std::string& path) {
  auto found = nearest(entries, path);
  return found == entries.end() ? nullptr : &found->second;
}

std::optional<std::string> shown_at(const Node& node, const std::string& path) {
  if (node.kind == NodeKind::proc) return path;
  if (!shows_host(node)) return std::nullopt;
  return rebase(path, node.target, node.source);
}

std::vector<Node> arrange(Entries entries, const Host& host) { return Arranger(host).run(std::move(entries)); }

}  // namespace sbox
