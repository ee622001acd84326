// A denied system call in words: its name, the arguments that matter, and the line that would allow it. Pure.
#pragma once

#include <string>
#include <vector>

#include "log/log.h"

namespace sbox {

struct Denial {
  std::string call;       // "ptrace", "system call 999" where it has no name
  std::string arguments;  // "PTRACE_ATTACH"; "" where there is nothing to say. Numbers alone, no memory of the program
  std::string why;        // what is kept away: "sockets other than ..."
  std::string remedy;     // the line of a profile that allows it; "" where none does

  bool operator==(const Denial&) const = default;
};

Denial describe(const LogRecord& record, const SeccompPolicy& policy);

// "EPERM"
std::string error_name(int error);

// What a process calls itself, up to its NUL: the program's word, not yet escaped.
std::string process_name(const LogRecord& record);

}  // namespace sbox
