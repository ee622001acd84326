// Process 1 of the sandbox: sets everything up in the order that init.cc lists, starts the program, reaps, passes
// signals on, and takes everything with it when it ends.
#pragma once

#include <csignal>

#include "launcher/self_check.h"
#include "launcher/stdio.h"
#include "plan/plan.h"

namespace sbox {

struct InitContext {
  Plan& plan;
  const Stdio& stdio;
  Namespaces host;        // of the supervisor
  bool is_granted;        // the user namespace is the supervisor's, with the ids mapped
  sigset_t program_mask;  // the signal mask of the caller, for the program
  bool ignore_pipe;       // whether the caller ignored SIGPIPE
};

// Takes memory back that only the set-up needed.
void forget(Plan& plan);
// Lets go of the pages of this program's file, most of which are the set-up's; the few that are still used come back by
// themselves. That takes longer than a short program should wait for its end: for one that has run for kSettledAfterMs.
void forget_code();
constexpr int kSettledAfterMs = 100;

// Precondition: just cloned into all namespaces of the plan; `socket` leads to the supervisor.
[[noreturn]] void run_init(const InitContext& context, int socket);

}  // namespace sbox
