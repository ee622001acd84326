// Whatever a profile grants, wherever the host's links lead and whatever the environment says: the start is refused
// with one line, or the plan is sound and shows none of sbox's own directories. libFuzzer entry; parts separated by
// "---": the profile, the environment (NAME=VALUE), the host (dir, file, link, socket, stranger; PATH, TARGET), the
// arguments, user-dirs.dirs.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "fuzz.h"
#include "plan/decode.h"
#include "plan/encode.h"
#include "plan/json.h"
#include "plan/paths.h"
#include "plan/planner.h"
#include "plan/tree.h"
#include "profile/ini.h"
#include "profile/values.h"
#include "tests/unit/plan/fake_host.h"

namespace {

using namespace sbox;
using fuzz::require;
using sbox::testing::FakeHost;

// By target.
using NodeOf = std::unordered_map<std::string_view, const Node*>;

constexpr const char* kPolicy[] = {"/home/ann/.config/sbox", "/home/ann/.local/share/sbox", "/etc/sbox"};

Profile profile_of(std::string_view text) {
  Profile profile;
  profile.rename("fuzz", "");
  for (const IniEntry& entry : parse_ini("fuzz", text).entries) {
    const Setting* row = find_setting(entry.section, entry.key);
    if (!row) continue;
    for (const IniText& line : entry.texts) {
      Origin origin{"fuzz", line.line};
      if (!row->is_list()) profile.assign(row->key, {line.text, origin});
      if (!row->is_list()) continue;
      for (const Value& value : split_elements(line.text, origin)) {
        entry.sign == '-' ? profile.remove(row->key, value) : profile.assign(row->key, value);
      }
    }
  }
  // Compiling filters takes long, and its input is only words that were checked.
  profile.assign(Key::seccomp_mode, {"none", {}});
  return profile;
}

void set_environment(FakeHost& host, std::string_view text) {
  for (const std::string& line : split(text, '\n')) {
    size_t equals = line.find('=');
    if (equals == std::string::npos || equals == 0 || line.find('\0') != std::string::npos) continue;
    host.set(line.substr(0, equals), line.substr(equals + 1));
  }
}

// What another user could not do to this one's home is not asked of the planner: only /etc/sbox and above are root's.
void furnish(FakeHost& host, std::string_view text) {
  for (const std::string& line : split(text, '\n')) {
    std::vector<std::string> words = split(line, ' ');
    if (words.size() < 2 || line.find('\0') != std::string::npos) continue;
    std::optional<std::string> path = normalise(words[1]);
    if (!path || *path == "/") continue;
    if (words[0] == "dir") host.directory(*path);
    if (words[0] == "file") host.file(*path, "", sbox::testing::kAnn, 0755);
    if (words[0] == "socket") host.socket(*path);
    if (words[0] == "stranger") host.directory(*path, sbox::testing::kStranger, 0777);
    if (words[0] == "link" && words.size() > 2 && !words[2].empty()) host.link(*path, words[2]);
  }
}

bool is_made(const Plan& plan, const std::string& path) {
  return std::find(plan.make_directories.begin(), plan.make_directories.end(), path) != plan.make_directories.end();
}

// The directory of a target: a node before it, or what the nearest of these shows of the host.
void check_parent(const FakeHost& host, const Plan& plan, const std::string& parent, const NodeOf& earlier) {
  if (parent == "/" || earlier.contains(parent)) return;
  const Node* around = nullptr;
  for (std::string path = parent; path != "/" && !around; path = parent_of(path)) {
    auto found = earlier.find(path);
    if (found != earlier.end()) around = found->second;
  }
  require(around, "a node comes before its parent");
  std::optional<std::string> shown = shown_at(*around, parent);
  require(shown && (host.status(*shown).kind == FileKind::directory || is_made(plan, *shown)),
          "a node has no directory to be in");
}

void check_node(const Node& node) {
  require(normalise(node.target) == node.target && node.target != "/", "a target is not normalised");
  bool has_source = node.kind == NodeKind::bind || node.kind == NodeKind::follow;
  require(!has_source || normalise(node.source) == node.source, "a source is not normalised");
}

void check_nodes(const FakeHost& host, const Plan& plan) {
  NodeOf earlier;
  for (const Node& node : plan.nodes) {
    check_node(node);
    check_parent(host, plan, parent_of(node.target), earlier);
    if (node.kind == NodeKind::bind) {
      bool is_canonical = host.resolve(node.source).path == node.source;
      require(is_canonical || is_made(plan, node.source), "the source of a bind is not canonical");
    }
    earlier[node.target] = &node;
  }
}

// The node that decides what is seen at `path` inside: the longest target, the last among equals.
const Node* deciding(const Plan& plan, const std::string& path) {
  const Node* best = nullptr;
  for (const Node& node : plan.nodes) {
    if (!is_at_or_below(path, node.target) || node.kind == NodeKind::pin) continue;
    if (!best || node.target.size() >= best->target.size()) best = &node;
  }
  return best;
}

void check_policy(const FakeHost& host, const Plan& plan) {
  for (const char* directory : kPolicy) {
    std::string path = host.resolve(directory).path;
    if (path != directory) continue;  // of a link or a missing one, the unit tests know more
    for (const Node& node : plan.nodes) {
      if (node.kind != NodeKind::bind || !is_at_or_below(path, node.source)) continue;
      std::string inside = rebase(path, node.source, node.target);
      require(deciding(plan, inside) != &node, "the rules of sbox are in the sandbox");
    }
  }
}

void check_texts(const Plan& plan, bool also_as_json) {
  for (const std::string& variable : plan.environment) {
    require(variable.find('=') != std::string::npos && variable[0] != '=', "a variable without a name");
  }
  Plan again;
  require(decode_plan(encode_plan(plan), again) && again == plan, "the launcher would not take the plan");
  require(!also_as_json || nlohmann::json::accept(plan_json(plan)), "the plan as JSON is not JSON");
  require(normalise(plan.program) == plan.program, "the program is not named by its path");
}

void check(std::string_view text) {
  std::vector<std::string> parts = fuzz::parts(text, 5);
  if (parts[3].find('\0') != std::string::npos) return;  // no command line can hold one
  Profile profile = profile_of(parts[0]);
  static const FakeHost kHost;
  FakeHost host = kHost;
  furnish(host, parts[2]);
  host.file("/home/ann/.config/user-dirs.dirs", parts[4]);
  set_environment(host, parts[1]);
  Request request{"true", split(parts[3], '\n'), "", "/usr", false};
  Plan plan = make_plan(profile, request, host);
  check_nodes(host, plan);
  check_policy(host, plan);
  // It would be half of the time, and json_fuzz gives each field all kinds of text.
  constexpr size_t kOneIn = 8;
  check_texts(plan, std::hash<std::string_view>()(text) % kOneIn == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    check(fuzz::text_of(data, size));
  } catch (const Error& error) {
    fuzz::check_error(error);
  }
  return 0;
}
