// A path that the reader lets pass, with whatever the host says that a macro stands for: it is refused, or it becomes
// an absolute path that leads nowhere else. libFuzzer entry; the first line is the value of all directories, the second
// that of the words, the rest is the path.
#include "fuzz.h"
#include "plan/paths.h"
#include "profile/macros.h"
#include "profile/path_syntax.h"

namespace {

using namespace sbox;

void check(std::string_view directory, std::string_view word, std::string_view path) {
  // What the reader has checked before it asks for faults of a path.
  if (!is_utf8(path) || escape_control(path) != path) return;
  if (path_fault(path)) return;
  auto lookup = [&](std::string_view name) { return std::string(find_macro(name)->is_directory ? directory : word); };
  std::string expanded = expand_macros(path, lookup);
  fuzz::require(expanded.starts_with('/'), "a path is not absolute");
  fuzz::require(normalise(expanded).has_value(), "a path leads elsewhere");
  fuzz::require(!has_control(expanded), "a path holds control characters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> lines = split(fuzz::text_of(data, size), '\n');
  if (lines.size() != 3) return 0;
  try {
    check(lines[0], lines[1], lines[2]);
  } catch (const Error& error) {
    fuzz::check_error(error);
  }
  return 0;
}
