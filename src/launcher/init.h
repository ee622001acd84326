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

// Precondition: just cloned into all namespaces of the plan; `socket` leads to the supervisor.
[[noreturn]] void run_init(const InitContext& context, int socket);

}  // namespace sbox
