#include "plan/network.h"

#include <map>

#include "planning.h"

namespace sbox {
namespace {

using ::testing::HasSubstr;

class PrivateNetwork : public testing::Planning {
 protected:
  PrivateNetwork() {
    host.program("/usr/bin/pasta");
    host.node("/dev/net/tun", FileKind::character_device);
    host.file("/etc/resolv.conf", "search example.org\nnameserver 192.0.2.53\noptions edns0\n", 0);
    set(Key::network_mode, "private");
  }

  // The words of pasta's command line, with a space at each end.
  std::string command() {
    std::string text = " ";
    Plan made = plan();
    for (const std::string& word : made.helpers.at(0).argv) text += word + " ";
    return text;
  }
  std::string rules() { return network_rules(profile, {"192.0.2.2"}, "/resolver/resolv.conf"); }
};

TEST_F(PrivateNetwork, LocalhostIsIpv4AloneWhereOnlyThatIsServedOutside) {
  const std::string head = "  sl  local_address rem_address   st\n", none(32, '0');
  auto row = [](const std::string& address, const char* state) {
    return "   0: " + address + ":1538 " + std::string(address.size(), '0') + ":0000 " + state + " 00000000:00000000\n";
  };
  auto names = [&] { return find(plan(), "/etc/hosts")->content; };
  const std::string four = head + row("0100007F", "0A"), six = head + row("00000000000000000000000001000000", "0A");
  host.file("/proc/net/tcp", four, 0);
  host.file("/proc/net/tcp6", head + row(none, "01"), 0);
  EXPECT_THAT(names(), HasSubstr("::1 localhost")) << "the profile does not ask for it";
  set(Key::network_connect, "localhost:5432");
  EXPECT_THAT(names(), HasSubstr("127.0.0.1 localhost\n"));
  EXPECT_THAT(names(), HasSubstr("::1 ip6-localhost"));
  for (const auto& [tcp, tcp6] : {std::pair(four, six), {four, head + row(none, "0A")}, {head, six}, {head, head}}) {
    host.file("/proc/net/tcp", tcp, 0);
    host.file("/proc/net/tcp6", tcp6, 0);
    EXPECT_THAT(names(), HasSubstr("::1 localhost")) << tcp << tcp6;
  }
}

TEST_F(PrivateNetwork, IsBroughtByOneHelperThatSeesNothingOfTheUser) {
  Plan made = plan();
  EXPECT_TRUE(made.own_network);
  ASSERT_EQ(made.helpers.size(), 1U);
  const Helper& helper = made.helpers[0];
  EXPECT_TRUE(helper.network);
  EXPECT_EQ(helper.node, "");
  for (const Node& node : helper.nodes) {
    EXPECT_FALSE(is_at_or_below(node.target, "/home")) << node.target;
    EXPECT_FALSE(node.writable) << node.target;
  }
}

// Each of these is on where it is not switched off, and leads to the host.
TEST_F(PrivateNetwork, LeavesPastaNoWayToTheHost) {
  std::string text = command();
  for (const char* words :
       {" --tcp-ports none ", " --udp-ports none ", " --tcp-ns none ", " --udp-ns none ", " --no-map-gw "}) {
    EXPECT_NE(text.find(words), std::string::npos) << words;
  }
}

TEST_F(PrivateNetwork, OpensThePortsThatAreNamedAndNoOther) {
  set(Key::network_connect, "tcp localhost:5432");
  set(Key::network_forward, "8080:80");
  set(Key::network_forward, "udp 5353:53");
  set(Key::network_listen, "9000-9001");
  std::string text = command();
  for (const char* words :
       {" --tcp-ports 127.0.0.1/8080:80 --tcp-ports 127.0.0.1/9000-9001 --udp-ports 127.0.0.1/5353:53 ",
        " --tcp-ns 5432 ", " --udp-ns none "}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << text;
  }
}

// Lists grow, and blocks may name what the profile names too.
TEST_F(PrivateNetwork, TakesAPortTwiceForOnce) {
  for (const char* place : {"localhost:5432", "tcp localhost:5430-5433"}) set(Key::network_connect, place);
  for (const char* ports : {"8080", "8079-8081"}) set(Key::network_listen, ports);
  for (const char* ports : {"8082:8082", "9000:80", "tcp 9000:80"}) set(Key::network_forward, ports);
  std::string text = command();
  for (const char* words : {" --tcp-ports 127.0.0.1/8079-8082 --tcp-ports 127.0.0.1/9000:80 --udp-ports none ",
                            " --tcp-ns 5430-5433 --udp-ns 5432"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << text;
  }
}

TEST_F(PrivateNetwork, RefusesAPortThatWouldLeadToTwoPlaces) {
  set(Key::network_listen, "8080");
  set(Key::network_forward, "udp 8080:80");
  set(Key::network_forward, "8080:80");
  EXPECT_EQ(fault(),
            "sbox: test.profile:4: network forward = 8080:80: port 8080 of this machine leads to port 8080 already "
            "(choose another port)");
}

TEST_F(PrivateNetwork, RefusesToPublishWhatIsThisMachinesOwn) {
  set(Key::network_connect, "tcp localhost:5432");
  set(Key::network_forward, "udp 5432:80");
  EXPECT_NO_THROW(plan());
  set(Key::network_forward, "80:5432");
  EXPECT_THAT(fault(), ::testing::HasSubstr("port 5432 of localhost is this machine's, by connect or proxy"));
}

TEST_F(PrivateNetwork, PublishesNoPortThatItLeadsTo) {
  set(Key::network_proxy, "socks5://localhost:9050");
  set(Key::network_forward, "9050:80");
  EXPECT_THAT(fault(), ::testing::HasSubstr("port 9050 of localhost is this machine's, by connect or proxy"));
}

TEST_F(PrivateNetwork, NeedsAPortForTheLoopbackOfTheHost) {
  set(Key::network_connect, "localhost");
  EXPECT_EQ(fault(),
            "sbox: test.profile:2: network connect = localhost: names no port (name one, as in localhost:5432)");
}

TEST_F(PrivateNetwork, RunsPastaWhereNoProfileOfAppArmorKnowsIt) {
  host.remove("/usr/bin/pasta");
  host.program("/usr/bin/passt");
  host.program("/usr/bin/passt.avx2");
  host.link("/usr/bin/pasta", "passt", 0);
  host.link("/usr/bin/pasta.avx2", "passt.avx2", 0);
  Plan made = plan();
  EXPECT_EQ(made.helpers[0].argv[2], "/pasta");
  std::map<std::string, std::string> sources;
  for (const Node& node : made.helpers[0].nodes) sources[node.target] = node.source;
  EXPECT_EQ(sources["/pasta"], "/usr/bin/passt");
  EXPECT_EQ(sources["/pasta.avx2"], "/usr/bin/passt.avx2");
}

TEST_F(PrivateNetwork, IsRefusedWithoutWhatItNeeds) {
  host.remove("/usr/bin/pasta");
  EXPECT_NE(fault().find("there is no pasta (install the package passt)"), std::string::npos) << fault();
  host.program("/usr/bin/pasta", testing::kAnn);
  EXPECT_NE(fault().find("there is no pasta"), std::string::npos) << "not root's";
  host.program("/usr/bin/pasta");
  host.remove("/dev/net/tun");
  EXPECT_NE(fault().find("there is no /dev/net/tun"), std::string::npos) << fault();
}

TEST_F(PrivateNetwork, AsksItsOwnResolverWhichAsksTheHost) {
  Plan made = plan();
  EXPECT_EQ(find(made, "/etc/resolv.conf")->content, "nameserver 127.0.0.53\nsearch example.org\noptions edns0\n");
  const std::vector<Node>& nodes = made.helpers[0].nodes;
  auto resolver = std::find_if(nodes.begin(), nodes.end(), [](const Node& node) { return node.target == "/resolver"; });
  ASSERT_NE(resolver, nodes.end());
  EXPECT_EQ(resolver->source, "/etc");
}

TEST_F(PrivateNetwork, AllowsAllButTheHostWhereNothingIsSaid) {
  std::string text = rules();
  EXPECT_TRUE(text.starts_with("own 192.0.2.2\n")) << text;
  EXPECT_NE(text.find("\nallow any any any\nnames all\nresolver /resolver/resolv.conf\n"), std::string::npos) << text;
  for (const char* net : {"127.0.0.0/8", "169.254.0.0/16", "::/8", "fe80::/10"}) {
    EXPECT_NE(text.find("deny " + std::string(net) + " any any\n"), std::string::npos) << net;
  }
}

TEST_F(PrivateNetwork, AllowsNothingButWhatConnectNames) {
  set(Key::network_connect, "example.org:443");
  set(Key::network_connect, "tcp *.example.net");
  set(Key::network_connect, "192.0.2.0/24");
  set(Key::network_dns, "198.51.100.53");
  std::string text = rules();
  EXPECT_NE(text.find("allow @0 tcp 443-443\nallow @0 udp 443-443\nallow @1 tcp any\nallow 192.0.2.0/24 any any\n"
                      "name 0 example.org\nname 1 *.example.net\nnames listed\nupstream 198.51.100.53\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("allow any"), std::string::npos);
}

TEST_F(PrivateNetwork, PutsWhatIsDeniedBeforeWhatIsAllowed) {
  set(Key::network_connect, ":443");
  set(Key::network_deny, "lan");
  std::string text = rules();
  EXPECT_LT(text.find("deny 10.0.0.0/8 any any"), text.find("allow any tcp 443-443"));
  EXPECT_LT(text.find("deny fc00::/7 any any"), text.find("allow any tcp 443-443"));
  EXPECT_NE(text.find("names all"), std::string::npos) << "whatever a name leads to may be allowed";
}

TEST_F(PrivateNetwork, LeavesToLocalhostAloneWhatIsNamedSo) {
  set(Key::network_connect, "localhost:5432");
  EXPECT_EQ(rules().find("allow"), std::string::npos) << rules();
}

TEST_F(PrivateNetwork, LeadsToTheProxyAloneWhereThereIsOne) {
  set(Key::network_proxy, "socks5://proxy.example.org:1080");
  std::string text = rules();
  EXPECT_NE(text.find("allow @0 tcp 1080-1080\nname 0 proxy.example.org\nnames listed\n"), std::string::npos) << text;
  Plan made = plan();
  EXPECT_EQ(variable(made, "ALL_PROXY"), "socks5h://proxy.example.org:1080");
  EXPECT_EQ(variable(made, "https_proxy"), "socks5h://proxy.example.org:1080");
  set(Key::network_connect, "example.org");
  EXPECT_EQ(fault(),
            "sbox: test.profile:3: network connect = example.org: goes past the proxy (take it out, or the proxy)");
}

TEST_F(PrivateNetwork, LeadsToAProxyOnTheHostByOnePort) {
  set(Key::network_proxy, "http://localhost:8118");
  EXPECT_EQ(rules().find("allow"), std::string::npos);
  EXPECT_NE(command().find(" --tcp-ns 8118 --udp-ns none "), std::string::npos);
  EXPECT_EQ(variable(plan(), "http_proxy"), "http://127.0.0.1:8118");
}

TEST_F(PrivateNetwork, HasTheLimitsOfBandwidthThatAreSaid) {
  EXPECT_EQ(rules().find("limit"), std::string::npos);
  set(Key::network_bandwidth, "2M down, 500K up");
  EXPECT_NE(rules().find("limit down 2097152\nlimit up 512000\n"), std::string::npos) << rules();
  const std::vector<Node> nodes = plan().helpers.at(0).nodes;
  auto planned = std::find_if(nodes.begin(), nodes.end(), [](const Node& node) { return node.target == "/rules"; });
  ASSERT_NE(planned, nodes.end());
  EXPECT_NE(planned->content.find("limit up 512000\n"), std::string::npos) << "the helper gets no such rule";
  set(Key::network_bandwidth, "500K up");
  EXPECT_EQ(rules().find("limit down"), std::string::npos);
  EXPECT_NE(rules().find("limit up 512000\n"), std::string::npos);
  set(Key::network_mode, "none");
  EXPECT_TRUE(plan().helpers.empty()) << "nothing to limit";
}

class HostNetwork : public testing::Planning {
 protected:
  HostNetwork() { set(Key::network_mode, "host"); }
};

TEST_F(HostNetwork, HasNoLimitOfPortsWhereNothingIsSaid) {
  EXPECT_EQ(plan().landlock.handled_ports, 0U);
  EXPECT_TRUE(plan().landlock.ports.empty());
}

TEST_F(HostNetwork, LimitsPortsOfTcpByLandlock) {
  constexpr uint64_t kBind = 1, kConnect = 2;
  set(Key::network_connect, "tcp :443");
  set(Key::network_connect, "tcp :80-81");
  set(Key::network_connect, "udp");
  Landlock landlock = plan().landlock;
  EXPECT_EQ(landlock.handled_ports, kConnect);
  std::vector<LandlockPort> expected = {{443, kConnect}, {80, kConnect}, {81, kConnect}};
  EXPECT_EQ(landlock.ports, expected);
  set(Key::network_listen, "8080");
  landlock = plan().landlock;
  EXPECT_EQ(landlock.handled_ports, kBind | kConnect);
  EXPECT_EQ(landlock.ports.back(), (LandlockPort{8080, kBind}));
  set(Key::process_nested_sandbox, "mounts");
  EXPECT_EQ(plan().landlock.handled_ports, kBind | kConnect);
  set(Key::network_mode, "none");
  EXPECT_EQ(plan().landlock.handled_ports, 0U);
}

TEST_F(HostNetwork, RefusesWhatLandlockCannotHold) {
  struct Row {
    Key key;
    const char *value, *why;
  };
  for (const Row& row : {
           Row{Key::network_connect, "example.org:443", "only ports can be enforced"},
           Row{Key::network_connect, "192.0.2.1", "only ports can be enforced"},
           Row{Key::network_connect, ":443", "only ports of TCP can be enforced"},
           Row{Key::network_connect, "udp :53", "only ports of TCP can be enforced"},
           Row{Key::network_connect, "tcp :443", "says nothing of UDP"},
           Row{Key::network_deny, "lan", "cannot be enforced on the host's network"},
           Row{Key::network_forward, "8080:80", "cannot be enforced on the host's network"},
           Row{Key::network_dns, "192.0.2.1", "cannot be enforced on the host's network"},
           Row{Key::network_proxy, "http://localhost:80", "cannot be enforced on the host's network"},
           Row{Key::network_bandwidth, "2M down", "cannot be enforced on the host's network"},
           Row{Key::network_listen, "udp 53", "only ports of TCP can be enforced"},
       }) {
    HostNetwork::profile = Profile();
    set(Key::network_mode, "host");
    set(row.key, row.value);
    EXPECT_NE(fault().find(row.why), std::string::npos) << row.value << fault();
    EXPECT_NE(fault().find("set [network] mode = private"), std::string::npos) << row.value;
    EXPECT_TRUE(fault().starts_with("sbox: test.profile:")) << fault();
  }
}

TEST_F(HostNetwork, NeedsAKernelThatCanLimitPorts) {
  set(Key::profile_optional, "abstract-sockets");
  set(Key::network_listen, "80");
  host.set_landlock(3);
  EXPECT_NE(fault().find("this kernel cannot limit ports"), std::string::npos) << fault();
  host.set_landlock(4);
  EXPECT_EQ(fault(), "");
}

}  // namespace
}  // namespace sbox
