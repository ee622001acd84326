#include "cli/page_sections.h"

#include <map>

#include "plan/paths.h"

namespace sbox {
namespace {

std::string short_path(const std::string& path, const std::string& home) {
  return !home.empty() && is_at_or_below(path, home) ? join("~", rest_below(path, home)) : path;
}

std::string shown(const Node& node, const std::string& home) {
  std::string text = short_path(node.target, home);
  if (node.kind == NodeKind::bind && node.source != node.target) text += " (" + short_path(node.source, home) + ")";
  return text;
}

using Wanted = bool (*)(const Node&);

bool is_device(const Node& node) { return node.kind == NodeKind::bind && node.device; }
bool is_read_only(const Node& node) { return node.kind == NodeKind::bind && !node.device && !node.writable; }
bool is_read_write(const Node& node) { return node.kind == NodeKind::bind && !node.device && node.writable; }
bool is_overlay(const Node& node) { return node.kind == NodeKind::overlay; }
bool is_hidden(const Node& node) { return node.kind == NodeKind::hide; }
bool is_tmpfs(const Node& node) { return node.kind == NodeKind::tmpfs && node.writable; }

// What lines of the profile ask for, line by line; then what every sandbox has.
void list_nodes(Page& page, const Plan& plan, Wanted wanted, const std::string& sentence,
                const std::string& sentence_of_all) {
  std::string home = variable(plan, "HOME");
  std::map<std::string, std::vector<std::string>> by_origin;
  for (const Node& node : plan.nodes) {
    if (wanted(node)) by_origin[node.origin].push_back(shown(node, home));
  }
  auto of_all = by_origin.extract("sbox");
  if (!by_origin.empty()) page.say(sentence);
  for (const auto& [line, paths] : by_origin) page.items(paths, line);
  if (of_all.empty()) return;
  page.say(sentence_of_all);
  page.items(of_all.mapped());
}

void say_home(Page& page, const Profile& profile) {
  const std::string& mode = profile.text(Key::home_mode);
  std::string from = origin(profile, Key::home_mode);
  if (mode == "empty")
    page.say("The home directory is empty, but for what is named below, and forgotten at the end.", from);
  if (mode == "private")
    page.say("The home directory is the profile's own and kept; of the real one only what is named below.", from);
  if (mode == "overlay" && profile.list(Key::home_keep).empty())
    page.say("The home directory is the real one, copy-on-write.", from);
  if (mode == "overlay" && !profile.list(Key::home_keep).empty())
    page.say("Of the real home directory what is named below, copy-on-write.", from);
  if (mode == "host" && profile.list(Key::home_keep).empty())
    page.say("The home directory is the real one, all of it.", from);
  if (mode == "host" && !profile.list(Key::home_keep).empty())
    page.say("Of the real home directory what is named below.", from);
}

}  // namespace

void explain_files(Page& page, const Profile& profile, const Plan& plan) {
  page.heading("Files");
  say_home(page, profile);
  list_nodes(page, plan, is_read_write, "It may read and change:", "It may read and change, as sbox set it up:");
  list_nodes(page, plan, is_overlay,
             "It may read, and change in an overlay that you look through and take over from:", "");
  list_places(page, profile, Key::home_recover,
              "When it has ended, a notification offers to take over the files that it added or changed in:");
  list_nodes(page, plan, is_read_only, "It may read:", "It may read, as every program on this desktop needs:");
  list_nodes(page, plan, is_hidden, "Hidden:", "Hidden in every sandbox:");
  list_nodes(page, plan, is_tmpfs, "Its own, empty at the start and forgotten at the end:",
             "Its own in every sandbox, empty at the start and forgotten at the end:");
  const std::string& arguments = profile.text(Key::files_arguments);
  if (arguments != "no") {
    page.say("Files named on the command line are granted for that run, " + arguments + ".",
             origin(profile, Key::files_arguments));
  }
  page.say("Nothing else of the host's files is there.");
}

void explain_devices(Page& page, const Plan& plan) {
  page.heading("Devices");
  list_nodes(page, plan, is_device, "By the profile:", "Those of every sandbox, which are no hardware:");
}

}  // namespace sbox
