// `sbox explain PROFILE THING`: what kind of thing a word names, and the answer for each kind.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/answer.h"
#include "plan/host.h"
#include "plan/plan.h"
#include "profile/profile.h"

namespace sbox {

struct Inquiry {
  const Profile& profile;
  const Plan& plan;
  const Host& host;
};

// One kind of thing. The rows are asked in order; KIND:WORD chooses one by its name.
struct ThingKind {
  std::string_view name;
  bool (*matches)(const Inquiry& inquiry, const std::string& word);
  Answer (*explain)(const Inquiry& inquiry, const std::string& word);
};
std::span<const ThingKind> thing_kinds();

// Error for a word that cannot be what its KIND says.
Answer explain_thing(const Inquiry& inquiry, const std::string& word);

// Words that need no further input, for completions: devices and the like.
std::vector<std::string> setting_words();

// One for each kind, in a file of its name.
// `path` of the host: absolute, or relative to the current directory; it need not exist. Error for one that cannot be
// made absolute.
Answer explain_path(const Inquiry& inquiry, const std::string& path);
Answer explain_bus_name(const Inquiry& inquiry, const std::string& name);
Answer explain_call(const Inquiry& inquiry, const std::string& word);  // a call or a group
Answer explain_variable(const Inquiry& inquiry, const std::string& name);
Answer explain_destination(const Inquiry& inquiry, const std::string& word);  // as network.connect names it
Answer explain_setting(const Inquiry& inquiry, const std::string& word);

bool is_network(const Inquiry& inquiry, const std::string& word);  // addresses; with a slash, as in 10.0.0.0/8, too
bool is_destination(const Inquiry& inquiry, const std::string& word);
bool is_call_or_group(std::string_view word);
// SECTION.KEY, or a word that people use for one thing: "camera", "microphone".
std::optional<Key> setting_named(std::string_view word);

}  // namespace sbox
