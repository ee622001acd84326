#include <iterator>
#include <string_view>
#include <utility>

#include "plan/network.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// linux/landlock.h as of ABI 6; older headers lack the later ones.
constexpr uint64_t kExecute = 1 << 0, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadDirectory = 1 << 3;
constexpr uint64_t kMakeCharacterDevice = 1 << 6, kMakeBlockDevice = 1 << 11;
constexpr uint64_t kFirstRights = (1 << 13) - 1;
constexpr uint64_t kRefer = 1 << 13, kTruncate = 1 << 14, kDeviceIoctl = 1 << 15;
constexpr uint64_t kScopeAbstractSocket = 1 << 0, kScopeSignal = 1 << 1;

constexpr uint64_t kRead = kReadFile | kReadDirectory;
constexpr uint64_t kFile = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceIoctl;
constexpr uint64_t kChange =
    (kFirstRights | kRefer | kTruncate) & ~(kExecute | kMakeCharacterDevice | kMakeBlockDevice);

uint64_t handled_by(uint32_t abi) {
  uint64_t handled = abi >= 1 ? kFirstRights : 0;
  if (abi >= 2) handled |= kRefer;
  if (abi >= 3) handled |= kTruncate;
  if (abi >= 5) handled |= kDeviceIoctl;
  return handled;
}

uint64_t access_for(const Node& node) {
  uint64_t run = node.executable ? kExecute : 0;
  switch (node.kind) {
    case NodeKind::bind:
    case NodeKind::overlay:
      if (node.device) return kReadFile | kWriteFile | kTruncate | kDeviceIoctl | (node.is_file ? 0 : kReadDirectory);
      return ((node.writable ? kChange : kRead) | run) & (node.is_file ? kFile : ~uint64_t{0});
    case NodeKind::tmpfs:
      return kChange | run;
    case NodeKind::devpts:
      return kRead | kWriteFile | kTruncate | kDeviceIoctl;
    case NodeKind::proc:
      return kRead | kWriteFile;
    default:
      return 0;
  }
}

// The rule for `path`, made where there is none. `rules` begin with that for / and have parents first; what comes after
// `path` lies below it.
LandlockRule& rule_at(std::vector<LandlockRule>& rules, const std::string& path) {
  auto next = rules.end();
  while (is_below(std::prev(next)->path, path)) --next;
  if (std::prev(next)->path == path) return *std::prev(next);
  return *rules.insert(next, {path, 0});
}

}  // namespace

Landlock landlock_for(const Inputs& in, const std::vector<Node>& nodes) {
  Landlock landlock;
  landlock.abi = in.host.landlock_abi();
  // No process under rules for files may mount: what is inside could not build a sandbox of its own.
  bool has_mounts = in.profile.text(Key::process_nested_sandbox) == "mounts";
  landlock.handled = has_mounts ? 0 : handled_by(landlock.abi);
  constexpr uint32_t kFirstAbiWithScopes = 6;
  if (landlock.abi >= kFirstAbiWithScopes) landlock.scoped = kScopeAbstractSocket | kScopeSignal;
  limit_ports(in, landlock);
  if (landlock.handled == 0 && landlock.scoped == 0 && landlock.handled_ports == 0) landlock.abi = 0;
  if (landlock.handled == 0) return landlock;
  std::vector<LandlockRule> rules = {{"/", kReadDirectory}};
  for (const Node& node : nodes) {
    bool is_generated = node.kind == NodeKind::file || node.kind == NodeKind::follow;
    // A rule for the directory serves all that is generated in it, a file that is replaced, and what is bound read-only
    // beside it: fewer rules, and no more access than the mounts give.
    std::string path = node.target;
    if (is_generated && parent_of(path) != "/") path = parent_of(path);
    uint64_t access = is_generated ? kRead | kExecute : access_for(node);
    // /proc/self/mem writes to memory whatever its protection is.
    if (node.kind == NodeKind::proc && in.profile.flag(Key::process_write_xor_execute)) access &= ~kWriteFile;
    if (access) rule_at(rules, path).access |= access;
  }
  // The rules around the next one, outermost first; each with what it and those around it give.
  std::vector<std::pair<std::string_view, uint64_t>> around;
  for (const auto& [path, access] : rules) {
    while (!around.empty() && !is_below(path, around.back().first)) around.pop_back();
    uint64_t inherited = around.empty() ? 0 : around.back().second;
    uint64_t rights = access & landlock.handled;
    if (rights & ~inherited) landlock.rules.push_back({path, rights});
    around.emplace_back(path, inherited | access);
  }
  return landlock;
}

}  // namespace sbox
