#include <algorithm>

#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr const char* kProxies[] = {"/usr/bin/xdg-dbus-proxy", "/usr/local/bin/xdg-dbus-proxy"};

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

// Trusted with the whole session, so only what root put there.
std::optional<std::string> find_proxy(const Inputs& in) {
  for (const char* path : kProxies) {
    FileStatus status = in.host.resolve(path).status;
    constexpr uint32_t kExecute = 01, kOthersWrite = 022;
    bool sound = status.uid == 0 && (status.mode & kExecute) && !(status.mode & kOthersWrite);
    if (status.kind == FileKind::file && sound) return path;
  }
  return std::nullopt;
}

struct RuleRow {
  Key key;
  const char* option;
};
constexpr RuleRow kRules[] = {
    {Key::dbus_see, "--see="}, {Key::dbus_talk, "--talk="}, {Key::dbus_own, "--own="}, {Key::dbus_call, "--call="}};

// Whether a rule gives org.freedesktop.impl.*: by itself, or as a part of all that is below a shorter name.
bool reaches_inner_portals(std::string_view rule) {
  constexpr std::string_view kInner = "org.freedesktop.impl.", kBelow = ".*";
  std::string_view name = rule.substr(0, rule.find('='));
  if (!name.ends_with(kBelow)) return name.starts_with(kInner);
  name.remove_suffix(1);
  return name.starts_with(kInner) || kInner.starts_with(name);
}

Helper proxy(const Inputs& in, const Bus& bus, const std::string& program) {
  Helper helper{
      "xdg-dbus-proxy", {program, "--fd={ready}", bus.address, "{directory}/bus", "--filter"}, in.places.runtime};
  for (const RuleRow& row : kRules) {
    for (const Value& value : in.profile.list(row.key)) {
      if (reaches_inner_portals(value.text)) {
        throw Error("dbus name " + quote(value.text), "covers the inner side of the portals").at(value.origin);
      }
      helper.argv.push_back(row.option + value.text);
    }
  }
  const std::string notifications = "--talk=org.freedesktop.Notifications";
  bool is_listed = std::find(helper.argv.begin(), helper.argv.end(), notifications) != helper.argv.end();
  if (in.profile.flag(Key::desktop_notifications) && !is_listed) helper.argv.push_back(notifications);
  return helper;
}

}  // namespace

void plan_dbus(const Inputs& in, Draft& draft) {
  const Value& session = in.profile.scalar(Key::dbus_session);
  bool notifies = in.profile.flag(Key::desktop_notifications);
  if (session.text == "no" && !notifies) return;
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
    std::optional<std::string> program = find_proxy(in);
    if (!program && in.profile.is_optional("dbus")) return;
    if (!program) {
      const Value& asked = session.text == "no" ? in.profile.scalar(Key::desktop_notifications) : session;
      throw Error("dbus session = filtered", "xdg-dbus-proxy is not installed")
          .at(asked.origin)
          .hint("install xdg-dbus-proxy");
    }
    draft.plan.helpers.push_back(proxy(in, *bus, *program));
  }
  draft.environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + target;
}

}  // namespace sbox
