#include "profile/path_syntax.h"

#include <climits>
#include <vector>

#include "base/strings.h"
#include "profile/macros.h"

namespace sbox {
namespace {

using Check = std::optional<PathFault>;

std::string macro_text(std::string_view name) { return "${" + std::string(name) + "}"; }

Check check_macro(std::string_view name, bool at_start, std::string_view behind) {
  const Macro* macro = find_macro(name);
  if (!macro) {
    std::vector<std::string> names;
    for (const Macro& known : macros()) names.emplace_back(known.name);
    std::optional<std::string> near = nearest(name, names);
    return PathFault{"there is no macro " + macro_text(name),
                     near ? "did you mean " + macro_text(*near) + "?" : "see sbox-profile(5) for the macros"};
  }
  if (!macro->is_directory) {
    if (at_start) return PathFault{macro_text(name) + " is not a directory", "write an absolute path"};
    return {};
  }
  if (!at_start) return PathFault{macro_text(name) + " is not at the start", "begin the path with it"};
  if (!behind.empty() && behind[0] != '/')
    return PathFault{"there is text right behind " + macro_text(name), "put a / there"};
  return {};
}

Check check_macros(std::string_view text) {
  for (size_t start = 0; (start = text.find('$', start)) != std::string_view::npos;) {
    size_t end = text.find('}', start);
    if (text.substr(start, 2) != "${" || end == std::string_view::npos) {
      return PathFault{"a $ that begins no macro", "write macros as ${NAME}"};
    }
    if (Check fault = check_macro(text.substr(start + 2, end - start - 2), start == 0, text.substr(end + 1)))
      return fault;
    start = end + 1;
  }
  return {};
}

Check check_start(std::string_view text) {
  if (text.starts_with('/') || text.starts_with("${") || text == "~" || text.starts_with("~/")) return {};
  if (text.starts_with('~')) return PathFault{"names another user's home", "write that directory as an absolute path"};
  return PathFault{"is not absolute", "begin it with / or ~/"};
}

Check check_components(std::string_view text) {
  if (text == "/") return {};
  std::vector<std::string> components = split(text, '/');
  std::string normal = components[0];
  bool changed = false;
  for (size_t i = 1; i < components.size(); ++i) {
    if (components[i] == "..") return PathFault{"holds a ..", "write the path it leads to"};
    if (components[i].empty() || components[i] == ".")
      changed = true;
    else
      normal += "/" + components[i];
  }
  if (!changed) return {};
  return PathFault{"is not in its shortest form", "write it as " + (normal.empty() ? "/" : normal)};
}

}  // namespace

std::optional<PathFault> path_fault(std::string_view text) {
  if (text.size() >= PATH_MAX) return PathFault{"is too long for a path", "at most 4095 bytes"};
  if (Check fault = check_start(text)) return fault;
  if (text.find_first_of("*?[") != std::string_view::npos) {
    return PathFault{"holds one of * ? [", "there are no patterns in paths: name the directory"};
  }
  if (Check fault = check_macros(text)) return fault;
  return check_components(text);
}

std::string one_spelling(std::string_view path) {
  if (path.starts_with("${HOME}")) return "~" + std::string(path.substr(7));
  return std::string(path);
}

bool is_written_below(std::string_view path, std::string_view directory) {
  if (path == directory || directory == "/") return true;
  if (directory == "~" && path.starts_with("${") && !path.starts_with("${RUNTIME}") && !path.starts_with("${CWD}")) {
    return true;
  }
  return path.starts_with(directory) && path[directory.size()] == '/';
}

}  // namespace sbox
