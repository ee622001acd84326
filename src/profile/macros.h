// The macros of paths in profiles: ${NAME}, and ~ for ${HOME}. Never re-expanded, no shell, no environment.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sbox {

struct Macro {
  std::string_view name;
  bool is_directory;  // an absolute path: only at the start of a path. Else a word that may stand anywhere in it
  std::string_view meaning;
};

std::span<const Macro> macros();
// Null when there is none.
const Macro* find_macro(std::string_view name);

// What a macro stands for on this host; nothing when the host has no such thing.
using MacroLookup = std::function<std::optional<std::string>(std::string_view name)>;

// `text` is a value of Type::paths as the reader let it pass. Error (without origin) for an unknown macro, one that
// `lookup` does not know, a value with control characters or '..', and a result that is not absolute.
std::string expand_macros(std::string_view text, const MacroLookup& lookup);

}  // namespace sbox
