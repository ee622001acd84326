#include <algorithm>

#include "base/strings.h"
#include "plan/network.h"
#include "plan/paths.h"
#include "plan/seccomp.h"

namespace sbox {
namespace {

constexpr char kTun[] = "/dev/net/tun", kHelper[] = "/sbox-network", kRules[] = "/rules", kResolver[] = "/resolver";
// Not at its usual path, by which AppArmor would know it: the profile of Debian's package lets pasta open the network
// of another process by /run or /proc/PID/ns alone. It is confined by its tree, namespaces and filter here.
constexpr char kPasta[] = "/pasta", kFaster[] = ".avx2";
// Addresses of the sandbox's own: of networks for private use that nobody else is likely to have chosen.
constexpr char kAddress4[] = "10.183.17.2", kGateway4[] = "10.183.17.1", kAddress6[] = "fd73:626f:7800::2",
               kGateway6[] = "fd73:626f:7800::1";
// Made up too: by itself pasta shows that of the host, and learns that of the sandbox from what the program sends
// first.
constexpr char kHardware[] = "02:73:62:6f:78:02", kGatewayHardware[] = "02:73:62:6f:78:01";
constexpr char kNameServer[] = "127.0.0.53";  // where sbox-network listens

// The words of resolv.conf(5) that do not say whom to ask.
std::string resolv_conf(const Inputs& in) {
  std::string text = "nameserver " + std::string(kNameServer) + "\n",
              host = in.host.read("/etc/resolv.conf").value_or("");
  for (const std::string& line : split(host, '\n')) {
    bool is_kept = line.starts_with("search ") || line.starts_with("domain ") || line.starts_with("options ");
    if (is_kept && !has_control(line)) text += line + "\n";
  }
  return text;
}

// Ports that lead to as many on the other loopback.
struct Opening {
  PortRange ports;
  int shift = 0;  // to the port over there

