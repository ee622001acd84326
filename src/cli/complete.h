// `sbox complete`: what may come next on a command line, from the tables of commands, options and settings and from the
// profiles and desktop entries of this machine. The scripts in contrib/completions hand it to the shells.
#pragma once

#include "cli/command.h"

namespace sbox {

// `words`: the command line after `sbox` up to the cursor; the last, which may be empty, is being written. One line for
// each candidate: the word, a tab, its meaning. Then ":files" where a file name may come too, and ":program N" where
// what is after the first N words is a command line of its own.
std::string completions(const Context& context, const std::vector<std::string>& words);

int run_complete(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
