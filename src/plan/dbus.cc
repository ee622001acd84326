#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "plan/bus_rules.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kTeller[] = "/sbox-bus";

struct Bus {
  std::string address;  // as D-Bus writes it
  std::string socket;   // canonical path, "" for an abstract one
};

// One "unix:..." address of a list of them. `owner`: who must have made the socket.
std::optional<Bus> parse_address(const Inputs& in, const std::string& address, uint32_t owner) {
  constexpr std::string_view kPath = "unix:path=", kAbstract = "unix:abstract=";
  std::string head = address.substr(0, address.find(','));
  if (head.find_first_of("%\\") != std::string::npos || has_control(head)) return std::nullopt;
  if (head.starts_with(kAbstract) && head.size() > kAbstract.size()) return Bus{head, ""};
  if (!head.starts_with(kPath)) return std::nullopt;
  std::optional<std::string> path = normalise(head.substr(kPath.size()));
  if (!path) return std::nullopt;
  Resolved found = in.host.resolve(*path);
  if (found.status.kind != FileKind::socket || found.status.uid != owner) return std::nullopt;
  return Bus{std::string(kPath) + found.path, found.path};
}

// The first that is there of the addresses in `name`, or of `usual` where that is not set.
std::optional<Bus> find_bus(const Inputs& in, const char* name, const std::string& usual, uint32_t owner) {
  std::string list = in.host.variable(name).value_or("");
  for (const std::string& address : split(list.empty() ? usual : list, ';')) {
    if (auto bus = parse_address(in, address, owner)) return bus;
  }
  return std::nullopt;
}

std::optional<Bus> find_session_bus(const Inputs& in) {
  const std::string& runtime = in.places.host_runtime;
  std::string usual = runtime.empty() ? "" : "unix:path=" + join(runtime, "bus");
  return find_bus(in, "DBUS_SESSION_BUS_ADDRESS", usual, in.host.uid());
}

std::optional<Bus> find_system_bus(const Inputs& in) {
  return find_bus(in, "DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket", 0);
}

// The session bus would tell where it is. It has its place by the display that it was started for.
std::optional<Bus> find_accessibility_bus(const Inputs& in) {
  const std::string& runtime = in.places.host_runtime;
  std::string display = in.host.variable("DISPLAY").value_or(""), place = "unix:path=" + join(runtime, "at-spi/bus");
  std::string usual = place + "_" + display.substr(display.find(':') + 1) + ";" + place;
  return find_bus(in, "AT_SPI_BUS_ADDRESS", runtime.empty() ? "" : usual, in.host.uid());
}

// A program tells the registry of its windows and asks who listens. The rest of what the registry does is to listen
// itself, to keys too.
constexpr const char* kAccessibilityRules[] = {
    "--sloppy-names",
    "--call=org.a11y.atspi.Registry=org.a11y.atspi.Socket.Embed@/org/a11y/atspi/accessible/root",
    "--call=org.a11y.atspi.Registry=org.a11y.atspi.Socket.Unembed@/org/a11y/atspi/accessible/root",
    "--call=org.a11y.atspi.Registry=org.a11y.atspi.Registry.GetRegisteredEvents@/org/a11y/atspi/registry",
    "--call=org.a11y.atspi.Registry=org.a11y.atspi.DeviceEventController.GetKeystrokeListeners"
    "@/org/a11y/atspi/registry/deviceeventcontroller",
    "--call=org.a11y.atspi.Registry=org.a11y.atspi.DeviceEventController.GetDeviceEventListeners"
    "@/org/a11y/atspi/registry/deviceeventcontroller",
    "--call=org.a11y.atspi.Registry=org.a11y.atspi.DeviceEventController.NotifyListenersSync"
    "@/org/a11y/atspi/registry/deviceeventcontroller",
    "--call=org.a11y.atspi.Registry=org.a11y.atspi.DeviceEventController.NotifyListenersAsync"
    "@/org/a11y/atspi/registry/deviceeventcontroller",
};

// The portals ask the bus who calls, which is the proxy, and take who has this file in its root for a sandboxed
// application of that name. With the host's network they also look up names and tell who can be reached there, which
// would go past the rules of any other.
Node identity_for_portals(const Inputs& in) {
  std::string id = app_id(in);
  std::string text = "[Application]\nname=" + id + "\n\n[Instance]\ninstance-id=" + id + "\n";
  if (in.profile.text(Key::network_mode) == "host") text += "\n[Context]\nshared=network;\n";
  return make_file("/.flatpak-info", text);
}

using Rules = std::vector<std::string>;

Rules options_of(const std::vector<BusRule>& rules) {
  Rules options;
  for (const BusRule& rule : rules) options.push_back(rule.option());
  return options;
}

// A bus that the proxy serves inside: the socket `name` in the runtime directory, and there the variable for it.
struct Route {
  const char* word;  // by which sbox-bus knows it
  const Value& asked;
  Bus bus;
  std::string name;
  const char* variable;
  Rules rules;
};

