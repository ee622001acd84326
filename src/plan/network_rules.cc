#include <algorithm>

#include "plan/network.h"

namespace sbox {
namespace {

class Writer {
 public:
  explicit Writer(const Profile& profile) : profile_(profile) {}

  std::string text(const std::vector<std::string>& own, const std::string& resolver) {
    for (const std::string& address : own) line("own " + address);
    for (const char* net : kNeverReached) line("deny " + std::string(net) + " any any");
    for (const Destination& each : destinations(profile_, Key::network_deny)) decide("deny", each);
    std::vector<Destination> allowed = destinations(profile_, Key::network_connect);
    if (std::optional<Proxy> proxy = proxy_of(profile_)) allowed = {proxy->destination};
    for (const Destination& each : allowed) decide("allow", each);
    if (allowed.empty()) line("allow any any any");
    for (const Value& value : profile_.list(Key::network_listen)) {
      std::string why;
      Listening listening = *parse_listening(value.text, why);
      service("listen", listening.protocol, listening.ports);
    }
    for (const Value& value : profile_.list(Key::network_forward)) {
      std::string why;
      Forwarding forwarding = *parse_forwarding(value.text, why);
      service("listen", forwarding.protocol, {forwarding.port, forwarding.port});
    }
    text_ += names_;
    line(looks_up_all(allowed) ? "names all" : "names listed");
    for (const Value& server : profile_.list(Key::network_dns)) line("upstream " + server.text);
    if (!resolver.empty()) line("resolver " + resolver);
    if (profile_.flag(Key::network_log)) line("log all");
    limit(profile_.text(Key::network_bandwidth));
    line("end");
    return std::move(text_);
  }

 private:
  void line(const std::string& words) { text_ += words + "\n"; }

  void limit(const std::string& text) {
    std::string why;
    Rates rates = text.empty() ? Rates() : *parse_bandwidth(text, why);
    if (rates.down != 0) line("limit down " + std::to_string(rates.down));
    if (rates.up != 0) line("limit up " + std::to_string(rates.up));
  }

  void service(const std::string& words, Protocol protocol, const PortRange& ports) {
    std::string range = std::to_string(ports.first) + "-" + std::to_string(ports.last);
    if (ports.is_all()) range = "any";
    if (protocol == Protocol::any && ports.is_all()) return line(words + " any any");
    if (protocol != Protocol::udp) line(words + " tcp " + range);
    if (protocol != Protocol::tcp) line(words + " udp " + range);
  }

  void decide(const std::string& verdict, const Destination& destination) {
    auto write = [&](const std::string& where) {
      service(verdict + " " + where, destination.protocol, destination.ports);
    };
    switch (destination.kind) {
      case Destination::Kind::any:
        return write("any");
      case Destination::Kind::net:
        return write(destination.host + "/" + std::to_string(destination.length));
      case Destination::Kind::lan:
        for (const char* net : kPrivateNetworks) write(net);
        return;
      case Destination::Kind::name:
        names_ += "name " + std::to_string(sets_) + " " + destination.host + "\n";
        return write("@" + std::to_string(sets_++));
      case Destination::Kind::localhost:
        return;  // leads through the sandbox's own loopback
    }
  }

  // Who may go wherever a name leads has to find out where that is.
  static bool looks_up_all(const std::vector<Destination>& allowed) {
    return allowed.empty() || std::any_of(allowed.begin(), allowed.end(),
                                          [](const Destination& each) { return each.kind == Destination::Kind::any; });
  }

  const Profile& profile_;
  std::string text_, names_;
  unsigned sets_ = 0;
};

}  // namespace

std::vector<Destination> destinations(const Profile& profile, Key key) {
  std::vector<Destination> all;
  for (const Value& value : profile.list(key)) {
    std::string why;
    all.push_back(*parse_destination(value.text, why));
  }
  return all;
}

std::optional<Proxy> proxy_of(const Profile& profile) {
  std::string why;
  const std::string& text = profile.text(Key::network_proxy);
  return text.empty() ? std::nullopt : parse_proxy(text, why);
}

std::string network_rules(const Profile& profile, const std::vector<std::string>& own, const std::string& resolver) {
  return Writer(profile).text(own, resolver);
}

}  // namespace sbox
