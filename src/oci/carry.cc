#include "oci/carry.h"

#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "plan/paths.h"
#include "plan/syscall_groups.h"

namespace sbox {
namespace {

constexpr uint64_t kScopeAbstractSocket = 1 << 0;

Error only_sbox(const std::string& what, const std::string& why, const std::string& hint) {
  return Error("export " + what, why).hint(hint);
}

void require_limits(const Plan& plan) {
  const std::string why = "sbox holds it while the program runs, a bundle cannot";
  const std::string hint = "leave it out, or start the program by sbox";
  if (!plan.cgroup.empty()) throw only_sbox(plan.cgroup.front().meaning, why, hint);
  if (plan.seconds > 0) throw only_sbox("limits.time", why, hint);
  if (plan.nice > 0 || plan.io_priority > 0) throw only_sbox("limits.nice or limits.io-priority", why, hint);
}

// Landlock holds these alone; its rules for files are a second wall behind the mounts.
void require_no_landlock(const Plan& plan, const BundleRequest& request) {
  const Landlock& landlock = plan.landlock;
  if (landlock.handled_ports != 0) {
    throw only_sbox("network.connect, network.listen", "only Landlock closes ports of the host's network",
                    "set network.mode=none");
  }
  bool is_scoped = (landlock.scoped & kScopeAbstractSocket) != 0;
  if (!plan.own_network && is_scoped && !request.accepts_abstract_sockets) {
    throw only_sbox("network.mode = host", "only Landlock closes the host's abstract sockets",
                    "set network.mode=none, or accept it with profile.optional+=abstract-sockets");
  }
  if (landlock.handled != 0 && request.policy && request.policy->write_xor_execute) {
    throw only_sbox("process.write-xor-execute", "only Landlock closes /proc/self/mem", "leave it out");
  }
}

// sbox also sets max_user_namespaces of the sandbox to 0, which no runtime does.
void require_no_user_namespaces(const Plan& plan, const BundleRequest& request) {
  if (plan.nested_sandbox) return;
  bool are_filtered = request.policy && !allowed_calls(*request.policy).contains("unshare");
  if (are_filtered) return;
  throw only_sbox("without a filter of unshare", "nothing else in a bundle keeps user namespaces from the program",
                  "set seccomp.mode = default, and do not allow unshare");
}

void require_filter(const Plan& plan, const BundleRequest& request) {
  if (request.policy && request.policy->compat_32_bit) {
    throw only_sbox("seccomp.32-bit", "the rules of a bundle are the same for both kinds of programs", "leave it out");
  }
  bool is_same = request.policy ? compile_filters(*request.policy) == plan.filters : plan.filters.empty();
  if (!is_same) throw Error("export", "the system call filter is another than the plan's");
}

// Who can write there could change what the next start does.
void require_out_of_reach(const Plan& plan, const BundleRequest& request) {
  for (const Node& node : plan.nodes) {
    bool shows_host = node.kind == NodeKind::bind || node.kind == NodeKind::overlay;
    if (!shows_host || !node.writable) continue;
    if (!is_at_or_below(request.directory, node.source) && !is_at_or_below(node.source, request.directory)) continue;
    throw Error("export " + quote(request.directory), "the program may write in " + quote(node.source))
        .hint("name a directory that no sandbox can write");
  }
}

}  // namespace

void require_whole(const Plan& plan, const BundleRequest& request) {
  if (!plan.overlay.lower.empty()) {
    throw only_sbox("home.mode = overlay", "a bundle has no copy-on-write home", "take another home.mode");
  }
  require_limits(plan);
  require_no_landlock(plan, request);
  require_no_user_namespaces(plan, request);
  require_filter(plan, request);
  require_out_of_reach(plan, request);
}

std::vector<std::string> what_is_missing(const Plan& plan, const BundleRequest& request) {
  std::vector<std::string> notes;
  for (const Helper& helper : plan.helpers) {
    notes.push_back(helper.network ? "no network: it needs " + helper.name + " beside the program"
                                   : "nothing of " + helper.name + ": it runs beside the program");
  }
  if (!plan.own_network && (plan.landlock.scoped & kScopeAbstractSocket) != 0) {
    notes.emplace_back("the host's abstract sockets are in reach: only Landlock closes them");
  }
  for (const Node& node : plan.nodes) {
    if (!node.guarded || node.kind == NodeKind::pin) continue;
    notes.push_back("what a program outside puts in place of " + quote(node.target) + " is not covered again");
  }
  if (keeps_log(plan)) notes.emplace_back("no log of what is denied");
  if (!request.terminal) {
    notes.emplace_back("the standard streams are not relayed: standard input is no terminal");
  }
  return notes;
}

SeccompPolicy policy_without_landlock(const Plan& plan, SeccompPolicy policy) {
  if (plan.landlock.handled == 0) return policy;
  for (std::string_view call : allowed_calls(policy)) {
    if (changes_mounts(call)) policy.deny.emplace_back(call);
  }
  return policy;
}

}  // namespace sbox
