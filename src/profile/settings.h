// The settings table: every key that a profile may hold, declared once. The reader, lint, `sbox show`, the key table of
// sbox-profile(5) and the shell completions come from it.
#pragma once

#include <span>
#include <string_view>

namespace sbox {

enum class Key {
#define SBOX_SETTING(id, section, key, type, fallback, choices, where, meaning) id,
#include "profile/settings.def"
#undef SBOX_SETTING
};

enum class Type {
  boolean,      // yes | no
  choice,       // one of Setting::choices
  text,         // free text, one line
  size,         // bytes: digits with an optional K, M, G (powers of 1024)
  count,        // a decimal number
  duration,     // seconds: digits with an optional s, m, h, d
  share,        // of processors: 50%, or 1.5; a number of per cents
  words,        // list of names: [A-Za-z0-9._+@*-]
  paths,        // list of paths: absolute after macros, no ".."
  bus_rules,    // list of D-Bus names, a trailing ".*" allowed; for calls and broadcasts NAME=INTERFACE.METHOD@PATH
  variables,    // list of NAME, a trailing * allowed
  assignments,  // list of NAME=VALUE
  endpoints,    // list of places in the network, by the key: see profile/network_syntax.h
};

// Who may set it.
enum class Where {
  anywhere,   // files, drop-ins, --set
  file_only,  // what names a profile or pulls in others: not --set
};

struct Setting {
  Key key;
  std::string_view section, name;
  Type type;
  std::string_view fallback;  // the value where no file sets it, in the syntax of a file
  std::string_view choices;   // for Type::choice, and for words that are a closed set; separated by '|'
  Where where;
  std::string_view meaning;  // one line, for the manual

  bool is_list() const { return type >= Type::words; }
};

// In the order of Key.
std::span<const Setting> settings();
const Setting& setting(Key key);
// Null when there is none.
const Setting* find_setting(std::string_view section, std::string_view name);

}  // namespace sbox
