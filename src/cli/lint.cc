#include "cli/lint.h"

#include <algorithm>
#include <cstdio>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/print.h"
#include "cli/words.h"
#include "plan/devices.h"
#include "plan/draft.h"
#include "plan/environment.h"
#include "plan/network.h"
#include "plan/seccomp.h"
#include "plan/syscall_groups.h"
#include "plan/view.h"
#include "profile/dangers.h"
#include "profile/search.h"
#include "profile/values.h"

namespace sbox {
namespace {

// A drop-in, or a block of a folder lib.
LintScope scope_of(const std::string& path) {
  std::string folder = path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  bool is_block = folder.substr(folder.rfind('/') + 1) == "lib";
  return is_drop_in_file(path) || is_block ? LintScope::fragment : LintScope::whole;
}

template <typename Check>
void run_check(std::vector<Finding>& findings, Check&& check) {
  try {
    check();
  } catch (const Error& error) {
    findings.push_back(finding_of(error));
  }
}

// What refuses the start on any host.
std::vector<Finding> refusals_of(const Profile& profile, LintScope scope) {
  std::vector<Finding> findings;
  auto keep = [&](auto&& check) { run_check(findings, check); };
  if (profile.text(Key::seccomp_mode) != "none") keep([&] { seccomp_policy(profile); });
  for (const Value& variable : profile.list(Key::environment_keep)) keep([&] { refuse_loading(variable); });
  // Of a part, another file may bring what is missing.
  if (scope == LintScope::fragment) return findings;
  for (auto check : {check_home, check_limits, check_app_id, check_network, check_filter})
    keep([&] { check(profile); });
  return findings;
}

// Paths that no sandbox may have, each for itself.
std::vector<Finding> refused_paths(const Profile& profile) {
  constexpr std::pair<Key, Access> kPaths[] = {
      {Key::home_keep, Access::read_write},      {Key::home_keep_read_only, Access::read_only},
      {Key::files_read_only, Access::read_only}, {Key::files_read_write, Access::read_write},
      {Key::files_hide, Access::hide},           {Key::files_tmpfs, Access::tmpfs},
  };
  std::vector<Finding> findings;
  auto keep = [&](auto&& check) { run_check(findings, check); };
  for (const auto& row : kPaths) {
    for (const Value& value : profile.list(row.first)) keep([&] { check_written(row.second, value); });
  }
  for (const Value& value : profile.list(Key::devices_allow)) keep([&] { check_device(value); });
  for (const Value& value : profile.list(Key::system_etc)) keep([&] { check_etc(value); });
  return findings;
}

// What the tables of the planner know to be dangerous or useless.
std::vector<Finding> doubts_of(const Profile& profile) {
  std::vector<Finding> findings;
  for (const Value& value : profile.list(Key::environment_keep)) {
    if (!speaks_of_the_host(value.text)) continue;
    findings.push_back({Finding::Severity::warning, value.origin,
                        shown(setting(Key::environment_keep), value) +
                            ": useless: it speaks of the host, and sbox sets it where the profile grants its object",
                        ""});
  }
  auto warn = [&](Key key, const Value& value, const std::string& why, const std::string& hint) {
    findings.push_back(
        {Finding::Severity::danger, value.origin, shown(setting(key), value) + ": dangerous: " + why, hint});
  };
  if (profile.text(Key::seccomp_mode) != "none") {
    for (const Value& value : profile.list(Key::seccomp_allow)) {
      const SyscallGroup* group = further_group(value.text);
      if (group)
        warn(Key::seccomp_allow, value, "more of the kernel is open to attack (" + std::string(group->name) + ")", "");
    }
  }
  for (const Value& value : profile.list(Key::devices_allow)) {
    std::optional<Key> word = device_setting(value.text + (value.text == "/dev/input" ? "/" : ""));
    if (word == Key::devices_input) warn(Key::devices_allow, value, "who reads input devices sees each key", "");
    if (word == Key::devices_usb) warn(Key::devices_allow, value, "raw USB is keyboards and disks", "");
    if (std::string_view why = danger_of_device(value.text); !why.empty())
      warn(Key::devices_allow, value, std::string(why), "");
  }
  return findings;
}

std::vector<Finding> lint_one(const SearchPath& search, const std::string& name) {
  try {
    Profile profile = read_profile(search, name);
    std::vector<Finding> findings = refusals_of(profile, scope_of(name));
    for (const std::vector<Finding>& more :
         {refused_paths(profile), doubts_of(profile), lint_profile(profile, scope_of(name))}) {
      findings.insert(findings.end(), more.begin(), more.end());
    }
    return findings;
  } catch (const Error& error) {
    return {finding_of(error)};
  }
}

// Files alone first, so that what is wrong in one is not only told of the first that includes it.
std::vector<std::string> everything(const SearchPath& search) {
  std::vector<std::string> names = Search(search).all_files();
  for (std::string& name : list_profiles(search)) names.push_back(std::move(name));
  return names;
}

// Where drop-ins for `name` belong, when there is no profile of that name.
std::string hint_for_drop_ins(const SearchPath& search, const std::string& name) {
  try {
    if (auto profile = find_profile_for(search, name)) return name + " has the profile " + *profile;
  } catch (const Error&) {
    // Told as an error of that profile.
  }
  std::vector<std::string> names = list_profiles(search), blocks = Search(search).blocks();
  names.insert(names.end(), blocks.begin(), blocks.end());
  std::optional<std::string> near = nearest(name, names);
  return near ? "did you mean " + *near + ".profile.d?" : "";
}

Finding finding_of(const SearchPath& search, const Stray& stray) {
  Finding finding{Finding::Severity::warning, {stray.path, 0}, "useless: it is not read", ""};
  if (stray.kind == Stray::Kind::profile) finding.hint = "profiles end in .profile, drop-ins are in NAME.profile.d";
  if (stray.kind == Stray::Kind::drop_in) finding.hint = "drop-ins end in .conf";
  if (stray.kind == Stray::Kind::drop_ins) {
    finding.text = "useless: there is no profile " + quote(stray.name) + " to be changed by these";
    finding.hint = hint_for_drop_ins(search, stray.name);
  }
  return finding;
}

}  // namespace

std::vector<Finding> lint_all(const SearchPath& search, const std::vector<std::string>& names) {
  std::vector<Finding> findings;
  try {
    for (const std::string& name : names.empty() ? everything(search) : names) {
      for (Finding& finding : lint_one(search, name)) {
        bool known = contains(findings, finding);
        if (!known) findings.push_back(std::move(finding));
      }
    }
    if (!names.empty()) return findings;
    for (const Stray& stray : Search(search).strays()) findings.push_back(finding_of(search, stray));
  } catch (const Error& error) {
    findings.push_back(finding_of(error));
  }
  return findings;
}

int run_lint(const Context& context, const std::vector<std::string>& arguments) {
  bool failed = false;
  for (const Finding& finding : lint_all(context.search, parse_words("lint", arguments, {}).names)) {
    print(finding_line(finding) + "\n");
    failed = failed || finding.severity == Finding::Severity::error;
  }
  return failed ? 1 : 0;
}

}  // namespace sbox
