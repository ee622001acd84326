#include "plan/walk.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "base/strings.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr size_t kMostLinks = 40;

std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> parts = split(path, '/');
  parts.erase(std::remove_if(parts.begin(), parts.end(), [](const auto& p) { return p.empty() || p == "."; }),
              parts.end());
  return parts;
}

std::string joined(const std::deque<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += '/';
    text += part;
  }
  return text;
}

}  // namespace

Resolved walk(const std::string& path, const Look& look) {
  Resolved resolved{"/", "", look("/").status, {}};
  if (!path.starts_with('/') || path.find('\0') != std::string::npos) return {"/", path, {}, {}};
  std::vector<std::string> parts = components(path);
  std::deque<std::string> left(parts.begin(), parts.end());
  while (!left.empty()) {
    if (left.front() == "..") {
      left.pop_front();
      resolved.path = parent_of(resolved.path);
      resolved.status = look(resolved.path).status;
      continue;
    }
    std::string next = join(resolved.path, left.front());
    Seen step = look(next);
    if (step.status.kind == FileKind::symlink) {
      resolved.links.push_back({next, step.target, step.status.uid});
      if (resolved.links.size() > kMostLinks) step.status = {FileKind::unreachable, 0, 0, 0};
    }
    if (step.status.kind == FileKind::missing || step.status.kind == FileKind::unreachable) {
      resolved.status = step.status;
      resolved.rest = joined(left);
      return resolved;
    }
    left.pop_front();
    if (step.status.kind != FileKind::symlink) {
      resolved.path = next;
      resolved.status = step.status;
      continue;
    }
    if (step.target.starts_with('/')) resolved.path.assign(1, '/');
    std::vector<std::string> inserted = components(step.target);
    left.insert(left.begin(), inserted.begin(), inserted.end());
    resolved.status = look(resolved.path).status;
  }
  return resolved;
}

}  // namespace sbox
