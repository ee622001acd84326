// From a command line to a plan: what `sbox PROGRAM` and `sbox export` have in common.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/options.h"
#include "plan/plan.h"
#include "plan/planner.h"
#include "profile/profile.h"

namespace sbox {

// Error where the options name no program.
void require_program(const RunOptions& options);

// "firefox@work" is firefox, as the instance firefox@work. Takes the tag off the program and returns it ("@work"); a
// word of another form is a program's name.
std::string take_tag(RunOptions& options);

// By the options, else the one that names the program, else `default`.
std::string profile_for(const Context& context, const RunOptions& options);

struct InstanceName {
  std::string text;
  bool is_fixed = false;   // by the user, or because there may be one only; else the first that is free
  bool is_single = false;  // a second start goes to the first
};
InstanceName name_of(const RunOptions& options, const std::string& tag, const Profile& profile,
                     const SearchPath& search);

Request request_of(const Context& context, const RunOptions& options, const InstanceName& name,
                   const std::string& throw_away);

// make_plan; for a program that is not found with what it may have been.
Plan plan_for(const Context& context, const Profile& profile, const Request& request);

}  // namespace sbox
