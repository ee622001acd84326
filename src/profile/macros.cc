#include "profile/macros.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/strings.h"

namespace sbox {
namespace {

constexpr Macro kMacros[] = {
    {"HOME", true, "the home directory, also written ~"},
    {"RUNTIME", true, "the user's runtime directory, /run/user/UID"},
    {"UID", false, "the number of the user"},
    {"CWD", true, "the directory that sbox was started in"},
    {"DESKTOP", true, "the user's desktop folder"},
    {"DOCUMENTS", true, "the user's folder for documents"},
    {"DOWNLOADS", true, "the user's folder for downloads"},
    {"MUSIC", true, "the user's folder for music"},
    {"PICTURES", true, "the user's folder for pictures"},
    {"PUBLIC", true, "the user's public folder"},
    {"TEMPLATES", true, "the user's folder for templates"},
    {"VIDEOS", true, "the user's folder for videos"},
};

bool has_parent_component(std::string_view path) {
  for (const std::string& component : split(path, '/')) {
    if (component == "..") return true;
  }
  return false;
}

// The other directories are never missing, or are told before.
std::string hint_for_missing(std::string_view name) {
  bool is_folder = name != "HOME" && name != "RUNTIME" && name != "CWD" && name != "UID";
  return is_folder ? "name it in ~/.config/user-dirs.dirs, which switches it off, or take it off the list" : "";
}

// Without a trailing slash, so that "/" in front of a path leaves no "//".
std::string value_of(std::string_view name, const MacroLookup& lookup) {
  std::string shown = "${" + std::string(name) + "}";
  const Macro* macro = find_macro(name);
  if (!macro) throw Error(shown, "there is no such macro");
  std::optional<std::string> value = lookup(name);
  if (!value || value->empty()) throw Error(shown, "is not known on this host").hint(hint_for_missing(name));
  if (!is_utf8(*value)) throw Error(shown, "its value is not UTF-8: " + quote(*value));
  if (!is_safe_to_show(*value)) {
    throw Error(shown, "its value holds control characters: " + quote(*value));
  }
  bool is_path = value->starts_with('/') && !has_parent_component(*value);
  bool is_word = value->find('/') == std::string::npos && *value != "." && *value != "..";
  if (macro->is_directory ? !is_path : !is_word) {
    throw Error(shown, quote(*value) + (macro->is_directory ? " is not an absolute path" : " is not a plain word"));
  }
  while (value->ends_with('/')) value->pop_back();
  return *value;
}

}  // namespace

std::span<const Macro> macros() { return kMacros; }

const Macro* find_macro(std::string_view name) {
  auto found = std::find_if(std::begin(kMacros), std::end(kMacros), [&](const Macro& m) { return m.name == name; });
  return found == std::end(kMacros) ? nullptr : found;
}

std::string expand_macros(std::string_view text, const MacroLookup& lookup) {
  std::string_view rest = text;
  std::string path;
  if (rest == "~" || rest.starts_with("~/")) {
    path = value_of("HOME", lookup);
    rest.remove_prefix(1);
  }
  for (size_t start; (start = rest.find("${")) != std::string_view::npos;) {
    size_t end = rest.find('}', start);
    if (end == std::string_view::npos) throw Error(std::string(text), "the macro is not closed").hint("write ${NAME}");
    path += rest.substr(0, start);
    path += value_of(rest.substr(start + 2, end - start - 2), lookup);
    rest.remove_prefix(end + 1);
  }
  path += rest;
  if (path.empty() && !text.empty()) path = "/";
  if (!path.starts_with('/')) throw Error(std::string(text), "is not an absolute path");
  return path;
}

}  // namespace sbox
