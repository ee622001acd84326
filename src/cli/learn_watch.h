// The run that `sbox learn` watches: in an overlay of its own that is thrown away before and after, under strace(1).
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/proposal.h"
#include "learn/evidence.h"

namespace sbox {

// Name of the overlay and of the instance: one program is watched at a time.
inline constexpr char kLearningRun[] = "sbox-learn";
inline constexpr char kTracerPath[] = "/usr/bin/strace";

struct WatchedRun {
  std::string profile;                // a file
  std::vector<std::string> settings;  // as of -s
  std::string directory;              // where the program begins, inside
  std::vector<std::string> command;
  bool keeps_output_clean = false;  // what the program prints goes to standard error
};

struct Watched {
  learn::Evidence evidence;
  std::vector<DeniedCall> denied;
  int status = 0;  // of the program, 128+N when signal N ended it
};

// Error where another program is being watched, where an overlay of that name is not from here, and where the program
// was not started. Precondition: single-threaded.
Watched watch_program(const Context& context, const WatchedRun& run);

}  // namespace sbox
