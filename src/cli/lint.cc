#include "cli/lint.h"

#include <algorithm>
#include <cstdio>

#include "profile/search.h"

namespace sbox {
namespace {

// A drop-in, or a block of a folder lib.
LintScope scope_of(const std::string& path) {
  std::string folder = path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  bool is_block = folder.substr(folder.rfind('/') + 1) == "lib";
  return path.ends_with(".conf") || is_block ? LintScope::fragment : LintScope::whole;
}

std::vector<Finding> lint_one(const SearchPath& search, const std::string& name) {
  try {
    Profile profile = read_profile(search, name);
    return lint_profile(profile, scope_of(name));
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

}  // namespace

std::vector<Finding> lint_all(const SearchPath& search, const std::vector<std::string>& names) {
  std::vector<Finding> findings;
  try {
    for (const std::string& name : names.empty() ? everything(search) : names) {
      for (Finding& finding : lint_one(search, name)) {
        bool known = std::find(findings.begin(), findings.end(), finding) != findings.end();
        if (!known) findings.push_back(std::move(finding));
      }
    }
  } catch (const Error& error) {
    findings.push_back(finding_of(error));
  }
  return findings;
}

int run_lint(const SearchPath& search, const std::vector<std::string>& args) {
  bool failed = false;
  for (const Finding& finding : lint_all(search, args)) {
    fputs((finding_line(finding) + "\n").c_str(), stdout);
    failed = failed || finding.severity == Finding::Severity::error;
  }
  return failed ? 1 : 0;
}

}  // namespace sbox
