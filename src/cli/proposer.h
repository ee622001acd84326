// What the files of the proposal share: the needs that the evidence of a run supports, each an element of a profile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/proposal.h"
#include "plan/places.h"

namespace sbox {

// A scalar's value, or one element of a list.
struct Element {
  Key key;
  std::string value;
  auto operator<=>(const Element&) const = default;
};

struct Need {
  Key key;
  std::string value;
  Reason reason;
};

class Needs {
 public:
  Needs(const Lesson& lesson, const std::vector<Block>& blocks, const Host& host)
      : lesson_(lesson), blocks_(blocks), host_(host), places_(find_places(host)) {}

  const Lesson& lesson() const { return lesson_; }
  const Host& host() const { return host_; }
  const Places& places() const { return places_; }
  const std::vector<Need>& all() const { return needs_; }

  // What a profile cannot hold is told; of a setting that is no list, the first value stays.
  void add(Key key, std::string value, Reason reason);
  // All that the block sets.
  void add_block(std::string_view name, const Reason& reason);
  // Told, but not proposed.
  void leave(Key key, std::string value, Reason reason, std::string caution);
  void remark(std::string text);

  std::string written(const std::string& path) const;  // as a profile names it
  Proposal proposal() const;

 private:
  std::vector<ProposedLine> lines() const;

  const Lesson& lesson_;
  const std::vector<Block>& blocks_;
  const Host& host_;
  Places places_;
  std::vector<Need> needs_;
  std::vector<ProposedLine> left_;
  std::vector<std::string> remarks_;
};

// Whether lint would call a profile with this dangerous.
bool is_dangerous_line(const Element& element);

// What the parts of the evidence ask for: sockets, buses, hosts and denied calls; files and devices, which are compared
// with a plan of what the others need.
void look_at_things(Needs& needs);
void look_at_files(Needs& needs);

}  // namespace sbox
