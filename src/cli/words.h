// The words behind a subcommand whose options take no values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sbox {

struct Words {
  std::vector<std::string> options;  // with the dashes in front
  std::vector<std::string> names;    // the others, as typed; none is empty

  bool has(std::string_view option) const;
  // Of one by this place, "" where there are fewer.
  std::string name(size_t at = 0) const { return at < names.size() ? names[at] : ""; }
  std::span<const std::string> behind_first() const { return std::span(names).subspan(names.empty() ? 0 : 1); }
};

// `known`: the options of the command. What stands behind "--" is none. Error for another one, an empty word, and more
// than `most` names.
Words parse_words(std::string_view command, const std::vector<std::string>& arguments,
                  const std::vector<std::string>& known, size_t most = SIZE_MAX);

// "sbox log [--all] [--json] [INSTANCE]", by the table of commands.
std::string usage_of(std::string_view command);

}  // namespace sbox
