#include "base/error.h"
#include "cli/overlay.h"
#include "overlay/commit.h"

namespace sbox {

int run_discard(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("discard", arguments, {});
  require_overlay("discard", words);
  OverlayStore store = OverlayStore::open(context.host, find_places(context.host), words.name());
  store.lock("throw its changes away");
  std::vector<Change> changes = find_changes(store.layers());
  remove_leftovers(store, changes);
  if (words.behind_first().empty()) {
    store.discard();
    return 0;
  }
  Selection selection(context, store, words);
  selection.check(changes);
  discard_changes(store, changes, [&](const Change& change) { return selection.holds(change); });
  return 0;
}

}  // namespace sbox
