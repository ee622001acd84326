#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

bool is_bound(const Node& node) { return node.kind == NodeKind::bind || node.kind == NodeKind::overlay; }

// Whether `around` shows at this place what `node` keeps back. A directory of the host cannot be renamed in an overlay
// (redirect_dir is off), and what is changed in one is no change of the host.
bool holds_back(const Node& node, const Node& around) {
  if (!is_bound(around) || !around.writable) return false;
  if (around.kind == NodeKind::overlay) return node.kind == NodeKind::hide && node.is_file;
  if (node.kind == NodeKind::hide || node.kind == NodeKind::tmpfs) return true;
  bool is_less = node.kind == NodeKind::overlay || !node.writable;
  return is_bound(node) && is_less && shown_at(around, node.target) == node.source;
}

}  // namespace

// The kernel keeps a program from renaming what is mounted upon in its own mount namespace, and in no other. Whoever
// may mount can leave this one for an empty one, with a directory held open, and would replace there what is protected,
// or give what is hidden a name by which the next start shows it.
void check_protected(const Inputs& in, const Plan& plan) {
  if (!may_mount(plan)) return;
  if (!plan.cgroup.empty()) {
    const Value& nested = in.profile.scalar(Key::process_nested_sandbox);
    throw Error("process.nested-sandbox = " + nested.text,
                plan.cgroup.front().meaning + " would not be held: who may mount can change it")
        .at(nested.origin)
        .hint("leave one of both out");
  }
  std::vector<const Node*> above;
  for (const Node& node : plan.nodes) {
    if (node.kind == NodeKind::pin) continue;
    while (!above.empty() && !is_below(node.target, above.back()->target)) above.pop_back();
    if (!above.empty() && holds_back(node, *above.back())) {
      const Value& nested = in.profile.scalar(Key::process_nested_sandbox);
      throw Error("process.nested-sandbox = " + nested.text,
                  quote(node.target) + " (" + node.origin +
                      ") would not be held: who may mount can move it away, for " + quote(above.back()->target) +
                      " is writable (" + above.back()->origin + ")")
          .at(nested.origin)
          .hint("name less to be written, or leave nested-sandbox out");
    }
    above.push_back(&node);
  }
}

}  // namespace sbox