std::vector<Route> find_routes(const Inputs& in) {
  std::vector<Route> routes;
  const Value* session = asks_for_session_bus(in.profile);
  const Value &system = in.profile.scalar(Key::dbus_system),
              &accessibility = in.profile.scalar(Key::desktop_accessibility);
  if (session && session->text != "full") {
    if (auto bus = find_session_bus(in)) {
      routes.push_back(
          {"session", *session, *bus, "bus", "DBUS_SESSION_BUS_ADDRESS", options_of(session_bus_rules(in.profile))});
    }
  }
  if (system.text == "filtered") {
    if (auto bus = find_system_bus(in)) {
      Rules rules = options_of(system_bus_rules(in.profile));
      routes.push_back({"system", system, *bus, "system-bus", "DBUS_SYSTEM_BUS_ADDRESS", rules});
    }
  }
  if (accessibility.text == "yes") {
    Rules rules(std::begin(kAccessibilityRules), std::end(kAccessibilityRules));
    if (auto bus = find_accessibility_bus(in)) {
      routes.push_back({"accessibility", accessibility, *bus, "at-spi-bus", "AT_SPI_BUS_ADDRESS", rules});
    }
  }
  return routes;
}

// Where the proxy finds the bus.
std::string place_in_proxy(const Route& route) { return "/run/" + route.name; }

// The file tree of the proxy: its program and libraries, and the buses. It has that for the sockets that it listens on.
std::vector<Node> tree_of_proxy(const Inputs& in, const std::vector<Route>& routes) {
  MountView view = view_for_helper(in);
  for (const Route& route : routes) {
    if (!route.bus.socket.empty()) view.place(make_bind(route.bus.socket, place_in_proxy(route), false, true));
  }
  if (in.profile.flag(Key::desktop_portals)) view.place(identity_for_portals(in));
  if (in.profile.flag(Key::dbus_log)) {
    Resolved prefix = in.host.resolve(in.request.prefix);
    view.place(make_bind(join(join(prefix.path, prefix.rest), "libexec/sbox/sbox-bus"), kTeller, false, true));
  }
  return std::move(view).nodes();
}

// Without a log one process serves all buses. With it there is one for each, since what a proxy prints does not say
// which bus it is about, and sbox-bus, which starts them and reads that.
Helper proxy(const Inputs& in, const std::vector<Route>& routes, const std::string& program) {
  bool log = in.profile.flag(Key::dbus_log);
  std::vector<std::string> alone = {program, "--fd={ready}"}, told = {kTeller, "{ready}", program};
  Helper helper = new_helper(in, "xdg-dbus-proxy", log ? told : alone);
  helper.node = in.places.runtime;
  helper.log = log;
  for (const Route& route : routes) {
    bool is_file = !route.bus.socket.empty();
    if (log) helper.argv.insert(helper.argv.end(), {"--", route.word});
    helper.argv.push_back(is_file ? "unix:path=" + place_in_proxy(route) : route.bus.address);
    helper.argv.push_back(route.name);
    helper.argv.push_back("--filter");
    if (log) helper.argv.push_back("--log");
    helper.argv.insert(helper.argv.end(), route.rules.begin(), route.rules.end());
  }
  helper.nodes = tree_of_proxy(in, routes);
  return helper;
}

void plan_full_bus(const Inputs& in, Draft& draft, const Value& asked) {
  std::optional<Bus> bus = find_session_bus(in);
  if (!bus) return;
  if (bus->socket.empty()) {
    throw Error("dbus session = full", "the session bus has an abstract address").at(asked.origin).hint("use filtered");
  }
  std::string target = join(in.places.runtime, "bus");
  draft.view.place(make_bind(bus->socket, target, false, true));
  draft.environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + target;
}

}  // namespace

void plan_dbus(const Inputs& in, Draft& draft) {
  const Value& session = in.profile.scalar(Key::dbus_session);
  if (session.text == "full") plan_full_bus(in, draft, session);
  std::vector<Route> routes = find_routes(in);
  if (routes.empty()) return;
  std::optional<std::string> program = trusted_program(in, "xdg-dbus-proxy");
  if (!program && in.profile.is_optional("dbus")) return;
  if (!program) {
    throw Error("a filtered bus", "xdg-dbus-proxy is not installed")
        .at(routes[0].asked.origin)
        .hint("install xdg-dbus-proxy");
  }
  draft.plan.helpers.push_back(proxy(in, routes, *program));
  for (const Route& route : routes) {
    std::string path = join(in.places.runtime, route.name);
    draft.environment[route.variable] = "unix:path=" + path;
    // For programs that know it by its place.
    if (&route.asked == &in.profile.scalar(Key::dbus_system)) {
      draft.view.place(make_symlink("/run/dbus/system_bus_socket", path));
    }
  }
}

}  // namespace sbox
