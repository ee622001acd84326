#include <algorithm>

#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
constexpr std::string_view kRest = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

// The rule of Flatpak, which the portals follow: three elements or more, of letters, digits and _, none begins with a
// digit. Only the last may hold a -.
bool is_app_id(const std::string& id) {
  constexpr size_t kLongest = 255, kFewest = 3;
  std::vector<std::string> elements = split(id, '.');
  if (id.size() > kLongest || elements.size() < kFewest) return false;
  for (std::string& element : elements) {
    if (&element == &elements.back()) std::replace(element.begin(), element.end(), '-', '_');
    if (element.empty() || kLetters.find(element[0]) == std::string_view::npos) return false;
    if (element.find_first_not_of(kRest) != std::string::npos) return false;
  }
  return true;
}

std::string checked(const std::string& id, const Value& named) {
  if (is_app_id(id)) return id;
  throw Error("desktop app-id = " + quote(id), "is not the name of an application")
      .at(named.origin)
      .hint("write it as org.example.Name");
}

}  // namespace

void check_app_id(const Profile& profile) {
  const Value& named = profile.scalar(Key::desktop_app_id);
  if (!named.text.empty()) checked(named.text, named);
}

std::string app_id(const Inputs& in) {
  const Value& named = in.profile.scalar(Key::desktop_app_id);
  std::string id = named.text;
  if (id.empty()) {
    std::string name = in.profile.name();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c != '-' && kRest.find(c) == std::string_view::npos; }, '_');
    id = "local.sbox." + std::string(kLetters.find(name[0]) == std::string_view::npos ? "_" : "") + name;
  }
  return checked(id, named);
}

void plan_portals(const Inputs& in, Draft& draft) {
  check_app_id(in.profile);
  if (!in.profile.flag(Key::desktop_portals)) return;
  // What the toolkits look at, unless they find that they run in Flatpak.
  draft.environment["GTK_USE_PORTAL"] = "1";
  draft.environment["GDK_DEBUG"] = "portals";
  draft.environment["QT_QPA_PLATFORMTHEME"] = "xdgdesktopportal";
  // The portals tell of the host's network and its proxies, to nobody who is not on it.
  if (in.profile.text(Key::network_mode) != "host") {
    draft.environment["GIO_USE_NETWORK_MONITOR"] = "netlink";
    draft.environment["GIO_USE_PROXY_RESOLVER"] = "dummy";
  }
  if (in.places.host_runtime.empty()) return;
  // The files that the user has picked for this application, at the place by which the portals name them. Where the
  // document portal does not run, there are none.
  std::string all = join(in.places.host_runtime, "doc"), own = join(all, "by-app/" + app_id(in));
  if (in.host.status(own).kind == FileKind::directory) draft.view.place(make_bind(own, all, true, false));
}

}  // namespace sbox
