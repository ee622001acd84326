#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "base/strings.h"
#include "cli/proposer.h"
#include "plan/bus_rules.h"
#include "plan/paths.h"
#include "profile/lint.h"

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

void look_at_bus(Needs& needs) {
  const std::vector<BusRule> rules = session_bus_rules(needs.lesson().profile);
  auto is_given = [&](const BusUse& use) {
    std::string_view single = use.kind == BusUse::Kind::hear ? "broadcast" : "call";
    return std::any_of(rules.begin(), rules.end(), [&](const BusRule& rule) {
      bool speaks_of_it = rule.policy == "talk" || rule.policy == single;
      return speaks_of_it && rule.allows(use.name, use.interface + "." + use.member, use.path);
    });
  };
  const std::map<BusUse, Trail>& bus = needs.lesson().evidence.bus;
  bool is_used = false;
  for (const auto& [use, trail] : bus) {
    if (use.kind != BusUse::Kind::call) continue;
    Reason reason{"called", use.name + " " + use.interface + "." + use.member, trail};
    std::string method = use.name + "=" + use.interface + "." + use.member + "@" + use.path;
    if (use.is_system) {
      needs.leave(Key::dbus_system_call, method, reason, "no system bus was there");
    } else if (!is_given(use)) {
      std::string why = is_dangerous_bus_name(use.name)
                            ? "it gives more than a sandbox should have"
                            : "it was not given while learning; `-s dbus.talk+=" + use.name + "` gives it";
      needs.leave(Key::dbus_call, method, reason, why);
    } else if (use.name == kNotifications) {
      is_used = true;
      needs.add_block("lib/notifications", reason);
    } else {
      is_used = true;
      needs.add(Key::dbus_session, "filtered", reason);
      needs.add(Key::dbus_call, method, reason);
    }
  }
  for (const auto& [use, trail] : bus) {
    if (use.kind != BusUse::Kind::hear || !is_used || use.is_system || !is_given(use)) continue;
    // What its methods and signals are is in the block.
    if (use.name == kNotifications || use.interface.empty() || use.member.empty()) continue;
    std::string signal = use.name + "=" + use.interface + "." + use.member + (use.path.empty() ? "" : "@" + use.path);
    needs.add(Key::dbus_broadcast, signal, {"listened for", use.interface + "." + use.member, trail});
  }
  // Without a bus a program is its own first instance; with one it must be able to have its name.
  for (const auto& [use, trail] : bus) {
    if (use.kind != BusUse::Kind::own || use.is_system || !is_used) continue;
    Reason reason{"took the name", use.name, trail};
    is_dangerous_bus_name(use.name)
        ? needs.leave(Key::dbus_own, use.name, reason, "it gives more than a sandbox should have")
        : needs.add(Key::dbus_own, use.name, reason);
  }
}

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
  look_at_bus(needs);
  look_at_network(needs);
  look_at_denials(needs);
}

}  // namespace sbox
