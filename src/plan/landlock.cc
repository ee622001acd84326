#include <algorithm>
#include <map>

#include "base/strings.h"
#include "plan/draft.h"
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

}  // namespace

Landlock landlock_for(const Inputs& in, const std::vector<Node>& nodes) {
  Landlock landlock;
  landlock.abi = in.host.landlock_abi();
  landlock.handled = handled_by(landlock.abi);
  constexpr uint32_t kFirstAbiWithScopes = 6;
  if (landlock.abi >= kFirstAbiWithScopes) landlock.scoped = kScopeAbstractSocket | kScopeSignal;
  std::map<std::string, uint64_t, PathOrder> rules;
  rules["/"] = kReadDirectory;
  for (const Node& node : nodes) {
    bool is_generated = node.kind == NodeKind::file || node.kind == NodeKind::follow;
    // A rule for the directory serves all that is generated in it, a file that is replaced, and what is bound read-only
    // beside it: fewer rules, and no more access than the mounts give.
    std::string path = is_generated && parent_of(node.target) != "/" ? parent_of(node.target) : node.target;
    uint64_t access = is_generated ? kRead | kExecute : access_for(node);
    // /proc/self/mem writes to memory whatever its protection is.
    if (node.kind == NodeKind::proc && in.profile.flag(Key::process_write_xor_execute)) access &= ~kWriteFile;
    if (access) rules[path] |= access;
  }
  for (const auto& [path, access] : rules) {
    uint64_t rights = access & landlock.handled;
    uint64_t inherited = 0;
    for (std::string_view above = path; above != "/";) {
      above = above.substr(0, std::max<size_t>(above.rfind('/'), 1));
      if (auto rule = rules.find(above); rule != rules.end()) inherited |= rule->second;
    }
    if (rights & ~inherited) landlock.rules.push_back({path, rights});
  }
  return landlock;
}

}  // namespace sbox
