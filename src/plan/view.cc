#include "plan/view.h"

#include <algorithm>
#include <tuple>

#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

const char* name_of(Access access) {
  constexpr const char* kNames[] = {"hide", "read-only", "overlay", "read-write", "tmpfs"};
  return kNames[static_cast<int>(access)];
}

struct Forbidden {
  std::string_view path;
  bool below_too;  // what lies below is as little a thing of files
  bool tmpfs_too;
  const char* hint;
};

constexpr Forbidden kForbidden[] = {
    {"/", false, true, "name the directories that the program needs"},
    {"/proc", true, true, "every sandbox has its own /proc"},
    {"/sys", false, true, "name the files of /sys that the program needs, or use [devices]"},
    {"/dev/shm", true, true, "every sandbox has its own /dev/shm"},
    {"/dev", true, true, "use [devices] allow"},
    {"/etc", false, true, "use [system] etc for single entries"},
    {"/run", false, true, "name the single sockets or files that the program needs"},
    {"/run/user", false, true, "name the single sockets or files that the program needs"},
    {"/var/run", false, true, "name the single sockets or files that the program needs"},
    {"/tmp", false, false, "every sandbox has its own /tmp; name single files of the host's"},
};

// Null where the path may be in a sandbox in this way.
const Forbidden* forbidden(const std::string& path, Access access) {
  bool hides = access == Access::hide;
  for (const Forbidden& row : kForbidden) {
    bool matches = path == row.path || (row.below_too && !hides && is_below(path, row.path));
    bool applies = hides ? path == "/" || path == "/proc" || path == "/dev" : access != Access::tmpfs || row.tmpfs_too;
    if (matches && applies) return &row;
  }
  return nullptr;
}

Error refusal(Access access, const std::string& path, const Origin& origin, const std::string& why,
              const std::string& hint) {
  return Error(std::string(name_of(access)) + " = " + quote(path), why).at(origin).hint(hint);
}

constexpr char kIsPolicy[] = "holds the rules of sbox itself", kIsAll[] = "would change the sandbox as a whole";
constexpr char kTakeOff[] = "take it off the list";

constexpr int kRankOfTmpfs = 4;

int rank(const Node& node) {
  switch (node.kind) {
    case NodeKind::hide:
      return 0;
    case NodeKind::bind:
      return node.writable ? 3 : 1;
    case NodeKind::overlay:
      return 2;
    case NodeKind::tmpfs:
      return kRankOfTmpfs;
    default:
      return kRankOfTmpfs + 1;
  }
}

Node node_for(const Grant& grant, const std::string& path, const std::string& target, FileKind kind) {
  Node node;
  node.target = target;
  node.source = path;
  node.origin = grant.origin.text();
  node.is_file = kind != FileKind::directory && kind != FileKind::missing;
  switch (grant.access) {
    case Access::hide:
      node.kind = NodeKind::hide;
      break;
    case Access::tmpfs:
      node = make_tmpfs(target, grant.size, 0755);
      node.source = path;
      node.origin = grant.origin.text();
      break;
    case Access::read_only:
    case Access::read_write:
      node.kind = NodeKind::bind;
      node.writable = grant.access == Access::read_write;
      break;
    case Access::overlay:
      node.kind = NodeKind::overlay;
      node.writable = true;
  }
  return node;
}

}  // namespace

void check_written(Access access, const Value& value) {
  constexpr std::string_view kHome = "${HOME}";
  std::string path = value.text.starts_with(kHome) ? "~" + value.text.substr(kHome.size()) : value.text;
  for (const char* policy : {"~/.config/sbox", "~/.local/share/sbox", "/etc/sbox"}) {
    if (!is_at_or_below(path, policy) || access == Access::hide) continue;
    throw refusal(access, value.text, value.origin, kIsPolicy, kTakeOff);
  }
  if (const Forbidden* row = forbidden(path, access))
    throw refusal(access, value.text, value.origin, kIsAll, row->hint);
}

struct MountView::Found {
  const Grant& grant;
  std::string path;    // on the host, canonical
  std::string target;  // inside
  FileStatus status;
  std::vector<Link> links;
};

