#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {

void plan_network(const Inputs& in, Draft& draft) {
  const Value& mode = in.profile.scalar(Key::network_mode);
  if (mode.text == "private") {
    throw Error("network mode = private", "is not available yet").at(mode.origin).hint("use none or host");
  }
  draft.plan.own_network = mode.text == "none";
  if (draft.plan.own_network) return;
  // Abstract sockets live in the network namespace: on the host's, only Landlock keeps those of X11 and D-Bus away.
  constexpr uint32_t kFirstAbiWithScopes = 6;
  if (in.host.landlock_abi() < kFirstAbiWithScopes && !in.profile.is_optional("abstract-sockets")) {
    throw Error("network mode = host", "this kernel cannot keep abstract sockets of the host away (Landlock ABI 6)")
        .at(mode.origin)
        .hint("use Linux 6.12 or newer, or accept it with [profile] optional = abstract-sockets");
  }
  if (in.host.resolve("/etc/resolv.conf").status.kind != FileKind::file) return;
  Node node = make_node(NodeKind::follow, "/etc/resolv.conf");
  node.source = "/etc/resolv.conf";
  node.content = in.host.read(node.source).value_or("");
  node.is_file = true;
  node.mode = 0644;
  draft.view.place(std::move(node));
}

}  // namespace sbox
