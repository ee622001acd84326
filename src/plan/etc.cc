#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/contains.h"
#include "base/strings.h"
#include "plan/draft.h"
#include "plan/network.h"
#include "plan/paths.h"

namespace sbox {
namespace {

enum class When { always, network, display, gpu, audio, fonts, themes };

struct EtcRow {
  const char* name;
  When when;
};

// Never /etc/ssl or /etc/pki whole: private keys lie there.
constexpr EtcRow kEntries[] = {
    {"alternatives", When::always},
    {"bash.bashrc", When::always},
    {"bash_completion.d", When::always},
    {"ca-certificates", When::always},
    {"ca-certificates.conf", When::always},
    {"crypto-policies", When::always},
    {"debian_version", When::always},
    {"ethertypes", When::always},
    {"inputrc", When::always},
    {"ld.so.cache", When::always},
    {"ld.so.conf", When::always},
    {"ld.so.conf.d", When::always},
    {"locale.alias", When::always},
    {"locale.conf", When::always},
    {"lsb-release", When::always},
    {"magic", When::always},
    {"magic.mime", When::always},
    {"mailcap", When::always},
    {"mime.types", When::always},
    {"os-release", When::always},
    {"pki/ca-trust", When::always},
    {"pki/tls/cert.pem", When::always},
    {"pki/tls/certs", When::always},
    {"profile", When::always},
    {"profile.d", When::always},
    {"protocols", When::always},
    {"services", When::always},
    {"shells", When::always},
    {"ssl/cert.pem", When::always},
    {"ssl/certs", When::always},
    {"ssl/openssl.cnf", When::always},
    {"terminfo", When::always},
    {"xdg", When::always},
    {"gai.conf", When::network},
    {"host.conf", When::network},
    {"X11/Xresources", When::display},
    {"X11/app-defaults", When::display},
    {"X11/xkb", When::display},
    {"OpenCL", When::gpu},
    {"drirc", When::gpu},
    {"glvnd", When::gpu},
    {"nvidia", When::gpu},
    {"vulkan", When::gpu},
    {"alsa", When::audio},
    {"asound.conf", When::audio},
    {"openal", When::audio},
    {"pipewire", When::audio},
    {"pulse", When::audio},
    {"fonts", When::fonts},
    {"dconf", When::themes},
    {"gtk-2.0", When::themes},
    {"gtk-3.0", When::themes},
    {"gtk-4.0", When::themes},
    {"kderc", When::themes},
};

bool applies(const Profile& profile, When when) {
  switch (when) {
    case When::always:
      return true;
    case When::network:
      return profile.text(Key::network_mode) != "none";
    case When::display:
      return profile.flag(Key::display_wayland) || profile.text(Key::display_x11) != "no";
    case When::gpu:
      return profile.flag(Key::devices_gpu);
    case When::audio:
      return profile.flag(Key::audio_playback) || profile.flag(Key::audio_record);
    case When::fonts:
      return profile.flag(Key::desktop_fonts);
    case When::themes:
      return profile.flag(Key::desktop_themes);
  }
  return false;
}

// NAME in which each '*' stands for any text.
bool matches(std::string_view pattern, std::string_view name) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  for (size_t skip = star; skip <= name.size(); ++skip) {
    if (matches(pattern, name.substr(skip))) return true;
  }
  return false;
}

void grant_named_entries(const Inputs& in, Draft& draft) {
  std::optional<std::vector<std::string>> names;  // read once, and only where a pattern asks for it
  for (const Value& value : in.profile.list(Key::system_etc)) {
    check_etc(value);
    auto grant = [&](const std::string& name) {
      draft.view.grant({"/etc/" + name, Access::read_only, Strength::written, value.origin});
    };
    if (value.text.find('*') == std::string::npos) {
      grant(value.text);
      continue;
    }
    if (!names) names = in.host.list("/etc");
    for (const std::string& name : *names) {
      if (name != "sbox" && matches(value.text, name)) grant(name);
    }
  }
}

std::string group_name(const Inputs& in) {
  const std::string database = in.host.read("/etc/group").value_or(""), gid = std::to_string(in.host.gid());
  for (std::string_view rest = database; !rest.empty();) {
    std::string_view line = take_part(rest, '\n');
    std::string_view name = take_part(line, ':');
    take_part(line, ':');
    if (take_part(line, ':') == gid) return std::string(name);
  }
  return in.host.user();
}

// Names go into colon-separated lines.
std::string field(const std::string& text, const char* what) {
  if (text.empty() || has_control(text) || text.find(':') != std::string::npos) {
    throw Error(std::string(what) + " " + quote(text), "cannot stand in a user database");
  }
  return text;
}

std::string passwd(const Inputs& in) {
  std::string user = field(in.host.user(), "user name"), home = field(in.places.home, "home directory");
  std::string ids = std::to_string(in.host.uid()) + ":" + std::to_string(in.host.gid());
  std::string text = user + ":x:" + ids + ":" + user + ":" + home + ":" + shell_inside(in.host) + "\n";
  constexpr uint32_t kNobody = 65534;
  if (in.host.uid() != kNobody) text += "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
  return text;
}

std::string group(const Inputs& in) {
  constexpr uint32_t kNoGroup = 65534;
  std::string text = field(group_name(in), "group name") + ":x:" + std::to_string(in.host.gid()) + ":\n";
  if (in.host.gid() != kNoGroup) text += "nogroup:x:65534:\n";
  return text;
}

// The TCP ports of this machine at which something listens on one of these addresses, as the kernel's table writes
// them.
std::set<unsigned> listening(const Host& host, const char* table, std::initializer_list<std::string_view> addresses) {
  constexpr size_t kLargest = 16 << 20;
  constexpr int kHexadecimal = 16;
  std::set<unsigned> ports;
  std::string text = host.read(table, kLargest).value_or("");
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string> words = split(line, ' ');
    std::erase(words, "");
    constexpr size_t kLocal = 1, kState = 3;
    if (words.size() <= kState || words[kState] != "0A") continue;
    std::string_view port = words[kLocal], address = take_part(port, ':');
    unsigned number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number, kHexadecimal);
    if (contains(addresses, address)) ports.insert(number);
  }
  return ports;
}

