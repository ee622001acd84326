#include "plan/walk.h"

#include <utility>

#include "plan/paths.h"

namespace sbox {
namespace {

constexpr size_t kMostLinks = 40;

// Its components without what is between them.
std::string tidy(std::string_view path) {
  std::string text;
  for (std::string_view part; !(part = take_component(path)).empty();) {
    if (!text.empty()) text += '/';
    text += part;
  }
  return text;
}

}  // namespace

Resolved walk(const std::string& path, const Look& look) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) return {"/", path, {}, {}};
  Resolved resolved{"/", "", look("/").status, {}};
  resolved.path.reserve(path.size());
  std::string_view left = path;
  std::string redirected;  // what is left after a link: its target, and what stood behind it
  for (;;) {
    std::string_view here = left;
    std::string_view part = take_component(left);
    if (part.empty()) return resolved;
    if (part == "..") {
      resolved.path = parent_of(resolved.path);
      resolved.status = look(resolved.path).status;
      continue;
    }
    size_t directory = resolved.path.size();
    if (directory > 1) resolved.path += '/';
    resolved.path += part;
    const Seen& step = look(resolved.path);
    FileStatus status = step.status;
    if (status.kind == FileKind::symlink) {
      resolved.links.push_back({resolved.path, step.target, status.uid});
      if (resolved.links.size() > kMostLinks) status = {FileKind::unreachable, 0, 0, 0};
    }
    if (status.kind == FileKind::missing || status.kind == FileKind::unreachable) {
      resolved.path.resize(directory);
      resolved.status = status;
      resolved.rest = tidy(here);
      return resolved;
    }
    if (status.kind != FileKind::symlink) {
      resolved.status = status;
      continue;
    }
    resolved.path.resize(step.target.starts_with('/') ? 1 : directory);
    redirected = step.target + "/" + std::string(left);
    left = redirected;
    resolved.status = look(resolved.path).status;
  }
}

}  // namespace sbox
