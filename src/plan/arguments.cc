#include "plan/arguments.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "plan/paths.h"

namespace sbox {
namespace {

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// The path of a file: URL of this host.
std::optional<std::string> path_of_url(std::string_view url) {
  constexpr std::string_view kScheme = "file://", kHere = "localhost";
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  if (url.starts_with(kHere)) url.remove_prefix(kHere.size());
  if (!url.starts_with('/')) return std::nullopt;
  url = url.substr(0, url.find_first_of("?#"));
  std::string path;
  for (size_t i = 0; i < url.size(); ++i) {
    if (url[i] != '%') {
      path += url[i];
      continue;
    }
    if (i + 2 >= url.size()) return std::nullopt;
    std::optional<int> high = hex_digit(url[i + 1]), low = hex_digit(url[i + 2]);
    if (!high || !low || (*high == 0 && *low == 0)) return std::nullopt;
    path += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return path;
}

}  // namespace

std::vector<std::string> readings(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  bool takes_options = true;
  for (std::string_view word : arguments) {
    if (takes_options && word.starts_with('-')) {
      takes_options = word != "--";
      size_t equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      word.remove_prefix(equals + 1);
    }
    if (!word.empty()) words.push_back(path_of_url(word).value_or(std::string(word)));
  }
  return words;
}

std::vector<std::string> files_named_by(const std::vector<std::string>& arguments, const Host& host) {
  std::vector<std::string> files;
  for (const std::string& word : readings(arguments)) {
    if (!word.starts_with('/') && host.directory().empty()) continue;
    std::string path = word.starts_with('/') ? word : join(host.directory(), word);
    FileKind kind = host.resolve(path).status.kind;
    if (kind == FileKind::directory || kind == FileKind::file) files.push_back(path);
  }
  return files;
}

}  // namespace sbox
