#include "overlay/commit.h"

#include <cstdio>

#include "base/error.h"
#include "cli/overlay.h"

namespace sbox {
namespace {

constexpr int kSomeLeft = 1;

}  // namespace

int run_commit(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("commit", arguments, {"--force", "--quiet", "-q", "-f"});
  require_overlay("commit", words);
  OverlayStore store = OverlayStore::open(context.host, find_places(context.host), words.name());
  store.lock("take over its files");
  std::vector<Change> changes = find_changes(store.layers());
  Selection selection(context, store, words);
  selection.check(changes);
  bool is_quiet = words.has("--quiet") || words.has("-q");
  bool force = words.has("--force") || words.has("-f");
  auto tell = [&](const Change& change) {
    if (!is_quiet) puts(change_line(change).c_str());
  };
  CommitResult result = commit(
      store, changes, [&](const Change& change) { return selection.needs(change); }, force, tell);
  for (const auto& [path, why] : result.left) {
    fprintf(stderr, "sbox: not taken over: %s: %s\n", shown_path(path).c_str(), why.c_str());
  }
  if (result.left.empty()) return 0;
  fprintf(stderr, "sbox: these stay in the overlay (look at them by `sbox diff --text`%s)\n",
          force ? "" : "; --force takes over what changed on the host too");
  return kSomeLeft;
}

}  // namespace sbox
