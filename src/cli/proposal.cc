#include "cli/proposal.h"

#include <algorithm>
#include <set>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/proposer.h"
#include "plan/paths.h"
#include "profile/lint.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr size_t kMostReasons = 3, kMostRemarks = 50;

bool names_the_file(Key key) {
  return key == Key::profile_description || key == Key::profile_format || key == Key::profile_include ||
         key == Key::profile_programs;
}

// Everything that a profile sets.
std::vector<Element> elements_of(const Profile& profile) {
  std::vector<Element> elements;
  for (const Setting& row : settings()) {
    if (names_the_file(row.key) || !profile.is_set(row.key)) continue;
    if (!row.is_list()) {
      elements.push_back({row.key, profile.scalar(row.key).text});
      continue;
    }
    for (const Value& value : profile.list(row.key)) elements.push_back({row.key, value.text});
  }
  return elements;
}

}  // namespace

void Needs::add(Key key, std::string value, Reason reason) {
  for (const Need& need : needs_) {
    if (need.key == key && (need.value == value || !setting(key).is_list())) return;
  }
  constexpr size_t kLongest = 190;  // bytes of a line
  try {
    check_value(setting(key), {value, {"evidence", 0}});
    if (quote_element(value).size() > kLongest) throw Error("line", "is too long");
    needs_.push_back({key, std::move(value), std::move(reason)});
  } catch (const Error&) {
    remark("A profile cannot name " + quote(value) + ", which it " + reason.what + ".");
  }
}

void Needs::add_block(std::string_view name, const Reason& reason) {
  for (const Block& block : blocks_) {
    if (block.name != name) continue;
    for (Element& element : elements_of(block.profile)) add(element.key, std::move(element.value), reason);
  }
}

void Needs::leave(Key key, std::string value, Reason reason, std::string caution) {
  for (const ProposedLine& line : left_) {
    if (line.key == key && line.value == value) return;
  }
  left_.push_back({key, std::move(value), {std::move(reason)}, std::move(caution)});
}

void Needs::remark(std::string text) {
  bool is_known = contains(remarks_, text);
  if (!is_known && remarks_.size() < kMostRemarks) remarks_.push_back(std::move(text));
}

std::string Needs::written(const std::string& path) const {
  if (is_at_or_below(path, places_.home_canonical)) {
    std::string rest = rest_below(path, places_.home_canonical);
    return rest.empty() ? "~" : "~/" + rest;
  }
  return path;
}

std::vector<ProposedLine> Needs::lines() const {
  std::vector<const Block*> blocks;
  std::set<Element> needed, covered;
  for (const Need& need : needs_) needed.insert({need.key, need.value});
  for (const Block& block : blocks_) blocks.push_back(&block);
  std::stable_sort(blocks.begin(), blocks.end(), [](const Block* a, const Block* b) {
    return elements_of(a->profile).size() > elements_of(b->profile).size();
  });
  std::vector<ProposedLine> lines;
  for (const Block* block : blocks) {
    std::vector<Element> elements = elements_of(block->profile);
    bool is_backed =
        std::all_of(elements.begin(), elements.end(), [&](const Element& one) { return needed.contains(one); });
    size_t fresh = static_cast<size_t>(
        std::count_if(elements.begin(), elements.end(), [&](const Element& one) { return !covered.contains(one); }));
    if (!is_backed || fresh < 2) continue;
    ProposedLine line{Key::profile_include, block->name, {}, ""};
    for (const Need& need : needs_) {
      bool is_of_it = contains(elements, Element{need.key, need.value});
      bool is_told = std::any_of(line.reasons.begin(), line.reasons.end(), [&](const Reason& reason) {
        return reason.what == need.reason.what && reason.subject == need.reason.subject;
      });
      if (is_of_it && !is_told && line.reasons.size() < kMostReasons) line.reasons.push_back(need.reason);
    }
    covered.insert(elements.begin(), elements.end());
    lines.push_back(std::move(line));
  }
  for (const Need& need : needs_) {
    if (!covered.contains({need.key, need.value})) lines.push_back({need.key, need.value, {need.reason}, ""});
  }
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return lines;
}

Proposal Needs::proposal() const { return {lesson_.name, lesson_.request.program, lines(), left_, remarks_}; }

bool is_dangerous_line(const Element& element) {
  try {
    Profile profile;
    profile.assign(element.key, {element.value, {"evidence", 0}});
    std::vector<Finding> findings = lint_profile(profile, LintScope::fragment);
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.severity == Finding::Severity::danger; });
  } catch (const Error&) {
    return true;
  }
}

Proposal propose(const Lesson& lesson, const std::vector<Block>& blocks, const Host& host) {
  Needs needs(lesson, blocks, host);
  look_at_things(needs);
  look_at_files(needs);
  if (lesson.evidence.dropped > 0) {
    needs.remark("It wanted more things than are kept: " + std::to_string(lesson.evidence.dropped) + " are left out.");
  }
  return needs.proposal();
}

}  // namespace sbox
