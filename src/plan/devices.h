// Which setting a device node is granted by. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "profile/profile.h"
#include "profile/settings.h"

namespace sbox {

// The word of [devices] that brings the node of this path; nothing where only `allow` does.
std::optional<Key> device_setting(std::string_view path);

// Memory, ports and consoles of the machine: a profile that names one is refused.
bool is_never_granted(std::string_view path);
// The same for an element of [devices] allow, as it is written: Error.
void check_device(const Value& value);

}  // namespace sbox
