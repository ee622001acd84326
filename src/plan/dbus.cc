#include <algorithm>

#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kBusInside[] = "/run/bus";

struct Bus {
  std::string address;  // as D-Bus writes it
  std::string socket;   // canonical path, "" for an abstract one
};

bool is_own_socket(const Inputs& in, const Resolved& found) {
  return found.status.kind == FileKind::socket && found.status.uid == in.host.uid();
}

// One "unix:..." address of the list in DBUS_SESSION_BUS_ADDRESS.
std::optional<Bus> parse_address(const Inputs& in, const std::string& address) {
  constexpr std::string_view kPath = "unix:path=", kAbstract = "unix:abstract=";
  std::string head = address.substr(0, address.find(','));
  if (head.find_first_of("%\\") != std::string::npos || has_control(head)) return std::nullopt;
  if (head.starts_with(kAbstract) && head.size() > kAbstract.size()) return Bus{head, ""};
  if (!head.starts_with(kPath)) return std::nullopt;
  std::optional<std::string> path = normalise(head.substr(kPath.size()));
  if (!path) return std::nullopt;
  Resolved found = in.host.resolve(*path);
  if (!is_own_socket(in, found)) return std::nullopt;
  return Bus{std::string(kPath) + found.path, found.path};
}

std::optional<Bus> find_bus(const Inputs& in) {
  std::string list = in.host.variable("DBUS_SESSION_BUS_ADDRESS").value_or("");
  if (list.empty() && !in.places.host_runtime.empty()) {
    list = "unix:path=" + join(in.places.host_runtime, "bus");
  }
  for (const std::string& address : split(list, ';')) {
    if (auto bus = parse_address(in, address)) return bus;
  }
  return std::nullopt;
}

struct RuleRow {
  Key key;
  const char* option;
};
constexpr RuleRow kRules[] = {
    {Key::dbus_see, "--see="}, {Key::dbus_talk, "--talk="}, {Key::dbus_own, "--own="}, {Key::dbus_call, "--call="}};

// What a word of another section needs of the bus.
constexpr RuleRow kImplied[] = {
    {Key::desktop_notifications, "--talk=org.freedesktop.Notifications"},
    {Key::desktop_portals, "--talk=org.freedesktop.portal.Desktop"},
    {Key::desktop_portals, "--talk=org.freedesktop.portal.Documents"},
};

// Whether a rule gives org.freedesktop.impl.*: by itself, or as a part of all that is below a shorter name.
bool reaches_inner_portals(std::string_view rule) {
  constexpr std::string_view kInner = "org.freedesktop.impl.", kBelow = ".*";
  std::string_view name = rule.substr(0, rule.find('='));
  if (!name.ends_with(kBelow)) return name.starts_with(kInner);
  name.remove_suffix(1);
  return name.starts_with(kInner) || kInner.starts_with(name);
}

// The portals ask the bus who calls, which is the proxy, and take who has this file in its root for a sandboxed
// application of that name.
Node identity_for_portals(const Inputs& in) {
  std::string id = app_id(in);
  std::string text = "[Application]\nname=" + id + "\n\n[Instance]\ninstance-id=" + id + "\n";
  if (in.profile.text(Key::network_mode) != "none") text += "\n[Context]\nshared=network;\n";
  return make_file("/.flatpak-info", text);
}

// The file tree of the proxy: its program and libraries, and the bus.
std::vector<Node> tree_of_proxy(const Inputs& in, const Bus& bus) {
  MountView view = view_for_helper(in);
  if (!bus.socket.empty()) view.place(make_bind(bus.socket, kBusInside, false, true));
  if (in.profile.flag(Key::desktop_portals)) view.place(identity_for_portals(in));
  return std::move(view).nodes();
}

Helper proxy(const Inputs& in, const Bus& bus, const std::string& program) {
  std::string address = bus.socket.empty() ? bus.address : std::string("unix:path=") + kBusInside;
  Helper helper = new_helper(in, "xdg-dbus-proxy", {program, "--fd={ready}", address, "bus", "--filter"});
  helper.node = in.places.runtime;
  helper.nodes = tree_of_proxy(in, bus);
  for (const RuleRow& row : kRules) {
    for (const Value& value : in.profile.list(row.key)) {
      if (reaches_inner_portals(value.text)) {
        throw Error("dbus name " + quote(value.text), "covers the inner side of the portals").at(value.origin);
      }
      helper.argv.push_back(row.option + value.text);
    }
  }
  for (const RuleRow& row : kImplied) {
    bool is_listed = std::find(helper.argv.begin(), helper.argv.end(), row.option) != helper.argv.end();
    if (in.profile.flag(row.key) && !is_listed) helper.argv.push_back(row.option);
  }
  return helper;
}

}  // namespace

void plan_dbus(const Inputs& in, Draft& draft) {
  const Value& session = in.profile.scalar(Key::dbus_session);
  const Value* asked = session.text != "no" ? &session : nullptr;
  for (const RuleRow& row : kImplied) {
    if (!asked && in.profile.flag(row.key)) asked = &in.profile.scalar(row.key);
  }
  if (!asked) return;
  std::optional<Bus> bus = find_bus(in);
  if (!bus) return;
  std::string target = join(in.places.runtime, "bus");
  if (session.text == "full") {
    if (bus->socket.empty()) {
      throw Error("dbus session = full", "the session bus has an abstract address")
          .at(session.origin)
          .hint("use filtered");
    }
    draft.view.place(make_bind(bus->socket, target, false, true));
  } else {
    std::optional<std::string> program = trusted_program(in, "xdg-dbus-proxy");
    if (!program && in.profile.is_optional("dbus")) return;
    if (!program) {
      throw Error("dbus session = filtered", "xdg-dbus-proxy is not installed")
          .at(asked->origin)
          .hint("install xdg-dbus-proxy");
    }
    draft.plan.helpers.push_back(proxy(in, *bus, *program));
  }
  draft.environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + target;
}

}  // namespace sbox
