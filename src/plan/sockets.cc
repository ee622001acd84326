#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// The kernel's list of all sockets of this network namespace: seven words, then the name where there is one. With a
// thousand sandboxes it takes milliseconds to make.
constexpr char kList[] = "/proc/net/unix";
constexpr size_t kLargestList = 16 << 20;

std::vector<std::string> listed_sockets(const Host& host) {
  std::optional<std::string> list = host.read(kList, kLargestList);
  if (!list) throw Error(kList, "cannot be read").hint("without it, sockets in granted directories cannot be hidden");
  std::vector<std::string> names;
  for (std::string_view left = *list; !left.empty();) {
    std::string_view line = take_part(left, '\n');
    size_t begin = line.find('/');
    if (begin != std::string_view::npos) names.emplace_back(line.substr(begin));
  }
  return names;
}

}  // namespace

void plan_sockets(const Inputs& in, Draft& draft) {
  if (!draft.view.grants_files()) return;
  std::optional<std::vector<std::string>> names = in.host.bound_sockets();
  if (!names) names = listed_sockets(in.host);
  for (const std::string& name : *names) {
    if (std::optional<std::string> path = normalise(name)) draft.view.hide_socket(std::move(*path));
  }
}

}  // namespace sbox