MountView::MountView(const Host& host, const Places& places, const std::string& prefix) : host_(host), places_(places) {
  constexpr size_t kUsualGrants = 128, kUsualEntries = 256;
  grants_.reserve(kUsualGrants);
  placed_.reserve(kUsualEntries);
  policy_ = policy_directories(host, places);
  for (const char* part : {"bin/sbox", "libexec/sbox", "lib/sbox", "share/sbox"}) {
    if (!prefix.empty()) programs_.push_back(join(host.resolve(prefix).path, part));
  }
}

void MountView::refuse_forbidden(const Grant& grant, const std::string& path) const {
  auto refuse = [&](const std::string& why, const std::string& hint) {
    return refusal(grant.access, grant.path, grant.origin, why, hint);
  };
  for (const std::string& policy : policy_) {
    if (is_at_or_below(path, policy) && grant.access != Access::hide) {
      throw refuse(kIsPolicy, kTakeOff);
    }
  }
  bool writes = grant.access != Access::hide && grant.access != Access::read_only;
  for (const std::string& program : programs_) {
    if (writes && is_at_or_below(path, program)) throw refuse("is a part of sbox itself", kTakeOff);
  }
  bool is_runtime = path == places_.runtime || path == places_.host_runtime;
  if (is_runtime && grant.access != Access::tmpfs) {
    throw refuse("holds the sockets of the whole session", "name the single sockets that the program needs");
  }
  if (const Forbidden* row = forbidden(path, grant.access)) throw refuse(kIsAll, row->hint);
}

std::string MountView::inside(const std::string& host_path) const {
  bool moves = !places_.host_runtime.empty() && is_below(host_path, places_.host_runtime);
  return moves ? rebase(host_path, places_.host_runtime, places_.runtime) : host_path;
}

void MountView::grant(Grant grant) {
  refuse_forbidden(grant, grant.path);
  grants_.push_back(std::move(grant));
}

bool MountView::grants_files() const {
  return std::any_of(grants_.begin(), grants_.end(), [](const Grant& grant) {
    return grant.strength != Strength::offered && grant.access != Access::hide && grant.access != Access::tmpfs;
  });
}

void MountView::place(Node node) {
  std::string target = node.target;
  placed_.insert_or_assign(target, Entry{std::move(node), true, true, {"sbox", 0}});
}

MountView::Found MountView::find(const Grant& grant) const {
  Resolved resolved = host_.resolve(grant.path);
  // Without a link on the way it is where it is named.
  std::optional<std::string> path = grant.path;
  if (!resolved.links.empty() || resolved.rest.find("..") != std::string::npos) {
    path = normalise(join(resolved.path, resolved.rest));
    if (!path) throw Error(quote(grant.path), "leads to a missing directory and back").at(grant.origin);
    refuse_forbidden(grant, *path);
  }
  std::string target = inside(*path);
  Found found{grant, std::move(*path), std::move(target), resolved.status, std::move(resolved.links)};
  auto is_of_home = [&](const Link& link) { return is_below(link.path, places_.home_canonical); };
  bool crosses_home = std::any_of(found.links.begin(), found.links.end(), is_of_home);
  if (private_home_ && crosses_home && is_below(found.grant.path, places_.home)) {
    // The links of the real home are not in the private one, and none is put there: the program could redirect it.
    found.target = rebase(found.grant.path, places_.home, places_.home_canonical);
  }
  return found;
}

// A link is as good as its owner, for the owner can send it elsewhere at any time.
std::optional<Error> MountView::link_fault(const Entries& entries, const Found& found) const {
  for (const Link& link : found.links) {
    auto fault = [&](const std::string& why) {
      return Error(quote(found.grant.path), "leads through the symlink " + quote(link.path) + ", " + why)
          .at(found.grant.origin)
          .hint("name " + quote(found.path) + " itself");
    };
    if (link.uid != 0 && link.uid != host_.uid()) return fault("which belongs to another user");
    std::string place = inside(parent_of(link.path));
    const Entry* around = covering(entries, place);
    bool is_visible = around && shown_at(around->node, place) == parent_of(link.path);
    if (is_visible && around->node.writable) {
      return fault("which the program could replace: " + quote(around->node.target) + " is writable (" +
                   around->node.origin + ")");
    }
  }
  return std::nullopt;
}

void MountView::check_links(const Entries& entries, const Found& found) const {
  if (std::optional<Error> fault = link_fault(entries, found)) throw *fault;
}

