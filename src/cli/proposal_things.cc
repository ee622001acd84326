#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "base/strings.h"
#include "cli/proposer.h"
#include "plan/bus_rules.h"
#include "plan/paths.h"
#include "profile/dangers.h"

namespace sbox {
namespace {

using learn::BusUse;
using learn::Trail;

constexpr std::string_view kNotifications = "org.freedesktop.Notifications";

struct SocketRow {
  std::string_view pattern;  // of the path inside; PATH* is all that begin so
  std::string_view block;    // that brings it, "" for none
  Key key;                   // else
  std::string_view what;
};
constexpr SocketRow kSockets[] = {
    {"/tmp/.X11-unix/X*", "lib/gui", Key::display_x11, "opened windows by"},
    {"@/tmp/.X11-unix/X*", "lib/gui", Key::display_x11, "opened windows by"},
    {"${RUNTIME}/wayland-*", "lib/gui", Key::display_wayland, "opened windows by"},
    {"${RUNTIME}/pulse/*", "lib/audio", Key::audio_playback, "played by"},
    {"/run/cups/cups.sock", "", Key::desktop_printing, "spoke to the print server by"},
    {"/run/pcscd/pcscd.comm", "", Key::devices_smart_cards, "spoke to smart cards by"},
};

bool matches(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return pattern == path;
  return path.starts_with(pattern.substr(0, pattern.size() - 1));
}

void look_at_sockets(Needs& needs) {
  for (const auto& [path, trail] : needs.lesson().evidence.sockets) {
    if (!trail.error.empty() && trail.error != "EINPROGRESS" && trail.error != "EAGAIN") continue;
    std::string shown =
        is_below(path, needs.places().runtime) ? "${RUNTIME}/" + rest_below(path, needs.places().runtime) : path;
    for (const SocketRow& row : kSockets) {
      if (!matches(row.pattern, shown)) continue;
      Reason reason{std::string(row.what), path, trail};
      row.block.empty() ? needs.add(row.key, "yes", reason) : needs.add_block(row.block, reason);
    }
  }
}

constexpr char kTooMuch[] = "it gives more than a sandbox should have";

std::string member_of(const BusUse& use) { return use.interface + "." + use.member; }

// What was asked of the session bus while learning, against what the learning profile gives.
class BusNeeds {
 public:
  explicit BusNeeds(Needs& needs) : needs_(needs), rules_(session_bus_rules(needs.lesson().profile)) {}

  void run() {
    using Kind = BusUse::Kind;
    each(Kind::call, &BusNeeds::look_at_call);
    // Without a bus a program is its own first instance and hears nothing; with one it must be able to have its name.
    if (!is_used_) return;
    each(Kind::hear, &BusNeeds::look_at_signal);
    each(Kind::own, &BusNeeds::look_at_name);
  }

 private:
  void each(BusUse::Kind kind, void (BusNeeds::*look)(const BusUse& use, const Trail& trail)) {
    for (const auto& [use, trail] : needs_.lesson().evidence.bus) {
      if (use.kind == kind) (this->*look)(use, trail);
    }
  }

  bool is_given(const BusUse& use) const {
    std::string_view single = use.kind == BusUse::Kind::hear ? "broadcast" : "call";
    return std::any_of(rules_.begin(), rules_.end(), [&](const BusRule& rule) {
      bool speaks_of_it = rule.policy == "talk" || rule.policy == single;
      return speaks_of_it && rule.allows(use.name, member_of(use), use.path);
    });
  }

  void look_at_call(const BusUse& use, const Trail& trail) {
    Reason reason{"called", use.name + " " + member_of(use), trail};
    std::string method = use.name + "=" + member_of(use) + "@" + use.path;
    if (use.is_system) return needs_.leave(Key::dbus_system_call, method, reason, "no system bus was there");
    if (!is_given(use)) {
      std::string not_given = "it was not given while learning; `-s dbus.talk+=" + use.name + "` gives it";
      return needs_.leave(Key::dbus_call, method, reason, is_dangerous_bus_name(use.name) ? kTooMuch : not_given);
    }
    is_used_ = true;
    if (use.name == kNotifications) return needs_.add_block("lib/notifications", reason);
    needs_.add(Key::dbus_session, "filtered", reason);
    needs_.add(Key::dbus_call, method, reason);
  }

