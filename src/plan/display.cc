#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"
#include "plan/xauthority.h"

namespace sbox {
namespace {

constexpr char kSockets[] = "/tmp/.X11-unix/X";

// The caller's variable; an empty one counts as not set.
std::string variable(const Inputs& in, const char* name) { return in.host.variable(name).value_or(""); }

// Whether the socket is there. Error when something else is, or when another user could be behind it.
bool is_usable_socket(const Inputs& in, const std::string& what, const Resolved& found, bool root_may_own) {
  if (found.status.kind == FileKind::missing) return false;
  if (found.status.kind != FileKind::socket) throw Error(what, quote(found.path) + " is not a socket");
  bool trusted = found.status.uid == in.host.uid() || (root_may_own && found.status.uid == 0);
  if (!trusted) throw Error(what, quote(found.path) + " belongs to another user");
  return true;
}

// A display that is named and cannot be had is none, for a profile that does without.
std::nullopt_t unreachable(const Inputs& in, Error error) {
  if (in.profile.is_optional("display")) return std::nullopt;
  throw error;
}

// The canonical path of the session's Wayland socket.
std::optional<std::string> find_wayland(const Inputs& in) {
  std::string name = variable(in, "WAYLAND_DISPLAY");
  if (name.empty()) return std::nullopt;
  std::string what = "WAYLAND_DISPLAY=" + escape_control(name);
  if (name[0] != '/' && in.places.host_runtime.empty()) {
    return unreachable(in, Error(what, in.places.runtime_fault).hint("start it from a desktop session"));
  }
  std::optional<std::string> path = normalise(name[0] == '/' ? name : join(in.places.host_runtime, name));
  if (!path || has_control(*path)) throw Error(what, "is not the name of a socket");
  Resolved found = in.host.resolve(*path);
  if (!is_usable_socket(in, what, found, false)) return std::nullopt;
  return found.path;
}

bool place_wayland(const Inputs& in, Draft& draft) {
  std::optional<std::string> socket = find_wayland(in);
  std::optional<bool> confines = socket ? in.host.confines_wayland_clients(*socket) : std::nullopt;
  if (!confines) return false;
  std::string target = join(in.places.runtime, "wayland-0");
  draft.environment["WAYLAND_DISPLAY"] = "wayland-0";
  draft.environment["XDG_SESSION_TYPE"] = "wayland";
  if (*confines) {
    draft.view.place(make_node(NodeKind::socket, target));
    // Asks the compositor to hide from the program what is not for sandboxed clients: the screen, other windows' input,
    // the clipboard behind their back.
    draft.plan.helpers.push_back(own_helper(in, "sbox-wayland", *socket, {app_id(in), app_id(in)}));
    draft.plan.helpers.back().node = target;
  } else {
    draft.view.place(make_bind(*socket, target, false, true));
  }
  return true;
}

// N of ":N", "unix:N", each with an optional ".SCREEN". Nothing when the display is on another machine or badly named.
std::optional<std::string> local_display(std::string_view display) {
  constexpr size_t kMostDigits = 5;
  size_t colon = display.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = display.substr(0, colon), rest = display.substr(colon + 1);
  if (!host.empty() && host != "unix") return std::nullopt;
  size_t dot = rest.find('.');
  std::string_view number = rest.substr(0, dot);
  bool valid = number.size() <= kMostDigits && parse_number(number) &&
               (dot == std::string_view::npos || parse_number(rest.substr(dot + 1)));
  if (!valid) return std::nullopt;
  return std::string(number);
}

std::optional<XauthorityEntry> host_cookie(const Inputs& in, const std::string& number) {
  std::string file = variable(in, "XAUTHORITY");
  std::optional<std::string> path = normalise(file.empty() ? join(in.places.home, ".Xauthority") : file);
  if (!path) throw Error("XAUTHORITY=" + escape_control(file), "is not an absolute path");
  Resolved found = in.host.resolve(*path);
  if (found.status.kind != FileKind::file) return std::nullopt;
  if (found.status.uid != in.host.uid() && found.status.uid != 0) {
    throw Error("XAUTHORITY", quote(found.path) + " belongs to another user");
  }
  auto entries = parse_xauthority(in.host.read(found.path).value_or(""));
  if (!entries) throw Error("XAUTHORITY", quote(found.path) + " is not a file of X11 cookies");
  return find_cookie(*entries, in.host.hostname(), number);
}

// On the host's network the X server's abstract socket is in sight, and Landlock refuses it. libxcb tries that one
// first and takes the refusal as final, so inside the display has a number that no abstract socket has.
std::string number_inside(const Inputs& in, const std::string& number) {
  if (in.profile.text(Key::network_mode) != "host") return number;
  constexpr unsigned long long kFirstOfOurs = 1000;
  unsigned long long inside = kFirstOfOurs + *parse_number(number);
  while (in.host.status(kSockets + std::to_string(inside)).kind != FileKind::missing) ++inside;
  return std::to_string(inside);
}

// A server of this machine.
struct X11 {
  std::string number, socket;  // canonical
  std::optional<XauthorityEntry> cookie;
};

std::optional<X11> find_x11(const Inputs& in) {
  std::string display = variable(in, "DISPLAY");
  if (display.empty()) return std::nullopt;
  std::string what = "DISPLAY=" + escape_control(display);
  std::optional<std::string> number = local_display(display);
  if (!number) return unreachable(in, Error(what, "is not a display of this machine").hint("only :N is possible"));
  Resolved found = in.host.resolve(kSockets + *number);
  if (!is_usable_socket(in, what, found, true)) return std::nullopt;
  return X11{*number, found.path, host_cookie(in, *number)};
}

// A file with one cookie, which is for any host name: the sandbox has another than the host.
Node cookie_file(const std::string& target, const std::string& number, const XauthorityEntry& cookie) {
  XauthorityEntry entry{XauthorityEntry::kWild, "", number, cookie.name, cookie.data};
  Node file = make_file(target, write_xauthority({entry}));
  file.mode = 0600;
  return file;
}

void use_display(const Inputs& in, Draft& draft, const std::string& number,
                 const std::optional<XauthorityEntry>& cookie) {
  draft.environment["DISPLAY"] = ":" + number;
  draft.environment.emplace("XDG_SESSION_TYPE", "x11");
  if (!cookie) return;
  Node file = cookie_file(join(in.places.runtime, "Xauthority"), number, *cookie);
  draft.environment["XAUTHORITY"] = file.target;
  draft.view.place(file);
}

bool place_x11(const Inputs& in, Draft& draft) {
  std::optional<X11> server = find_x11(in);
  if (!server) return false;
  std::string inside = number_inside(in, server->number);
  draft.view.place(make_bind(server->socket, kSockets + inside, false, true));
  use_display(in, draft, inside, server->cookie);
  return true;
}

XauthorityEntry new_cookie(const Inputs& in) {
  constexpr size_t kDigits = 32;
  std::string digits = in.host.random_hex(kDigits), data;
  for (size_t i = 0; i < digits.size(); i += 2) {
    data += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return {XauthorityEntry::kWild, "", "", "MIT-MAGIC-COOKIE-1", data};
}

constexpr char kOwnCookie[] = "/run/cookie", kOuterCookie[] = "/run/outer-cookie";

// What any X server needs: it compiles its keyboard map by a program of its own, in /tmp.
MountView view_for_server(const Inputs& in, const std::string& number, const XauthorityEntry& cookie) {
  constexpr uint64_t kSize = 16 << 20;
  MountView view = view_for_helper(in);
  view.place(cookie_file(kOwnCookie, number, cookie));
  view.place(make_tmpfs("/tmp", kSize, 01777));
  Node null = make_bind("/dev/null", "/dev/null", false, true);
  null.device = true;
  view.place(null);
  return view;
}

// Its window is one of the session's Wayland compositor.
Helper xwayland(const Inputs& in, const std::string& program, const std::string& socket, const std::string& number,
                const XauthorityEntry& cookie) {
  Helper helper = new_helper(in, "Xwayland",
                             {program, ":" + number, "-auth", kOwnCookie, "-listenfd", "3", "-displayfd", "{ready}",
                              "-nolisten", "tcp", "-nolisten", "local", "-nolisten", "unix", "-noreset", "-shm"});
  helper.environment.insert(helper.environment.end(), {"WAYLAND_DISPLAY=wayland-0", "XDG_RUNTIME_DIR=/run"});
  MountView view = view_for_server(in, number, cookie);
  view.place(make_bind(socket, "/run/wayland-0", false, true));
  helper.nodes = std::move(view).nodes();
  return helper;
}

// Its window is one of the session's X server.
Helper xephyr(const Inputs& in, const std::string& program, const X11& outer, const std::string& number,
              const XauthorityEntry& cookie) {
  Helper helper = new_helper(
      in, "Xephyr",
      {program, ":" + number, "-auth", kOwnCookie, "-displayfd", "{ready}", "-nolisten", "tcp", "-nolisten", "local",
       "-nolisten", "unix", "-noreset", "-screen", "1280x800", "-resizeable", "-title", "sbox: " + in.profile.name()});
  // The socket is handed over as systemd does it; the server is process 1 of its namespace.
  helper.environment.insert(helper.environment.end(), {"DISPLAY=:" + outer.number, "LISTEN_FDS=1", "LISTEN_PID=1"});
  MountView view = view_for_server(in, number, cookie);
  view.place(make_bind(outer.socket, kSockets + outer.number, false, true));
  if (outer.cookie) {
    helper.environment.push_back(std::string("XAUTHORITY=") + kOuterCookie);
    view.place(cookie_file(kOuterCookie, outer.number, *outer.cookie));
  }
  helper.nodes = std::move(view).nodes();
  return helper;
}

// An X server of the sandbox's own, in a window of the session.
bool place_nested_x11(const Inputs& in, Draft& draft) {
  std::optional<std::string> wayland = find_wayland(in);
  std::optional<X11> outer = find_x11(in);
  if (!wayland && !outer) return false;
  std::optional<std::string> xwayland_program = trusted_program(in, "Xwayland");
  std::optional<std::string> xephyr_program = trusted_program(in, "Xephyr");
  std::string number = number_inside(in, "0");
  XauthorityEntry cookie = new_cookie(in);
  Helper helper;
  if (wayland && xwayland_program) {
    helper = xwayland(in, *xwayland_program, *wayland, number, cookie);
  } else if (outer && xephyr_program) {
    helper = xephyr(in, *xephyr_program, *outer, number, cookie);
  } else {
    throw Error("display x11 = nested", "there is no X server to start")
        .hint(wayland ? "install xwayland" : "install xserver-xephyr");
  }
  helper.node = kSockets + number;
  draft.view.place(make_node(NodeKind::socket, helper.node));
  draft.plan.helpers.push_back(std::move(helper));
  use_display(in, draft, number, cookie);
  return true;
}

}  // namespace

void plan_display(const Inputs& in, Draft& draft) {
  bool wants_wayland = in.profile.flag(Key::display_wayland);
  const Value& x11 = in.profile.scalar(Key::display_x11);
  const Value& asked = wants_wayland ? in.profile.scalar(Key::display_wayland) : x11;
  if (!wants_wayland && x11.text == "no") return;
  bool served = false;
  try {
    served = wants_wayland && place_wayland(in, draft);
    bool wants_x11 = x11.text == "yes" || (x11.text == "fallback" && !served);
    if (wants_x11 && place_x11(in, draft)) served = true;
    if (x11.text == "nested" && place_nested_x11(in, draft)) served = true;
  } catch (Error& error) {
    throw std::move(error).at(asked.origin);
  }
  if (served || in.profile.is_optional("display")) return;
  std::string names = wants_wayland ? "WAYLAND_DISPLAY" : "";
  if (x11.text != "no") names += names.empty() ? "DISPLAY" : " or DISPLAY";
  throw Error("no display", "no running server is named by " + names)
      .at(asked.origin)
      .hint("start it from a desktop session");
}

}  // namespace sbox
