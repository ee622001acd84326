#include <nlohmann/json.hpp>
#include <optional>

#include "base/strings.h"
#include "cli/answer.h"
#include "cli/print.h"
#include "cli/proposal.h"
#include "profile/values.h"

namespace sbox {
namespace {

std::string times(uint64_t count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

std::string reason_text(const Reason& reason) {
  std::string text = reason.what + " " + reason.subject + ", by " + reason.trail.by + " (" + reason.trail.call + "), " +
                     times(reason.trail.count);
  if (!reason.trail.error.empty()) text += ", failed (" + reason.trail.error + ")";
  return escape_control(text);
}

// One line that a profile may have: longer ones are refused.
std::string comment(std::string text) {
  constexpr size_t kLongest = 190;
  if (text.size() > kLongest) {
    size_t end = kLongest;
    while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // between characters
    text = text.substr(0, end) + "...";
  }
  return "# " + text + "\n";
}

std::string comments(const std::vector<Reason>& reasons, const char* indent) {
  std::string text;
  for (const Reason& reason : reasons) text += comment(indent + reason_text(reason));
  return text;
}

// What `line` would be, and why it is not there.
std::string comment_of(const ProposedLine& line) {
  return comment(proposed_line_text(line)) + comments(line.reasons, "  ") +
         comment("  " + escape_control(line.caution));
}

bool can_be_named(const std::string& program) {
  try {
    check_value(setting(Key::profile_programs), {program, {"command line", 0}});
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string proposed_line_text(const ProposedLine& line) { return escape_control(line_of(line.key, line.value)); }

std::string reasons_text(const ProposedLine& line) {
  std::string text;
  for (const Reason& reason : line.reasons) text += (text.empty() ? "" : "; ") + reason_text(reason);
  return text;
}

std::string proposal_text(const Proposal& proposal) {
  std::string text = "# Proposed by sbox learn: each line with what the program did that asks for it.\n[profile]\n";
  text += "description = " + proposal.name + ", as it was seen to run\n";
  bool is_found_by_name = proposal.name == proposal.program;
  if (!is_found_by_name && can_be_named(proposal.program)) text += "programs = " + proposal.program + "\n";
  std::string_view section = "profile";
  std::optional<Key> list;
  for (const ProposedLine& line : proposal.lines) {
    const Setting& row = setting(line.key);
    if (row.section != section) text += "\n[" + std::string(row.section) + "]\n";
    section = row.section;
    if (row.is_list() && list != line.key) text += std::string(row.name) + " =\n";
    list = line.key;
    text += comments(line.reasons, "");
    text += row.is_list() ? "  " + quote_element(line.value) + "\n" : std::string(row.name) + " = " + line.value + "\n";
  }
  if (!proposal.not_taken.empty()) text += "\n# Wanted, and not proposed:\n";
  for (const ProposedLine& line : proposal.not_taken) text += comment_of(line);
  for (const std::string& remark : proposal.remarks) text += comment(escape_control(remark));
  return text;
}

std::string proposal_json(const Proposal& proposal, int status) {
  using nlohmann::ordered_json;
  auto of_lines = [](const std::vector<ProposedLine>& lines) {
    ordered_json list = ordered_json::array();
    for (const ProposedLine& line : lines) {
      ordered_json evidence = ordered_json::array();
      for (const Reason& reason : line.reasons) {
        evidence.push_back({{"what", reason.what},
                            {"subject", reason.subject},
                            {"process", reason.trail.by},
                            {"call", reason.trail.call},
                            {"count", reason.trail.count},
                            {"error", reason.trail.error}});
      }
      ordered_json entry = {{"setting", key_name(setting(line.key))}, {"value", line.value}, {"evidence", evidence}};
      if (!line.caution.empty()) entry["caution"] = line.caution;
      list.push_back(std::move(entry));
    }
    return list;
  };
  ordered_json json = {{"profile", proposal.name},
                       {"program", proposal.program},
                       {"status", status},
                       {"lines", of_lines(proposal.lines)},
                       {"not_proposed", of_lines(proposal.not_taken)},
                       {"remarks", proposal.remarks},
                       {"text", proposal_text(proposal)}};
  return json_text(json);
}

}  // namespace sbox
