#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "plan/draft.h"
#include "plan/environment.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// Of the caller's environment, in every sandbox. A trailing * stands for any text.
constexpr const char* kKept[] = {
    "COLORFGBG",
    "COLORTERM",
    "COLUMNS",
    "DESKTOP_SESSION",
    "GTK_THEME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LINES",
    "LS_COLORS",
    "NO_COLOR",
    "QT_SCALE_FACTOR",
    "QT_STYLE_OVERRIDE",
    "TERM",
    "XCURSOR_SIZE",
    "XCURSOR_THEME",
    "XDG_CURRENT_DESKTOP",
    "XDG_SESSION_DESKTOP",
};

// With [desktop] input-method: which module a toolkit takes.
constexpr const char* kOfInputMethods[] = {
    "CLUTTER_IM_MODULE", "GLFW_IM_MODULE", "GTK_IM_MODULE", "QT_IM_MODULE",
    "QT_IM_MODULES",     "SDL_IM_MODULE",  "XMODIFIERS",
};

// Through these a variable becomes code: passed on, the caller's choice would run inside.
constexpr const char* kLoading[] = {
    "BASH_ENV", "ENV",          "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES",   "HOSTALIASES", "LD_*",  "LOCALDOMAIN",
    "LOCPATH",  "MALLOC_TRACE", "NIS_PATH",   "NLSPATH",     "RESOLV_HOST_CONF", "RES_OPTIONS", "TZDIR",
};

// Set by sbox; what the caller has there speaks of the host.
constexpr const char* kOwn[] = {
    "AT_SPI_BUS_ADDRESS",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "LOGNAME",
    "PATH",
    "PULSE_SERVER",
    "SHELL",
    "SSH_AUTH_SOCK",
    "USER",
    "WAYLAND_DISPLAY",
    "WAYLAND_SOCKET",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
};

constexpr size_t kLongestValue = 128 * 1024 - 256;  // MAX_ARG_STRLEN less a name

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == name;
}

template <typename Table>
bool is_in(const Table& table, std::string_view name) {
  return std::any_of(std::begin(table), std::end(table), [&](const char* row) { return matches(row, name); });
}

bool is_name(std::string_view name) {
  constexpr const char* kCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  return !name.empty() && name.find_first_not_of(kCharacters) == std::string_view::npos &&
         !(name[0] >= '0' && name[0] <= '9');
}

bool is_sound(const std::string& value) { return value.size() <= kLongestValue && !has_control(value); }

void keep_usual(const Inputs& in, Draft& draft) {
  bool has_input_methods = in.profile.flag(Key::desktop_input_method);
  for (const std::string& name : in.host.variable_names()) {
    bool is_usual = is_in(kKept, name) || (has_input_methods && is_in(kOfInputMethods, name));
    if (!is_usual || !is_name(name)) continue;
    std::string value = in.host.variable(name).value_or("");
    // What the author did not ask for can only be less.
    if (is_sound(value)) draft.environment.emplace(name, value);
  }
  std::optional<std::string> zone = in.host.variable("TZ");
  constexpr const char* kZoneCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-_/,.<>";
  bool is_zone = zone && !zone->empty() && zone->find_first_not_of(kZoneCharacters) == std::string::npos &&
                 zone->front() != '/' && zone->find("..") == std::string::npos;
  if (is_zone && in.profile.text(Key::system_time_zone) == "host") draft.environment.emplace("TZ", *zone);
}

void keep_named(const Inputs& in, Draft& draft) {
  for (const Value& pattern : in.profile.list(Key::environment_keep)) {
    auto refuse = [&](const std::string& name, const char* why) {
      return Error("variable " + quote(name), why).at(pattern.origin);
    };
    refuse_loading(pattern);
    for (const std::string& name : in.host.variable_names()) {
      if (!matches(pattern.text, name) || !is_name(name) || is_in(kLoading, name) || is_in(kOwn, name)) continue;
      std::string value = in.host.variable(name).value_or("");
      if (!is_sound(value)) throw refuse(name, "holds control characters or is too long").hint("unset it");
      draft.environment.emplace(name, value);
    }
  }
}

}  // namespace

void refuse_loading(const Value& variable) {
  if (!loads_code(variable.text)) return;
  throw Error("variable " + quote(variable.text), "makes programs load code")
      .at(variable.origin)
      .hint("give it a value with [environment] set");
}

bool loads_code(std::string_view variable) { return is_in(kLoading, variable); }
bool speaks_of_the_host(std::string_view variable) { return is_in(kOwn, variable); }
bool is_pattern_of_variable(std::string_view pattern, std::string_view variable) { return matches(pattern, variable); }

std::string shell_inside(const Host& host) {
  return host.resolve("/bin/bash").status.kind == FileKind::file ? "/bin/bash" : "/bin/sh";
}

void plan_environment(const Inputs& in, Draft& draft) {
  std::string user = in.host.user();
  draft.environment["HOME"] = in.places.home;
  draft.environment["USER"] = user;
  draft.environment["LOGNAME"] = user;
  draft.environment["SHELL"] = shell_inside(in.host);
  draft.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";
  draft.environment["XDG_RUNTIME_DIR"] = in.places.runtime;
  keep_usual(in, draft);
  keep_named(in, draft);
  for (const Value& assignment : in.profile.list(Key::environment_set)) {
    size_t equals = assignment.text.find('=');
    draft.environment[assignment.text.substr(0, equals)] = assignment.text.substr(equals + 1);
  }
}

}  // namespace sbox
