#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

// The kernel's list of the sockets of this network namespace: seven words, then the path where there is one.
constexpr char kList[] = "/proc/net/unix";
constexpr size_t kLargestList = 16 << 20;

}  // namespace

void plan_sockets(const Inputs& in, Draft& draft) {
  if (!draft.view.grants_files()) return;
  std::optional<std::string> list = in.host.read(kList, kLargestList);
  if (!list) throw Error(kList, "cannot be read").hint("without it, sockets in granted directories cannot be hidden");
  for (std::string_view line : split(*list, '\n')) {
    size_t begin = line.find('/');
    if (begin == std::string_view::npos) continue;
    if (std::optional<std::string> path = normalise(line.substr(begin))) draft.view.hide_socket(std::move(*path));
  }
}

}  // namespace sbox
