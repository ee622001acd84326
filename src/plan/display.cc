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

bool place_wayland(const Inputs& in, Draft& draft) {
  std::string name = variable(in, "WAYLAND_DISPLAY");
  if (name.empty()) return false;
  std::string what = "WAYLAND_DISPLAY=" + escape_control(name);
  if (name[0] != '/' && in.places.host_runtime.empty()) throw Error(what, in.places.runtime_fault);
  std::optional<std::string> path = normalise(name[0] == '/' ? name : join(in.places.host_runtime, name));
  if (!path || has_control(*path)) throw Error(what, "is not the name of a socket");
  Resolved found = in.host.resolve(*path);
  if (!is_usable_socket(in, what, found, false)) return false;
  draft.view.place(make_bind(found.path, join(in.places.runtime, "wayland-0"), false, true));
  draft.environment["WAYLAND_DISPLAY"] = "wayland-0";
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
  if (in.profile.text(Key::network_mode) == "none") return number;
  constexpr unsigned long long kFirstOfOurs = 1000;
  unsigned long long inside = kFirstOfOurs + *parse_number(number);
  while (in.host.status(kSockets + std::to_string(inside)).kind != FileKind::missing) ++inside;
  return std::to_string(inside);
}

bool place_x11(const Inputs& in, Draft& draft) {
  std::string display = variable(in, "DISPLAY");
  if (display.empty()) return false;
  std::string what = "DISPLAY=" + escape_control(display);
  std::optional<std::string> number = local_display(display);
  if (!number) throw Error(what, "is not a display of this machine").hint("only :N is possible");
  Resolved found = in.host.resolve(kSockets + *number);
  if (!is_usable_socket(in, what, found, true)) return false;
  std::string inside = number_inside(in, *number);
  draft.view.place(make_bind(found.path, kSockets + inside, false, true));
  draft.environment["DISPLAY"] = ":" + inside;
  std::optional<XauthorityEntry> cookie = host_cookie(in, *number);
  if (!cookie) return true;
  // The sandbox has another host name, so the cookie is for any.
  XauthorityEntry entry{XauthorityEntry::kWild, "", inside, cookie->name, cookie->data};
  Node file = make_file(join(in.places.runtime, "Xauthority"), write_xauthority({entry}));
  file.mode = 0600;
  draft.view.place(file);
  draft.environment["XAUTHORITY"] = file.target;
  return true;
}

}  // namespace

void plan_display(const Inputs& in, Draft& draft) {
  bool wants_wayland = in.profile.flag(Key::display_wayland);
  const Value& x11 = in.profile.scalar(Key::display_x11);
  const Value& asked = wants_wayland ? in.profile.scalar(Key::display_wayland) : x11;
  if (x11.text == "nested") {
    throw Error("display x11 = nested", "is not available yet").at(x11.origin).hint("use fallback or yes");
  }
  if (!wants_wayland && x11.text == "no") return;
  bool served = false;
  try {
    served = wants_wayland && place_wayland(in, draft);
    bool wants_x11 = x11.text == "yes" || (x11.text == "fallback" && !served);
    if (wants_x11 && place_x11(in, draft)) served = true;
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
