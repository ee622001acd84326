// Offers files that a program left in an overlay, by a notification of the desktop ([home] recover).
#pragma once

#include <sys/types.h>

#include <ctime>
#include <string>
#include <vector>

#include "cli/command.h"
#include "overlay/store.h"
#include "plan/places.h"
#include "plan/plan.h"

namespace sbox {

// The regular files among `changes` that were added or changed at or below one of `directories` (below the home,
// "a/b"), not before `since`, and that could be taken over.
std::vector<const Change*> recoverable(const std::vector<Change>& changes, const std::vector<std::string>& directories,
                                       const timespec& since);
// For people: some of the files, a line each, whatever their names hold. No markup is escaped.
std::string offer_text(const std::vector<const Change*>& files);
// The command that takes one over whatever the host has, for a shell; the one that lists all where the path is not safe
// to show.
std::string force_command(const std::string& overlay, const std::string& path);

// For a run whose plan has an overlay that stays, and something to recover: starts a process that waits for the end of
// this one, which becomes the launcher, and then offers what the run left. It is no child of this one, and has nothing
// of it open. `program`: as typed.
void offer_after_run(const Context& context, const Places& places, const Plan& plan, const std::string& program,
                     mode_t callers_umask);

// What is to be offered of a throw-away run: files at or below `directories` (of the host, canonical).
bool has_something_to_offer(const OverlayStore& store, const std::vector<std::string>& directories);
// Offers it, and waits for the answer. The store is locked.
void offer_of_throw_away(OverlayStore& store, const std::vector<std::string>& directories, const std::string& program);

}  // namespace sbox
