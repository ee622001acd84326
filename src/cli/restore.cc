#include <algorithm>
#include <cstdio>

#include "base/contains.h"
#include "base/error.h"
#include "base/strings.h"
#include "cli/overlay.h"
#include "overlay/commit.h"
#include "overlay/snapshot.h"

namespace sbox {
namespace {

// The last that somebody made.
std::string latest(const Snapshots& snapshots, const std::string& overlay) {
  std::vector<Snapshot> list = snapshots.list();
  std::erase_if(list, [](const Snapshot& each) { return each.label == kBeforeRestore; });
  if (list.empty()) throw Error("overlay " + quote(overlay), "it has no snapshot").hint("make one: `sbox snapshot`");
  return list.back().label;
}

// Of a commit that was cut short.
void remove_leftovers_on_host(const Context& context, const Places& places, const std::string& overlay) {
  std::vector<std::string> names = OverlayStore::list(data_directory(context.host, places));
  if (!contains(names, overlay)) return;  // discarded; its snapshots are left
  OverlayStore store = OverlayStore::open(context.host, places, overlay);
  if (store.was_interrupted()) remove_leftovers(store, find_changes(store.layers()));
}

}  // namespace

int run_restore(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("restore", arguments, {}, 2);
  require_overlay("restore", words);
  std::string overlay = words.name();
  Places places = find_places(context.host);
  Snapshots snapshots = Snapshots::open(context.host, places, overlay);
  snapshots.lock("set it back");
  std::string label = words.names.size() > 1 ? words.name(1) : latest(snapshots, overlay);
  remove_leftovers_on_host(context, places, overlay);
  std::string kept = snapshots.restore(label);
  printf("%s is as in %s", escape_control(overlay).c_str(), escape_control(label).c_str());
  printf("%s\n", kept.empty() ? "" : ("; what it was is " + kept).c_str());
  return 0;
}

}  // namespace sbox
