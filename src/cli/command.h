// The subcommands: one row each, one file each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/host.h"
#include "profile/reader.h"

namespace sbox {

// What every command works on.
struct Context {
  const Host& host;
  const SearchPath& search;
  const std::string& prefix;  // of the installation: PREFIX/share/sbox
};

struct Command {
  // completions come from `arguments`: --options, PROFILE, THING, FILE, APP, OVERLAY, LABEL
  std::string_view name, arguments, summary;
  // `arguments` without the command's name. Returns the exit status; throws Error.
  int (*run)(const Context& context, const std::vector<std::string>& arguments);
};

std::span<const Command> commands();

}  // namespace sbox
