#include "cli/export.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include "base/mount_path.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/request.h"
#include "cli/words.h"
#include "oci/bundle.h"
#include "oci/store.h"
#include "overlay/directory.h"
#include "plan/paths.h"
#include "plan/seccomp.h"

namespace sbox {
namespace {

const RunOption* find_option(char letter) {
  auto found = std::ranges::find(run_options(), letter, &RunOption::letter);
  return found == run_options().end() ? nullptr : &*found;
}

// Whether the next word is the value of this option, or of the last of these letters.
bool takes_next_word(const std::string& word) {
  if (word.starts_with("--")) {
    return std::ranges::any_of(run_options(),
                               [&](const RunOption& row) { return row.value && word.substr(2) == row.name; });
  }
  for (size_t i = 1; i < word.size(); ++i) {
    const RunOption* row = find_option(word[i]);
    if (row && row->value) return i + 1 == word.size();
  }
  return false;
}

// Takes `--oci DIR` out of the options, which end at the program.
std::string take_directory(std::vector<std::string>& words) {
  for (size_t at = 0; at < words.size() && words[at].starts_with('-') && words[at] != "--"; ++at) {
    size_t begin = at;
    if (auto directory = option_value(words, at, std::string("--") + kOciOption.name)) {
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(begin),
                  words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      return *directory;
    }
    if (takes_next_word(words[at])) ++at;
  }
  return "";
}

void check_options(const RunOptions& options) {
  if (options.ephemeral)
    throw Error("export --ephemeral", "a bundle starts the same program again and again").hint("leave it out");
  if (options.dry_run) throw Error("export --dry-run", "there is no such option").hint("see `sbox --dry-run`");
  require_program(options);
}

mode_t callers_umask() {
  mode_t mask = umask(0);
  umask(mask);
  return mask;
}

// As this process sees them. One that is covered by another of the same path is there once.
std::vector<std::string> mount_points(const Host& host) {
  std::set<std::string, PathOrder> paths;
  std::optional<std::string> table = host.read("/proc/self/mountinfo");
  if (!table) throw Error("/proc/self/mountinfo", "it cannot be read");
  for (const std::string& line : split(*table, '\n')) {
    constexpr size_t kMountPoint = 4;
    std::vector<std::string> words = split(line, ' ');
    if (words.size() > kMountPoint) paths.insert(unescape_mount_path(words[kMountPoint]));
  }
  return {paths.begin(), paths.end()};
}

BundleRequest request_for(const Context& context, const Profile& profile, const std::string& directory) {
  BundleRequest request;
  request.directory = directory;
  request.policy = planned_policy(profile, context.host.architecture());
  request.mount_points = mount_points(context.host);
  request.accepts_abstract_sockets = profile.is_optional("abstract-sockets");
  request.terminal = isatty(STDIN_FILENO) == 1;
  request.umask = callers_umask();
  return request;
}

void say_what_is_missing(const Bundle& bundle) {
  for (const std::string& note : bundle.notes) {
    fprintf(stderr, "sbox: export: %s\n", escape_control(note).c_str());
  }
}

}  // namespace

int run_export(const Context& context, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = arguments;
  std::string directory = take_directory(words);
  RunOptions options = parse_run_options(words);
  if (options.help) {
    print("usage: " + usage_of("export") + "\n");
    return 0;
  }
  if (directory.empty()) throw Error("export", "no directory is named").hint("as in sbox export --oci ./bundle true");
  check_options(options);
  std::string tag = take_tag(options);
  Profile profile = read_profile(context.search, profile_for(context, options), options.overrides);
  InstanceName name = name_of(options, tag, profile, context.search);
  Plan plan = plan_for(context, profile, request_of(context, options, name, ""));
  BundleDirectory place(directory);
  Bundle bundle = make_bundle(plan, request_for(context, profile, place.path()));
  constexpr size_t kDigits = 16;
  for (const std::string& each : plan.make_directories) make_path(each);
  place.write(bundle, context.host.random_hex(kDigits));
  if (!options.quiet) say_what_is_missing(bundle);
  return 0;
}

}  // namespace sbox