void MountView::add_links(Entries& entries, const Found& found) const {
  if (found.target != inside(found.path) || found.grant.access == Access::hide) return;
  for (const Link& link : found.links) {
    Node node = make_symlink(inside(link.path), link.target);
    node.origin = found.grant.origin.text();
    std::string target = node.target;
    entries.emplace(target, Entry{std::move(node), true, true, found.grant.origin});
  }
}

bool MountView::is_shown_already(const Entries& entries, const Found& found) const {
  const Entry* around = covering(entries, found.target);
  if (!around) return false;
  if (around->node.target == found.target) return true;
  if (around->node.kind == NodeKind::hide) return found.grant.strength == Strength::argument;
  bool same = shown_at(around->node, found.target) == found.path;
  // What is named on the command line to be changed is changed on the host.
  bool is_copy = around->node.kind == NodeKind::overlay && found.grant.strength == Strength::argument;
  return same && ((around->node.writable && !is_copy) || found.grant.access == Access::read_only);
}

void MountView::insert(Entries& entries, const Found& found) const {
  const Grant& grant = found.grant;
  Entry entry{node_for(grant, found.path, found.target, found.status.kind), true, false, grant.origin};
  entry.exists = found.status.kind != FileKind::missing;
  auto present = entries.find(found.target);
  if (present == entries.end()) {
    entries.emplace(found.target, std::move(entry));
    return;
  }
  Entry& other = present->second;
  bool both_written = !other.placed && other.origin != entry.origin;
  if (both_written && (rank(other.node) == kRankOfTmpfs) != (rank(entry.node) == kRankOfTmpfs) && rank(other.node) &&
      rank(entry.node)) {
    throw Error(std::string(name_of(grant.access)) + " = " + quote(grant.path),
                "the same path is also something else at " + other.origin.text())
        .at(grant.origin)
        .hint("take it off one of the lists");
  }
  auto key = [](const Entry& e) { return std::tuple(rank(e.node), !e.exists, e.placed, e.origin.file, e.origin.line); };
  if (key(entry) < key(other)) other = std::move(entry);
}

// Editors save by renaming a new file over the old one, which nobody can do to a mount. Where they can make no new file
// they write into the old one; so a file of the command line stands in a directory that takes no others. Not in a
// hidden directory of the home, where the program has files of its own.
void MountView::close_parent(Entries& entries, const Found& found) const {
  const Grant& grant = found.grant;
  bool is_edited = grant.strength == Strength::argument && grant.access == Access::read_write;
  if (!is_edited || found.status.kind != FileKind::file) return;
  std::string parent = parent_of(found.target);
  const Entry* around = covering(entries, parent);
  const std::string& home = places_.home_canonical;
  bool is_hidden = is_below(parent, home) && parent.find("/.", home.size()) != std::string::npos;
  if (is_hidden || !around || !around->node.writable || around->node.target == parent) return;
  if (shown_at(around->node, parent) == parent_of(found.path)) return;
  constexpr uint64_t kRoomForMountPoints = 1 << 20;
  Node node = make_tmpfs(parent, kRoomForMountPoints, 0555);
  node.origin = grant.origin.text();
  entries.emplace(parent, Entry{std::move(node), true, true, grant.origin});
}

// Neither a read-only mount nor Landlock keeps a program from connecting to a socket that it can see.
void MountView::hide_sockets(Entries& entries) const {
  for (const std::string& socket : sockets_) {
    // Gone by now, or another user's that leads nowhere: nothing to refuse a start for.
    if (host_.resolve(socket).status.kind != FileKind::socket) continue;
    Grant hide{socket, Access::hide, Strength::offered, {"sbox", 0}, 0};
    Found found = find(hide);
    const Entry* around = covering(entries, found.target);
    if (around && around->node.target != found.target) insert(entries, found);
  }
}

void MountView::protect_policy(Entries& entries) const {
  Grant hide{"", Access::hide, Strength::written, {"sbox", 0}, 0};
  for (const std::string& policy : policy_) {
    hide.path = policy;
    if (!places_.host_runtime.empty() && is_below(policy, places_.host_runtime)) continue;
    Found found = find(hide);
    check_links(entries, found);
    insert(entries, found);
  }
  // The real one, where it lies in something that is granted: its sockets are all that a session has.
  if (places_.host_runtime.empty() || places_.host_runtime == places_.runtime) return;
  insert(entries, Found{hide, places_.host_runtime, places_.host_runtime, {FileKind::directory, 0700, 0, 0}, {}});
}

