// The rows of `sbox doctor`, by what they speak of. Pure but for the host that they are given.
#pragma once

#include <string>
#include <vector>

#include "cli/doctor.h"

namespace sbox {

using Examine = Check (*)(const Host&, const Probes&);

// Where this process runs, and what limits and networks of its own a sandbox may have.
std::vector<Examine> machine_rows();
// What a desktop session offers to those inside.
std::vector<Examine> session_rows();

inline Check good(const char* name, bool required, std::string meaning) {
  return {name, Health::ok, required, std::move(meaning), ""};
}

// What kind of container this is: "podman", "flatpak" and so on; "" outside of any that is known.
std::string container_kind(const Host& host);

// How such a container is told to allow what a sandbox needs, as a command.
std::string container_remedy(const Host& host);

// The version of a Debian package, "" where there is none.
std::string package_version(const Host& host, const std::string& package);

}  // namespace sbox
