#include "overlay/snapshot.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/strings.h"
#include "cli/overlay.h"
#include "cli/print.h"

namespace sbox {
namespace {

std::string local_time(time_t seconds, bool is_label) {
  tm parts{};
  char text[64];
  if (!localtime_r(&seconds, &parts)) return "-";
  return strftime(text, sizeof text, is_label ? "%Y-%m-%d-%H%M%S" : "%Y-%m-%d %H:%M:%S", &parts) > 0 ? text : "-";
}

// By the time; with a number where there is one of this second.
std::string free_label(const Snapshots& snapshots) {
  std::string base = local_time(time(nullptr), true), label = base;
  std::vector<Snapshot> list = snapshots.list();
  auto is_taken = [&] {
    return std::any_of(list.begin(), list.end(), [&](const Snapshot& each) { return each.label == label; });
  };
  for (int number = 2; is_taken(); ++number) label = base + "-" + std::to_string(number);
  return label;
}

void print_json(const std::vector<std::pair<std::string, Snapshot>>& all) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [overlay, snapshot] : all) {
    nlohmann::ordered_json object;
    put_text(object, "overlay", overlay);
    put_text(object, "label", snapshot.label);
    object.update({{"made", snapshot.facts.made.tv_sec}, {"files", snapshot.facts.files}});
    object["bytes"] = snapshot.facts.bytes;
    list.push_back(object);
  }
  print(json_text(list));
}

void print_table(const std::vector<std::pair<std::string, Snapshot>>& all) {
  std::vector<std::vector<std::string>> rows = {{"OVERLAY", "SNAPSHOT", "MADE", "FILES", "SIZE"}};
  for (const auto& [overlay, snapshot] : all) {
    rows.push_back({escape_control(overlay), escape_control(snapshot.label),
                    local_time(snapshot.facts.made.tv_sec, false), std::to_string(snapshot.facts.files),
                    short_size(snapshot.facts.bytes)});
  }
  print(table(rows));
}

// Of one overlay, or of all.
int list_snapshots(const Context& context, const Words& words) {
  Places places = find_places(context.host);
  if (words.names.size() > 1) throw Error("snapshot --list", "takes no name of a snapshot");
  std::vector<std::string> names = words.names;
  if (names.empty()) names = Snapshots::overlays_with_some(data_directory(context.host, places));
  std::vector<std::pair<std::string, Snapshot>> all;
  for (const std::string& name : names) {
    for (Snapshot& each : Snapshots::open(context.host, places, name).list()) all.emplace_back(name, std::move(each));
  }
  words.has("--json") ? print_json(all) : print_table(all);
  return 0;
}

}  // namespace

int run_snapshot(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("snapshot", arguments, {"--list", "--json", "--delete"}, 2);
  bool deletes = words.has("--delete"), lists = words.has("--list");
  if (words.names.empty() && words.has("--json")) lists = true;
  if (deletes && lists) throw Error("snapshot", "either --list or --delete");
  if (lists) return list_snapshots(context, words);
  if (words.has("--json")) throw Error("snapshot --json", "it goes with --list");
  require_overlay("snapshot", words);
  bool is_named = words.names.size() > 1;
  if (deletes && !is_named) {
    throw Error("snapshot", "which one is to be deleted?").hint("see `sbox snapshot --list`");
  }
  Snapshots snapshots = Snapshots::open(context.host, find_places(context.host), words.name());
  snapshots.lock(deletes ? "delete a snapshot of it" : "take a snapshot of it");
  if (deletes) {
    snapshots.remove(words.name(1));
    return 0;
  }
  std::string label = is_named ? words.name(1) : free_label(snapshots);
  Snapshot made = snapshots.take(label);
  printf("%s: %llu %s, %s\n", escape_control(made.label).c_str(), static_cast<unsigned long long>(made.facts.files),
         made.facts.files == 1 ? "file" : "files", short_size(made.facts.bytes).c_str());
  return 0;
}

}  // namespace sbox