  void look_at_signal(const BusUse& use, const Trail& trail) {
    if (use.is_system || !is_given(use)) return;
    // What its methods and signals are is in the block.
    if (use.name == kNotifications || use.interface.empty() || use.member.empty()) return;
    std::string signal = use.name + "=" + member_of(use) + (use.path.empty() ? "" : "@" + use.path);
    needs_.add(Key::dbus_broadcast, signal, {"listened for", member_of(use), trail});
  }

  void look_at_name(const BusUse& use, const Trail& trail) {
    if (use.is_system) return;
    Reason reason{"took the name", use.name, trail};
    is_dangerous_bus_name(use.name) ? needs_.leave(Key::dbus_own, use.name, reason, kTooMuch)
                                    : needs_.add(Key::dbus_own, use.name, reason);
  }

  Needs& needs_;
  const std::vector<BusRule> rules_;
  bool is_used_ = false;
};

void look_at_network(Needs& needs) {
  auto is_own = [](const std::string& address) {
    return address.starts_with("127.") || address == "::1" || address == "0.0.0.0" || address == "::";
  };
  std::set<std::string> visited;
  for (const auto& [endpoint, trail] : needs.lesson().evidence.endpoints) {
    Reason reason{"connected to", learn::destination_text(endpoint), trail};
    if (endpoint.name.empty() && is_own(endpoint.address)) {
      if (trail.error.empty() || trail.error == "EINPROGRESS") continue;
      needs.leave(Key::network_connect,
                  (endpoint.is_tcp ? "tcp localhost:" : "udp localhost:") + std::to_string(endpoint.port), reason,
                  "nothing of its own serves there; this line would lead to this machine");
      continue;
    }
    visited.insert(endpoint.name);
    needs.add(Key::network_mode, "private", reason);
    needs.add(Key::network_connect, learn::destination_text(endpoint), reason);
  }
  for (const auto& [name, trail] : needs.lesson().evidence.names) {
    if (!visited.contains(name))
      needs.leave(Key::network_connect, name, {"asked for the address of", name, trail}, "it did not connect there");
  }
  for (const auto& [endpoint, trail] : needs.lesson().evidence.listens) {
    std::string ports = (endpoint.is_tcp ? "tcp " : "udp ") + std::to_string(endpoint.port);
    needs.leave(Key::network_listen, ports, {"bound", ports, trail}, "only needed where others are to reach it");
  }
}

// "[seccomp] allow = ptrace"
std::optional<Element> element_in(std::string_view line) {
  if (!line.starts_with('[') || line.find("] ") == std::string_view::npos) return std::nullopt;
  std::string_view section = line.substr(1, line.find(']') - 1);
  line.remove_prefix(line.find("] ") + 2);
  std::string_view name = take_part(line, ' ');
  const Setting* row = find_setting(section, name);
  if (row == nullptr || !line.starts_with("= ")) return std::nullopt;
  return Element{row->key, std::string(line.substr(2))};
}

void look_at_denials(Needs& needs) {
  for (const DeniedCall& denied : needs.lesson().denied) {
    std::string call = denied.denial.call + "(" + denied.denial.arguments + ")";
    Reason reason{"was denied", call, {denied.by, denied.denial.call, denied.count, "EPERM"}};
    std::optional<Element> element = element_in(denied.denial.remedy);
    if (!element) {
      needs.remark("It was denied " + call + ", which no line allows.");
    } else if (element->key != Key::seccomp_allow || is_dangerous_line(*element)) {
      needs.leave(element->key, element->value, reason, "it gives more than this call");
    } else if (needs.lesson().succeeded) {
      needs.leave(element->key, element->value, reason, "the program did without");
    } else {
      needs.add(element->key, element->value, reason);
    }
  }
}

}  // namespace

void look_at_things(Needs& needs) {
  look_at_sockets(needs);
  BusNeeds(needs).run();
  look_at_network(needs);
  look_at_denials(needs);
}

}  // namespace sbox
