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

// Shows a notification, if that can be done within two seconds. `text` is shown as it is, but for newlines; control
// characters are escaped already.
void show_notification(const std::string& summary, const std::string& text);
// One with a button. Waits until that is pressed or the notification is gone, ten minutes at most. Whether it was
// pressed.
bool ask_by_notification(const std::string& summary, const std::string& text, const std::string& action);

}  // namespace sbox
