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

constexpr Command kCommands[] = {
    {"run", "[OPTIONS] [--] PROGRAM [ARG...]", "run PROGRAM; for programs that are called like a command of sbox",
     run_run},
    {"list", "[--json]", "the sandboxes that run", run_list},
    {"join", "INSTANCE [--] [PROGRAM [ARG...]]", "run PROGRAM, or a shell, in a running sandbox", run_join},
    {"stop", "[--time SECONDS] [--force] INSTANCE...", "end a running sandbox, all of it", run_stop},
    {"top", "[--json]", "what the sandboxes that run use", run_top},
    {"show", "[--all] [PROFILE]", "the effective profile, each line with its origin", run_show},
    {"explain", "[--json] PROFILE [THING]",
     "what the program can touch, in plain words; for one path, bus name, system call or device: yes or no, and why",
     run_explain},
    {"lint", "[FILE...]", "check profiles for mistakes, dangerous and useless settings", run_lint},
    {"audit", "[--json] [--threshold N] [PROFILE...]", "how much profiles grant, as a number with its reasons",
     run_audit},
    {"edit", "PROFILE", "change a profile by a drop-in of your own", run_edit},
    {"learn",
     "[--yes] [--json] [--name NAME] [--output FILE] [--force] [--no-network] [-s SETTING] [--] PROGRAM [ARG...]",
     "watch a program run, and propose a profile for it", run_learn},
    {"log", "[--all] [--json] [INSTANCE]", "what was denied to the last run, and the line that would allow it",
     run_log},
    {"doctor", "[--json]", "what this host supports, and the remedy for what it lacks", run_doctor},
    {"enable", "[--shims] [--system] APP... | --all | --list [--json]",
     "desktop entries that start programs through sbox", run_enable},
    {"disable", "[--system] APP... | --all", "the entries as they were before", run_disable},
    {"diff", "[--text] [--json] [--no-pager] [--color=never|always] [OVERLAY [PATH...]]",
     "what programs changed in an overlay home", run_diff},
    {"commit", "[--force] [--quiet] OVERLAY [PATH...]", "take changed files over from an overlay", run_commit},
    {"discard", "OVERLAY [PATH...]", "throw the changes in an overlay away", run_discard},
    {"snapshot", "[--list] [--json] [--delete] [OVERLAY [LABEL]]", "keep a copy of what is in an overlay",
     run_snapshot},
    {"restore", "OVERLAY [LABEL]", "set an overlay back to a snapshot", run_restore},
    {"export", "--oci DIR [OPTIONS] [--] PROGRAM [ARG...]", "the same sandbox as an OCI bundle", run_export},
    {"complete", "WORD...", "what may come next on this command line; for the completions of shells", run_complete},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace sbox
