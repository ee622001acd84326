#include "plan/places.h"

#include <algorithm>

#include "base/strings.h"
#include "plan/paths.h"
#include "profile/macros.h"

namespace sbox {
namespace {

constexpr uint32_t kOthersWrite = 022;

// The environment may choose the home directory, but only one that nobody else could have prepared.
void find_home(const Host& host, Places& places) {
  std::string home = host.variable("HOME").value_or(host.home());
  auto refuse = [&](const char* why) {
    return Error("home directory " + quote(home), why).hint("set HOME to a directory of yours");
  };
  std::optional<std::string> normal = normalise(home);
  if (!normal || *normal == "/" || has_control(home)) throw refuse("not a usable absolute path");
  if (home.find(':') != std::string::npos) throw refuse("holds a colon, which ends it in every user database");
  Resolved found = host.resolve(*normal);
  if (found.status.kind == FileKind::unreachable) throw refuse("cannot be reached");
  if (found.status.kind != FileKind::directory) throw refuse("no such directory");
  if (found.status.uid != host.uid()) throw refuse("belongs to another user");
  for (const char* own : {"/dev", "/proc", "/sys"}) {
    if (is_at_or_below(found.path, own) || is_at_or_below(*normal, own)) {
      throw refuse("lies where every sandbox has files of its own");
    }
  }
  if (*normal != normalise(host.home()) && (found.status.mode & kOthersWrite)) throw refuse("is writable by others");
  places.home = *normal;
  places.home_canonical = found.path;
}

void find_runtime(const Host& host, Places& places) {
  std::optional<std::string> wanted = host.variable("XDG_RUNTIME_DIR");
  if (!wanted || wanted->empty()) {
    places.runtime_fault = "XDG_RUNTIME_DIR is not set";
    return;
  }
  std::optional<std::string> path = normalise(*wanted);
  Resolved found = path && !has_control(*path) ? host.resolve(*path) : Resolved{};
  if (found.status.kind != FileKind::directory) {
    places.runtime_fault = "XDG_RUNTIME_DIR is not a directory";
  } else if (found.status.uid != host.uid()) {
    places.runtime_fault = "XDG_RUNTIME_DIR belongs to another user";
  } else if ((found.status.mode & 0777) != 0700) {
    places.runtime_fault = "XDG_RUNTIME_DIR has not mode 0700";
  } else {
    places.host_runtime = found.path;
  }
}

struct UserDirectory {
  std::string_view macro, variable, fallback;
};

constexpr UserDirectory kUserDirectories[] = {
    {"DESKTOP", "XDG_DESKTOP_DIR", "Desktop"},       {"DOWNLOADS", "XDG_DOWNLOAD_DIR", "Downloads"},
    {"TEMPLATES", "XDG_TEMPLATES_DIR", "Templates"}, {"PUBLIC", "XDG_PUBLICSHARE_DIR", "Public"},
    {"DOCUMENTS", "XDG_DOCUMENTS_DIR", "Documents"}, {"MUSIC", "XDG_MUSIC_DIR", "Music"},
    {"PICTURES", "XDG_PICTURES_DIR", "Pictures"},    {"VIDEOS", "XDG_VIDEOS_DIR", "Videos"},
};

// The value of NAME="VALUE" in user-dirs.dirs, which knows only "$HOME/..." and absolute paths.
std::optional<std::string> parse_user_directory(std::string_view line, std::string_view variable,
                                                const std::string& home) {
  line = trim(line);
  if (!line.starts_with(variable)) return std::nullopt;
  line.remove_prefix(variable.size());
  if (line.size() < 3 || line[0] != '=' || line[1] != '"' || line.back() != '"') return std::nullopt;
  std::string value(line.substr(2, line.size() - 3));
  if (value.find_first_of("\"`\\") != std::string::npos || has_control(value)) return std::nullopt;
  constexpr std::string_view kHome = "$HOME/";
  if (value.starts_with(kHome)) value = home + "/" + value.substr(kHome.size());
  if (value.find('$') != std::string::npos) return std::nullopt;
  return normalise(value);
}

void find_user_directories(const Host& host, Places& places) {
  std::string text = host.read(join(places.home_canonical, ".config/user-dirs.dirs")).value_or("");
  std::vector<std::string> lines = split(text, '\n');
  for (const UserDirectory& row : kUserDirectories) {
    std::string path = join(places.home, row.fallback);
    for (const std::string& line : lines) {
      if (auto value = parse_user_directory(line, row.variable, places.home)) path = *value;
    }
    places.user_directories.emplace(row.macro, path);
  }
}

// A user directory that is switched off is "$HOME/" in user-dirs.dirs; granting it would grant the whole home.
std::optional<std::string> user_directory(std::string_view name, const Places& places) {
  auto found = places.user_directories.find(name);
  if (found == places.user_directories.end() || is_at_or_below(places.home, found->second)) return std::nullopt;
  return found->second;
}

std::string runtime_directory(const Value& value, const Places& places) {
  if (!places.host_runtime.empty()) return places.host_runtime;
  throw Error("${RUNTIME}", places.runtime_fault).at(value.origin).hint("start sbox from a desktop session");
}

std::string working_directory(const Value& value, const Places& places, const Host& host) {
  std::string directory = host.directory();
  auto refuse = [&](const char* why) {
    return Error("${CWD}", why).at(value.origin).hint("change to the directory of the project first");
  };
  if (directory.empty()) throw refuse("the current directory is gone");
  Resolved found = host.resolve(directory);
  if (found.status.kind != FileKind::directory) throw refuse("the current directory cannot be reached");
  if (is_at_or_below(places.home_canonical, found.path)) throw refuse("the current directory holds the whole home");
  for (const char* system : {"/bin", "/boot", "/dev", "/etc", "/lib", "/opt", "/proc", "/root", "/run", "/sbin", "/srv",
                             "/sys", "/usr", "/var"}) {
    bool temporary = is_below(found.path, "/var/tmp");
    if (is_at_or_below(found.path, system) && !is_below(found.path, places.home_canonical) && !temporary) {
      throw refuse("the current directory belongs to the system");
    }
  }
  return found.path;
}

}  // namespace

Places find_places(const Host& host) {
  Places places;
  find_home(host, places);
  places.runtime = "/run/user/" + std::to_string(host.uid());
  find_runtime(host, places);
  find_user_directories(host, places);
  return places;
}

std::vector<std::string> policy_directories(const Host& host, const Places& places) {
  std::vector<std::string> policy;
  // Profiles and the registry are those of the user database's home, whatever HOME says.
  for (const std::string& home : {places.home, places.home_canonical, host.home()}) {
    policy.push_back(join(home, ".config/sbox"));
    policy.push_back(join(home, ".local/share/sbox"));
  }
  policy.push_back("/etc/sbox");
  if (!places.host_runtime.empty()) policy.push_back(join(places.host_runtime, "sbox"));
  for (size_t i = 0, named = policy.size(); i < named; ++i) {
    Resolved found = host.resolve(policy[i]);
    policy.push_back(join(found.path, found.rest));
  }
  std::sort(policy.begin(), policy.end());
  policy.erase(std::unique(policy.begin(), policy.end()), policy.end());
  return policy;
}

std::string data_directory(const Host& host, const Places& places) {
  Resolved base = host.resolve(join(places.home_canonical, ".local/share"));
  for (const Link& link : base.links) {
    if (link.uid != 0 && link.uid != host.uid()) {
      throw Error("symlink " + quote(link.path), "belongs to another user").hint("remove it");
    }
  }
  std::optional<std::string> path = normalise(join(join(base.path, base.rest), "sbox"));
  if (!path) throw Error("~/.local/share", "leads to a missing directory and back").hint("make it a directory");
  return *path;
}

bool is_directory_name(const std::string& name) {
  return !name.empty() && name[0] != '.' && name.find('/') == std::string::npos && !has_control(name);
}

std::string host_path(const Value& value, const Places& places, const Host& host) {
  auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "HOME") return places.home;
    if (name == "UID") return std::to_string(host.uid());
    if (name == "CWD") return working_directory(value, places, host);
    if (name == "RUNTIME") return runtime_directory(value, places);
    return user_directory(name, places);
  };
  std::optional<std::string> path;
  try {
    path = normalise(expand_macros(value.text, lookup));
  } catch (Error& error) {
    if (!error.where().file.empty()) throw;
    throw std::move(error).at(value.origin);
  }
  if (!path || has_control(*path)) {
    throw Error("path " + quote(value.text), "not an absolute path without '..'").at(value.origin);
  }
  return *path;
}

}  // namespace sbox
