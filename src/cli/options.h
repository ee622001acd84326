// The options of `sbox run`. Parsing ends at the first word that is no option: what follows belongs to the program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "profile/reader.h"

namespace sbox {

struct RunOptions {
  std::string profile;  // "" where none is named
  std::vector<Override> overrides;
  std::string instance;
  bool ephemeral = false, dry_run = false, verbose = false, quiet = false, help = false, version = false;
  std::vector<std::string> command;  // the program and its arguments
};

struct RunOption {
  char letter;        // not a letter of the command line where it has only the long form
  const char* name;   // without --
  const char* value;  // what it takes, null for nothing
  const char* meaning;
};
std::span<const RunOption> run_options();

// Error for an unknown option (with the nearest known one) or a missing value.
RunOptions parse_run_options(const std::vector<std::string>& arguments);

// The value of the option `name` where words[at] is that: written NAME=VALUE, or the next word, to which `at` is moved
// ("" where there is none). Nothing where words[at] is another word.
std::optional<std::string> option_value(const std::vector<std::string>& words, size_t& at, std::string_view name);

// The options, for --help.
std::string run_options_help();

}  // namespace sbox
