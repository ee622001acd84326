// Errors for people who started a program from a menu.
#pragma once

#include <string>
#include <vector>

namespace sbox {

// Whether the command line asks for it (--notify among the options) and standard error is no terminal.
bool wants_notification(const std::vector<std::string>& arguments);

// Starts a process that shows what is said to kErrorsDescriptor (base/handover.h) as a desktop notification, if any of
// the usual tools is there and does it within two seconds. It ends when every copy of that descriptor is closed. False
// where that cannot be. Preconditions: single-threaded; nothing but 0, 1 and 2 is open.
bool start_notifier(const char* const* environment);

}  // namespace sbox
