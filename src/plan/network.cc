#include "plan/network.h"

#include <algorithm>

#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr uint64_t kBindTcp = 1 << 0, kConnectTcp = 1 << 1;  // LANDLOCK_ACCESS_NET_*
constexpr uint32_t kFirstAbiWithPorts = 4;
constexpr size_t kMostPorts = 4096;

Error cannot_hold(Key key, const Value& value, const std::string& why) {
  return Error("network " + std::string(setting(key).name) + " = " + value.text, why)
      .at(value.origin)
      .hint("set [network] mode = private");
}

// On the host's network there is nothing that could hold to them.
void refuse_rules(const Profile& profile) {
  for (Key key : {Key::network_deny, Key::network_forward, Key::network_dns}) {
    if (profile.list(key).empty()) continue;
    throw cannot_hold(key, profile.list(key).front(), "cannot be enforced on the host's network");
  }
  for (Key key : {Key::network_proxy, Key::network_bandwidth}) {
    if (profile.text(key).empty()) continue;
    throw cannot_hold(key, profile.scalar(key), "cannot be enforced on the host's network");
  }
}

void add_ports(const PortRange& range, uint64_t access, Landlock& landlock) {
  for (unsigned port = range.first; port <= range.last; ++port) {
    landlock.ports.push_back({static_cast<uint16_t>(port), access});
  }
}

// TCP by port, and all of UDP, which has to be said since nothing could hold it.
void limit_connections(const Profile& profile, Landlock& landlock) {
  const std::vector<Value>& values = profile.list(Key::network_connect);
  if (values.empty()) return;
  bool has_udp = false;
  landlock.handled_ports |= kConnectTcp;
  for (const Value& value : values) {
    std::string why;
    Destination destination = *parse_destination(value.text, why);
    bool is_all = destination.ports.is_all();
    if (destination.kind != Destination::Kind::any) {
      throw cannot_hold(Key::network_connect, value, "only ports can be enforced on the host's network");
    }
    if (destination.protocol == Protocol::udp && is_all) {
      has_udp = true;
    } else if (destination.protocol != Protocol::tcp || is_all) {
      throw cannot_hold(Key::network_connect, value, "only ports of TCP can be enforced on the host's network");
    } else {
      add_ports(destination.ports, kConnectTcp, landlock);
    }
  }
  if (!has_udp) {
    throw Error("network connect", "says nothing of UDP, which cannot be taken away on the host's network")
        .at(values.front().origin)
        .hint("add udp to the list, or set [network] mode = private");
  }
}

void limit_listening(const Profile& profile, Landlock& landlock) {
  for (const Value& value : profile.list(Key::network_listen)) {
    std::string why;
    Listening listening = *parse_listening(value.text, why);
    if (listening.protocol != Protocol::tcp) {
      throw cannot_hold(Key::network_listen, value, "only ports of TCP can be enforced on the host's network");
    }
    landlock.handled_ports |= kBindTcp;
    add_ports(listening.ports, kBindTcp, landlock);
  }
}

// Error for what cannot be held on any host.
void hold_ports(const Profile& profile, Landlock& landlock) {
  limit_connections(profile, landlock);
  limit_listening(profile, landlock);
  const Value& mode = profile.scalar(Key::network_mode);
  if (landlock.handled_ports != 0 && profile.text(Key::seccomp_mode) == "none") {
    throw Error("network mode = host", "without a filter sockets get round the ports (TCP Fast Open, SMC)")
        .at(mode.origin)
        .hint("leave [seccomp] mode as it is, or set [network] mode = private");
  }
  if (landlock.ports.size() > kMostPorts) {
    throw Error("network mode = host", "has more than " + std::to_string(kMostPorts) + " ports")
        .at(mode.origin)
        .hint("set [network] mode = private");
  }
}

}  // namespace

void check_network(const Profile& profile) {
  const std::string& mode = profile.text(Key::network_mode);
  if (mode == "private") check_private_network(profile);
  if (mode != "host") return;
  refuse_rules(profile);
  Landlock landlock;
  hold_ports(profile, landlock);
}

void limit_ports(const Inputs& in, Landlock& landlock) {
  if (in.profile.text(Key::network_mode) != "host") return;
  hold_ports(in.profile, landlock);
  if (landlock.handled_ports == 0 || in.host.landlock_abi() >= kFirstAbiWithPorts) return;
  throw Error("network mode = host", "this kernel cannot limit ports (Landlock ABI 4)")
      .at(in.profile.scalar(Key::network_mode).origin)
      .hint("use Linux 6.7 or newer, or set [network] mode = private");
}

void plan_network(const Inputs& in, Draft& draft) {
  const Value& mode = in.profile.scalar(Key::network_mode);
  draft.plan.own_network = mode.text != "host";
  if (mode.text == "private") plan_private_network(in, draft, mode);
  if (draft.plan.own_network) return;
  refuse_rules(in.profile);
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
