#include "base/error.h"
#include "cli/overlay.h"
#include "overlay/commit.h"

namespace sbox {

int run_discard(const Context& context, const std::vector<std::string>& words) {
  OverlayArguments arguments = parse_overlay_arguments("discard", words, {});
  if (arguments.name.empty()) throw Error("discard", "needs the name of an overlay").hint("`sbox diff` lists them");
  OverlayStore store = OverlayStore::open(context.host, find_places(context.host), arguments.name);
  store.lock("throw its changes away");
  std::vector<Change> changes = find_changes(store.layers());
  remove_leftovers(store, changes);
  if (arguments.paths.empty()) {
    store.discard();
    return 0;
  }
  Selection selection(context, store, arguments.paths);
  selection.check(changes);
  discard_changes(store, changes, [&](const Change& change) { return selection.holds(change); });
  return 0;
}

}  // namespace sbox
