// Errors for people who started a program from a menu.
#pragma once

#include <string>
#include <vector>

namespace sbox {

// Whether the command line asks for it (--notify among the options) and standard error is no terminal.
bool wants_notification(const std::vector<std::string>& arguments);

// Shows `line` as a desktop notification, if any of the usual tools is there and does it within two seconds. Never
// throws. Precondition: single-threaded.
void notify(const std::string& line, const char* const* environment);

}  // namespace sbox