// Whether `localhost` shall not mean ::1: pasta takes connections there whoever listens outside, so programs that try
// it first would not go on to 127.0.0.1 when nobody does.
bool means_ipv4_alone(const Inputs& in) {
  std::vector<Destination> wanted = destinations(in.profile, Key::network_connect);
  std::erase_if(wanted, [](const Destination& each) {
    return each.kind != Destination::Kind::localhost || each.protocol == Protocol::udp;
  });
  if (wanted.empty() || in.profile.text(Key::network_mode) != "private") return false;
  std::set<unsigned> four = listening(in.host, "/proc/net/tcp", {"00000000", "0100007F"});
  std::set<unsigned> six =
      listening(in.host, "/proc/net/tcp6", {"00000000000000000000000000000000", "00000000000000000000000001000000"});
  auto lacks_in = [&](const std::set<unsigned>& other) {
    return [&](unsigned port) {
      bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const Destination& each) {
        return each.ports.contains(static_cast<uint16_t>(port));
      });
      return is_wanted && !other.contains(port);
    };
  };
  return std::any_of(four.begin(), four.end(), lacks_in(six)) && std::none_of(six.begin(), six.end(), lacks_in(four));
}

std::string hosts(const Inputs& in, const std::string& hostname) {
  std::string text = "127.0.0.1 localhost\n127.0.1.1 " + hostname + "\n::1 " +
                     (means_ipv4_alone(in) ? "" : "localhost ") + "ip6-localhost ip6-loopback\n";
  if (in.profile.text(Key::network_mode) == "host") text += in.host.read("/etc/hosts").value_or("");
  return text;
}

std::string machine_id(const Inputs& in) {
  constexpr size_t kDigits = 32;
  const Value& setting = in.profile.scalar(Key::system_machine_id);
  if (setting.text == "random") return in.host.random_hex(kDigits) + "\n";
  std::optional<std::string> text = in.host.read("/etc/machine-id");
  if (!text) throw Error("machine-id = host", "the host has no /etc/machine-id").at(setting.origin);
  return *text;
}

constexpr char kZones[] = "/usr/share/zoneinfo";

bool is_zone(const Inputs& in, const std::string& name) {
  constexpr const char* kCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_/";
  if (name.empty() || name.find_first_not_of(kCharacters) != std::string::npos) return false;
  std::optional<std::string> path = normalise(join(kZones, name));
  return path && in.host.resolve(*path).status.kind == FileKind::file;
}

// The host's /etc/localtime is a symlink whose last part is the name, by a link of any length.
std::string host_zone(const Inputs& in) {
  for (const Link& link : in.host.resolve("/etc/localtime").links) {
    size_t at = link.target.find("zoneinfo/");
    if (at == std::string::npos) continue;
    std::string name = link.target.substr(at + std::string_view("zoneinfo/").size());
    if (is_zone(in, name)) return name;
  }
  return "";
}

void place_time_zone(const Inputs& in, Draft& draft) {
  const Value& setting = in.profile.scalar(Key::system_time_zone);
  std::string zone = setting.text == "host" ? host_zone(in) : setting.text;
  if (setting.text != "host" && !is_zone(in, zone)) {
    throw Error("time-zone = " + quote(zone), "there is no such zone below " + std::string(kZones))
        .at(setting.origin)
        .hint("write a name such as Europe/Berlin");
  }
  if (!zone.empty()) {
    draft.view.place(make_symlink("/etc/localtime", join(kZones, zone)));
    draft.view.place(make_file("/etc/timezone", zone + "\n"));
  } else if (auto content = in.host.read(in.host.resolve("/etc/localtime").path)) {
    draft.view.place(make_file("/etc/localtime", *content));
  }
}

}  // namespace

void check_etc(const Value& value) {
  if (value.text.find_first_not_of("*.") == std::string::npos) {
    throw Error("etc = " + quote(value.text), "would show all of /etc").at(value.origin).hint("name single entries");
  }
  check_written(Access::read_only, {"/etc/" + value.text, value.origin});
}

void plan_etc(const Inputs& in, Draft& draft) {
  for (const EtcRow& row : kEntries) {
    if (!applies(in.profile, row.when)) continue;
    draft.view.grant({std::string("/etc/") + row.name, Access::read_only, Strength::offered});
  }
  grant_named_entries(in, draft);
  const std::string& hostname = draft.plan.hostname;
  draft.view.place(make_file("/etc/passwd", passwd(in)));
  draft.view.place(make_file("/etc/group", group(in)));
  draft.view.place(make_file("/etc/hosts", hosts(in, hostname)));
  draft.view.place(make_file("/etc/hostname", hostname + "\n"));
  draft.view.place(make_file("/etc/machine-id", machine_id(in)));
  bool has_names = in.profile.text(Key::network_mode) != "none";
  draft.view.place(make_file("/etc/nsswitch.conf", std::string("passwd: files\ngroup: files\nhosts: files") +
                                                       (has_names ? " dns" : "") +
                                                       "\nservices: files\nprotocols: files\n"));
  place_time_zone(in, draft);
}

}  // namespace sbox
