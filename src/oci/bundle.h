// A plan as an OCI bundle (opencontainers/runtime-spec): what a runtime such as crun needs to start the program as the
// same ordinary user, confined as the plan says. Pure.
//
// Nothing of sbox runs beside such a program. What is only missing then (a bus, a network) is left out and told. What
// would be weaker without (a limit that nobody watches, ports that only Landlock closes) refuses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oci/mounts.h"
#include "plan/plan.h"
#include "plan/seccomp.h"

namespace sbox {

struct BundleRequest {
  std::string directory;                    // where the bundle is to be: absolute, canonical
  std::optional<SeccompPolicy> policy{};    // that the filters of the plan are made of; nothing where it has none
  std::vector<std::string> mount_points{};  // of the host, parents first
  bool accepts_abstract_sockets = false;    // by [profile] optional
  bool terminal = false;                    // the program gets a terminal of its own
  uint32_t umask = 022;
};

struct Bundle {
  std::string config;              // config.json
  std::vector<BundleFile> files;   // beside it; parents come first
  std::vector<std::string> notes;  // what is left out: sentences without a full stop
};

// Error for a plan that a runtime could only carry out in part.
Bundle make_bundle(const Plan& plan, const BundleRequest& request);

}  // namespace sbox
