#include "cli/command.h"

#include <algorithm>
#include <iterator>

#include "cli/audit.h"
#include "cli/complete.h"
#include "cli/doctor.h"
#include "cli/edit.h"
#include "cli/enable.h"
#include "cli/explain.h"
#include "cli/export.h"
#include "cli/join.h"
#include "cli/learn.h"
#include "cli/lint.h"
#include "cli/list.h"
#include "cli/log.h"
#include "cli/overlay.h"
#include "cli/run.h"
#include "cli/show.h"
#include "cli/stop.h"
#include "cli/top.h"

namespace sbox {
namespace {

using Arguments = std::vector<std::string>;

constexpr Command kCommands[] = {
    {"run", "[OPTIONS] [--] PROGRAM [ARG...]", "run PROGRAM; for programs that are called like a command of sbox",
     [](const Context& context, const Arguments& arguments) { return run_run(context, arguments); }},
    {"list", "[--json]", "the sandboxes that run",
     [](const Context& context, const Arguments& arguments) { return run_list(context, arguments); }},
    {"join", "INSTANCE [--] [PROGRAM [ARG...]]", "run PROGRAM, or a shell, in a running sandbox",
     [](const Context& context, const Arguments& arguments) { return run_join(context, arguments); }},
    {"stop", "[--time SECONDS] [--force] INSTANCE...", "end a running sandbox, all of it",
     [](const Context& context, const Arguments& arguments) { return run_stop(context, arguments); }},
    {"top", "[--json]", "what the sandboxes that run use",
     [](const Context& context, const Arguments& arguments) { return run_top(context, arguments); }},
    {"show", "[--all] [PROFILE]", "the effective profile, each line with its origin",
     [](const Context& context, const Arguments& arguments) { return run_show(context.search, arguments); }},
    {"explain", "[--json] PROFILE [THING]",
     "what the program can touch, in plain words; for one path, bus name, system call or device: yes or no, and why",
     [](const Context& context, const Arguments& arguments) {
       return run_explain(context.search, context.host, context.prefix, arguments);
     }},
    {"lint", "[FILE...]", "check profiles for mistakes, dangerous and useless settings",
     [](const Context& context, const Arguments& arguments) { return run_lint(context.search, arguments); }},
    {"audit", "[--json] [--threshold N] [PROFILE...]", "how much profiles grant, as a number with its reasons",
     [](const Context& context, const Arguments& arguments) { return run_audit(context.search, arguments); }},
    {"edit", "PROFILE", "change a profile by a drop-in of your own",
     [](const Context& context, const Arguments& arguments) { return run_edit(context, arguments); }},
    {"learn",
     "[--yes] [--json] [--name NAME] [--output FILE] [--force] [--no-network] [-s SETTING] [--] PROGRAM [ARG...]",
     "watch a program run, and propose a profile for it",
     [](const Context& context, const Arguments& arguments) { return run_learn(context, arguments); }},
    {"log", "[--all] [--json] [INSTANCE]", "what was denied to the last run, and the line that would allow it",
     [](const Context& context, const Arguments& arguments) { return run_log(context, arguments); }},
    {"doctor", "[--json]", "what this host supports, and the remedy for what it lacks",
     [](const Context& context, const Arguments& arguments) {
       return run_doctor(context.host, context.prefix, arguments);
     }},
    {"enable", "[--shims] [--system] APP... | --all | --list [--json]",
     "desktop entries that start programs through sbox",
     [](const Context& context, const Arguments& arguments) { return run_enable(context, arguments); }},
    {"disable", "[--system] APP... | --all", "the entries as they were before",
     [](const Context& context, const Arguments& arguments) { return run_disable(context, arguments); }},
    {"diff", "[--text] [--json] [--no-pager] [--color=never|always] [OVERLAY [PATH...]]",
     "what programs changed in an overlay home",
     [](const Context& context, const Arguments& arguments) { return run_diff(context, arguments); }},
    {"commit", "[--force] [--quiet] OVERLAY [PATH...]", "take changed files over from an overlay",
     [](const Context& context, const Arguments& arguments) { return run_commit(context, arguments); }},
    {"discard", "OVERLAY [PATH...]", "throw the changes in an overlay away",
     [](const Context& context, const Arguments& arguments) { return run_discard(context, arguments); }},
    {"snapshot", "[--list] [--json] [--delete] [OVERLAY [LABEL]]", "keep a copy of what is in an overlay",
     [](const Context& context, const Arguments& arguments) { return run_snapshot(context, arguments); }},
    {"restore", "OVERLAY [LABEL]", "set an overlay back to a snapshot",
     [](const Context& context, const Arguments& arguments) { return run_restore(context, arguments); }},
    {"export", "--oci DIR [OPTIONS] [--] PROGRAM [ARG...]", "the same sandbox as an OCI bundle",
     [](const Context& context, const Arguments& arguments) { return run_export(context, arguments); }},
    {"complete", "WORD...", "what may come next on this command line; for the completions of shells",
     [](const Context& context, const Arguments& arguments) { return run_complete(context, arguments); }},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace sbox
