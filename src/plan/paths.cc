#include "plan/paths.h"

#include <algorithm>

namespace sbox {

std::optional<std::string> normalise(std::string_view path) {
  if (path.empty() || path[0] != '/' || path.find('\0') != std::string_view::npos) return std::nullopt;
  std::string normal;
  normal.reserve(path.size());
  for (std::string_view part; !(part = take_component(path)).empty();) {
    if (part == "..") return std::nullopt;
    normal.append(1, '/').append(part);
  }
  return normal.empty() ? "/" : normal;
}

std::string_view take_component(std::string_view& path) {
  for (;;) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    std::string_view component = path.substr(0, path.find('/'));
    path.remove_prefix(component.size());
    if (component != ".") return component;
  }
}

std::string parent_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string join(const std::string& directory, std::string_view rest) {
  if (rest.empty()) return directory;
  std::string path;
  path.reserve(directory.size() + 1 + rest.size());
  if (directory != "/") path = directory;
  return path.append(1, '/').append(rest);
}

std::string rest_below(const std::string& path, const std::string& directory) {
  if (path == directory) return "";
  return path.substr(directory == "/" ? 1 : directory.size() + 1);
}

std::string rebase(const std::string& path, const std::string& from, const std::string& to) {
  return join(to, rest_below(path, from));
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool PathOrder::operator()(std::string_view a, std::string_view b) const {
  auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return y != b.end();
  return rank(*x) < rank(*y);
}

}  // namespace sbox
