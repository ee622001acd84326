// Where this user's things are on the host, and the values of the macros that profiles name them by.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/host.h"
#include "profile/profile.h"

namespace sbox {

struct Places {
  std::string home;            // as the user knows it: normalised
  std::string home_canonical;  // the same without symlinks
  std::string runtime;         // inside: /run/user/UID
  std::string host_runtime;    // on the host, canonical; "" when there is none that can be trusted
  std::string runtime_fault;   // why there is none
  std::map<std::string, std::string, std::less<>> user_directories;  // "DOWNLOADS" -> absolute path
};

// Error when the home directory is missing, not the caller's, or open to others.
Places find_places(const Host& host);

// Where the rules of sbox and what it keeps are, as named and canonical, sorted. They need not exist.
std::vector<std::string> policy_directories(const Host& host, const Places& places);

// ~/.local/share/sbox, canonical, where sbox keeps what programs leave behind; it need not exist. Error when a link of
// another user leads there.
std::string data_directory(const Host& host, const Places& places);

// Whether `name` can be that of a directory there.
bool is_directory_name(const std::string& name);

// `value` with its macros expanded, normalised. Error at its origin for a macro that has no value here and for a result
// that is no absolute path. ${RUNTIME} is the host's directory: the mount view moves what is below it to /run/user/UID.
std::string host_path(const Value& value, const Places& places, const Host& host);

}  // namespace sbox