  PortRange there() const {
    return {static_cast<uint16_t>(ports.first + shift), static_cast<uint16_t>(ports.last + shift)};
  }
};

// Of one protocol, between the loopbacks of this machine and of the sandbox.
struct Openings {
  std::vector<Opening> inward;   // ports of this machine
  std::vector<Opening> outward;  // the same on both
};
struct AllOpenings {
  Openings tcp, udp;
};

std::optional<unsigned> common_port(const PortRange& a, const PortRange& b) {
  unsigned first = std::max(a.first, b.first);
  return first <= std::min(a.last, b.last) ? std::optional(first) : std::nullopt;
}

Error of_line(Key key, const Value& value, const std::string& why) {
  return Error("network " + std::string(setting(key).name) + " = " + value.text, why).at(value.origin);
}

template <typename Action>
void for_each(Protocol protocol, AllOpenings& all, Action&& action) {
  if (protocol != Protocol::udp) action(all.tcp);
  if (protocol != Protocol::tcp) action(all.udp);
}

void open_loopback_of_host(const Profile& profile, AllOpenings& all) {
  auto open = [&](const Destination& destination) {
    for_each(destination.protocol, all, [&](Openings& openings) { openings.outward.push_back({destination.ports}); });
  };
  std::optional<Proxy> proxy = proxy_of(profile);
  if (proxy && proxy->destination.kind == Destination::Kind::localhost) open(proxy->destination);
  for (const Value& value : profile.list(Key::network_connect)) {
    std::string why;
    Destination destination = *parse_destination(value.text, why);
    if (destination.kind != Destination::Kind::localhost) continue;
    if (destination.ports.is_all()) {
      throw of_line(Key::network_connect, value, "names no port").hint("name one, as in localhost:5432");
    }
    open(destination);
  }
}

// A port of a loopback has one end on the other.
void publish(Key key, const Value& value, const Opening& added, Openings& openings) {
  for (const Opening& own : openings.outward) {
    std::optional<unsigned> port = common_port(added.ports, own.ports);
    if (!port) port = common_port(added.there(), own.ports);
    if (!port) continue;
    throw of_line(key, value, "port " + std::to_string(*port) + " of localhost is this machine's, by connect or proxy")
        .hint("forward another port");
  }
  for (const Opening& known : openings.inward) {
    std::optional<unsigned> port = common_port(added.ports, known.ports);
    if (!port || known.shift == added.shift) continue;
    throw of_line(key, value,
                  "port " + std::to_string(*port) + " of this machine leads to port " +
                      std::to_string(static_cast<int>(*port) + known.shift) + " already")
        .hint("choose another port");
  }
  openings.inward.push_back(added);
}

void publish_all(const Profile& profile, AllOpenings& all) {
  auto add = [&](Key key, const Value& value, Protocol protocol, const Opening& opening) {
    for_each(protocol, all, [&](Openings& openings) { publish(key, value, opening, openings); });
  };
  std::string why;
  for (const Value& value : profile.list(Key::network_listen)) {
    Listening listening = *parse_listening(value.text, why);
    add(Key::network_listen, value, listening.protocol, {listening.ports});
  }
  for (const Value& value : profile.list(Key::network_forward)) {
    Forwarding forwarding = *parse_forwarding(value.text, why);
    add(Key::network_forward, value, forwarding.protocol,
        {{forwarding.host_port, forwarding.host_port}, forwarding.port - forwarding.host_port});
  }
}

AllOpenings openings_of(const Profile& profile) {
  AllOpenings all;
  open_loopback_of_host(profile, all);
  publish_all(profile, all);
  return all;
}

// Each direction is said, since what pasta does by itself is to lead from one loopback to the other. It takes each port
// once, as "PORTS" or "PORT:PORT" behind the address that it is bound to.
void add_ports(std::vector<std::string>& argv, const char* option, std::vector<Opening> openings,
               const std::string& address) {
  std::sort(openings.begin(), openings.end(), [](auto& a, auto& b) { return a.ports.first < b.ports.first; });
  std::vector<Opening> merged;
  for (const Opening& next : openings) {
    bool is_alike = !merged.empty() && merged.back().shift == next.shift;
    bool goes_on = is_alike && (next.shift == 0 ? merged.back().ports.last + 1 >= next.ports.first
                                                : merged.back().ports == next.ports);
    if (goes_on) {
      merged.back().ports.last = std::max(merged.back().ports.last, next.ports.last);
    } else {
      merged.push_back(next);
    }
  }
  for (const Opening& each : merged) {
    std::string text = address + std::to_string(each.ports.first);
    if (each.ports.first != each.ports.last) text += "-" + std::to_string(each.ports.last);
    if (each.shift != 0) text += ":" + std::to_string(each.there().first);
    argv.insert(argv.end(), {option, text});
  }
  if (merged.empty()) argv.insert(argv.end(), {option, "none"});
}

std::vector<std::string> pasta_command(const Inputs& in) {
  std::vector<std::string> argv = {kHelper, "{ready}", kPasta};
  for (const char* option : {"--foreground", "--quiet", "--stderr", "--config-net", "--no-netns-quit", "--no-map-gw",
                             "--no-dhcp", "--no-dhcpv6", "--no-ra", "--ns-ifname", "eth0"}) {
    argv.push_back(option);
  }
  argv.insert(argv.end(), {"--address", kAddress4, "--netmask", "255.255.255.252", "--gateway", kGateway4});
  argv.insert(argv.end(), {"--address", kAddress6, "--gateway", kGateway6});
  argv.insert(argv.end(), {"--ns-mac-addr", kHardware, "--mac-addr", kGatewayHardware});
  AllOpenings openings = openings_of(in.profile);
  // Of the two loopbacks it is that of IPv4, which clients of `localhost` try too.
  const std::string loopback = "127.0.0.1/";
  add_ports(argv, "--tcp-ports", openings.tcp.inward, loopback);
  add_ports(argv, "--udp-ports", openings.udp.inward, loopback);
  add_ports(argv, "--tcp-ns", openings.tcp.outward, "");
  add_ports(argv, "--udp-ns", openings.udp.outward, "");
  return argv;
}

// The directory that holds the host's resolv.conf, since a new one takes the place of the old; the file in it.
std::string place_resolver(const Inputs& in, MountView& view) {
  Resolved file = in.host.resolve("/etc/resolv.conf");
  if (!in.profile.list(Key::network_dns).empty() || file.status.kind != FileKind::file) return "";
  view.place(make_bind(parent_of(file.path), kResolver, false, false));
  return join(kResolver, base_name(file.path));
}

// It looks for one that is built for more of today's processors beside it.
void place_pasta(const Inputs& in, const std::string& pasta, MountView& view) {
  view.place(make_bind(in.host.resolve(pasta).path, kPasta, false, true));
  Resolved faster = in.host.resolve(pasta + kFaster);
  if (faster.status.kind == FileKind::file)
    view.place(make_bind(faster.path, std::string(kPasta) + kFaster, false, true));
}

std::vector<Node> tree_of_helper(const Inputs& in, const std::string& pasta) {
  MountView view = view_for_helper(in);
  place_pasta(in, pasta, view);
  Resolved prefix = in.host.resolve(in.request.prefix);
  view.place(make_bind(join(join(prefix.path, prefix.rest), "libexec/sbox/sbox-network"), kHelper, false, true));
  Node tun = make_bind(kTun, kTun, false, true);
  tun.device = true;
  view.place(std::move(tun));
  view.place(make_node(NodeKind::proc, "/proc"));
  view.place(make_node(NodeKind::directory, "/tmp"));  // where pasta makes its own, empty root
  std::string resolver = place_resolver(in, view);
  view.place(make_file(kRules, network_rules(in.profile, {kAddress4, kAddress6}, resolver)));
  return std::move(view).nodes();
}

// What is beside the proxy would be another way out.
void refuse_ways_past_proxy(const Profile& profile) {
  for (Key key : {Key::network_connect, Key::network_dns}) {
    if (profile.list(key).empty()) continue;
    throw of_line(key, profile.list(key).front(), "goes past the proxy").hint("take it out, or the proxy");
  }
}

// Programs have no other way to know of it. Names are for the proxy to look up.
void announce_proxy(const Inputs& in, Draft& draft) {
  std::optional<Proxy> proxy = proxy_of(in.profile);
  if (!proxy) return;
  refuse_ways_past_proxy(in.profile);
  std::string host = proxy->destination.kind == Destination::Kind::localhost ? "127.0.0.1" : proxy->destination.host;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  std::string url = (proxy->scheme == "socks5" ? "socks5h" : "http") + ("://" + host) + ":" +
                    std::to_string(proxy->destination.ports.first);
  for (const char* name : {"ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"}) {
    draft.environment[name] = url;
  }
  for (const char* name : {"NO_PROXY", "no_proxy"}) draft.environment[name] = "localhost,127.0.0.1,::1";
}

}  // namespace

void check_private_network(const Profile& profile) {
  if (proxy_of(profile)) refuse_ways_past_proxy(profile);
  openings_of(profile);
}

void plan_private_network(const Inputs& in, Draft& draft, const Value& mode) {
  std::optional<std::string> pasta = trusted_program(in, "pasta");
  if (!pasta) {
    throw Error("network mode = private", "there is no pasta").at(mode.origin).hint("install the package passt");
  }
  if (in.host.status(kTun).kind != FileKind::character_device) {
    throw Error("network mode = private", "there is no " + std::string(kTun)).at(mode.origin).hint("sudo modprobe tun");
  }
  announce_proxy(in, draft);
  Helper helper = new_helper(in, "sbox-network", pasta_command(in));
  helper.network = true;
  helper.log = in.profile.flag(Key::network_log);
  helper.nodes = tree_of_helper(in, *pasta);
  helper.filters = load_filters(network_helper_policy(), join(in.request.prefix, "lib/sbox/filters"));
  draft.plan.helpers.push_back(std::move(helper));
  draft.view.place(make_file("/etc/resolv.conf", resolv_conf(in)));
}

}  // namespace sbox
