// What gives a program more than a sandbox should have, by its name: paths and names of buses. Pure: no host, no files.
#pragma once

#include <string_view>
#include <vector>

namespace sbox {

// Why it is dangerous that a profile shows this path, or lets it be written; "" where it is not. As written, with
// macros.
std::string_view danger_of_path(std::string_view path, bool writable);

// The same of a device that no word of [devices] stands for.
std::string_view danger_of_device(std::string_view path);

// The paths whose showing is dangerous, as a profile names them.
std::vector<std::string_view> dangerous_to_show();

// Of a bus: the first that `name`, which may end in ".*", covers of those that nobody in a sandbox should talk to; ""
// where it covers none.
std::string_view dangerous_bus_name(std::string_view name);
inline bool is_dangerous_bus_name(std::string_view name) { return !dangerous_bus_name(name).empty(); }

// The same of a rule for methods, NAME=INTERFACE.METHOD@PATH: what the name is does not matter where the one method
// does no more than any program may want.
std::string_view dangerous_call(std::string_view rule);

// Whether the shell or the window manager has it on one desktop or another: who may talk to it may use its scripts.
bool is_name_of_shells(std::string_view name);

}  // namespace sbox
