// `sbox doctor`: what this host has of what sbox needs, and the remedy for what it lacks.
#pragma once

#include <string>
#include <vector>

#include "cli/cgroup.h"
#include "cli/command.h"
#include "cli/probe.h"
#include "plan/host.h"

namespace sbox {

enum class Health { ok, limited, missing };

struct Check {
  std::string name;
  Health health = Health::ok;
  bool required = false;  // without it no program starts
  std::string meaning;    // what is so, and what follows
  std::string remedy;     // a command, or "" where there is none
};

// What was found by trying; the rest is read from the host.
struct Probes {
  ProbeResult namespaces;
  bool seccomp = true;
  KernelVersion kernel;
  std::string prefix = "/usr/local";  // where sbox is installed
  LimitsBy limits = LimitsBy::nothing;
  std::string refusal;          // of a start by the profile for unknown programs; "" where it is none
  int overlay = 0;              // errno of what an overlay of the home fails with
  bool has_granter = false;     // sbox-userns is installed
  std::string granter_refusal;  // what it says; "" when it works, and where there is none
  NetworkProbe network;
  std::string proxy_version;  // the output of xdg-dbus-proxy --version; "" where there is none
};

// Tries things out in child processes. `prefix`: where sbox is installed.
Probes probe(const Host& host, const std::string& prefix);

// Pure but for `host`.
std::vector<Check> examine(const Host& host, const Probes& probes);

bool can_start(const std::vector<Check>& checks);

std::string doctor_table(const std::vector<Check>& checks);
// Documented in sbox(1).
std::string doctor_json(const std::vector<Check>& checks);

// The subcommand: `arguments` is nothing or --json. 0 when sbox can start programs, else 1. Throws Error for bad usage.
int run_doctor(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