void MountView::protect_programs(Entries& entries) const {
  for (const std::string& program : programs_) {
    const Entry* around = covering(entries, program);
    if (!around || !around->node.writable || shown_at(around->node, program) != program) continue;
    Grant keep{program, Access::read_only, Strength::written, {"sbox", 0}, 0};
    refuse_forbidden(keep, program);
    Found found = find(keep);
    check_links(entries, found);
    insert(entries, found);
  }
}

bool MountView::is_wanted(const Entries& entries, const Found& found) const {
  const Grant& grant = found.grant;
  FileKind kind = found.status.kind;
  if (grant.strength != Strength::written) {
    if (kind == FileKind::missing || kind == FileKind::unreachable) return false;
    return grant.strength == Strength::argument || !link_fault(entries, found);
  }
  if (grant.access == Access::hide || grant.access == Access::tmpfs) return true;
  auto refuse = [&](const char* why) {
    return Error(std::string(name_of(grant.access)) + " = " + quote(grant.path), why).at(grant.origin);
  };
  if (kind == FileKind::unreachable) throw refuse("permission denied");
  bool is_device = kind == FileKind::character_device || kind == FileKind::block_device;
  if (is_device) throw refuse("is a device").hint("use [devices] allow");
  // What is to be read-only is not let go yet: the program must not be able to make it.
  return kind != FileKind::missing || grant.access == Access::read_only;
}

std::vector<Node> MountView::nodes() && {
  std::vector<const Grant*> grants;
  grants.reserve(grants_.size());
  for (const Grant& grant : grants_) grants.push_back(&grant);
  std::sort(grants.begin(), grants.end(), [](const Grant* a, const Grant* b) {
    auto key = [](const Grant* g) { return std::tie(g->strength, g->path, g->access, g->origin.file, g->origin.line); };
    return key(a) < key(b);
  });
  Entries entries = std::move(placed_);
  std::vector<Found> linked;
  for (const Grant* grant : grants) {
    Found found = find(*grant);
    if (!is_wanted(entries, found)) continue;
    bool is_shown = found.grant.strength != Strength::written && is_shown_already(entries, found);
    if (!is_shown) {
      close_parent(entries, found);
      insert(entries, found);
    }
    if (!found.links.empty()) linked.push_back(std::move(found));
  }
  hide_sockets(entries);
  protect_programs(entries);
  // Only now is it known what is writable.
  for (const Found& found : linked) check_links(entries, found);
  for (const Found& found : linked) add_links(entries, found);
  for (const std::string& path : passed_) {
    if (path == "/") continue;
    entries.emplace(path, Entry{make_node(NodeKind::directory, path), true, true, {"sbox", 0}});
  }
  protect_policy(entries);
  return arrange(std::move(entries), host_);
}

Node make_node(NodeKind kind, std::string target) {
  Node node;
  node.kind = kind;
  node.target = std::move(target);
  node.origin = "sbox";
  return node;
}

Node make_file(std::string target, std::string content) {
  Node node = make_node(NodeKind::file, std::move(target));
  node.content = std::move(content);
  node.is_file = true;
  node.mode = 0644;
  return node;
}

Node make_symlink(std::string target, std::string content) {
  Node node = make_node(NodeKind::symlink, std::move(target));
  node.content = std::move(content);
  return node;
}

Node make_bind(std::string source, std::string target, bool writable, bool is_file) {
  Node node = make_node(NodeKind::bind, std::move(target));
  node.source = std::move(source);
  node.writable = writable;
  node.is_file = is_file;
  return node;
}

Node make_tmpfs(std::string target, uint64_t size, uint32_t mode) {
  constexpr uint64_t kBytesPerInode = 8192, kFewestInodes = 1024;
  Node node = make_node(NodeKind::tmpfs, std::move(target));
  node.size = size;
  node.inodes = std::max(kFewestInodes, size / kBytesPerInode);
  node.mode = mode;
  node.writable = true;
  node.source = node.target;
  return node;
}

}  // namespace sbox
