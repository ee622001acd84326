#include "plan/network.h"
#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {

namespace {

// On the host's network there is nothing that could hold to them.
void refuse_rules(const Inputs& in) {
  for (Key key :
       {Key::network_connect, Key::network_deny, Key::network_listen, Key::network_forward, Key::network_dns}) {
    if (in.profile.list(key).empty()) continue;
    const Value& value = in.profile.list(key).front();
    throw Error("network " + std::string(setting(key).name) + " = " + value.text,
                "cannot be enforced on the host's network")
        .at(value.origin)
        .hint("set [network] mode = private");
  }
}

}  // namespace

void plan_network(const Inputs& in, Draft& draft) {
  const Value& mode = in.profile.scalar(Key::network_mode);
  draft.plan.own_network = mode.text != "host";
  if (mode.text == "private") plan_private_network(in, draft, mode);
  if (draft.plan.own_network) return;
  refuse_rules(in);
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
