// `sbox edit`: the user's drop-in for a profile, in the user's editor.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace sbox {

// What the editor gets: the drop-in as it is, and below a line that says so the effective profile as comments.
std::string text_to_edit(std::string_view drop_in, std::string_view effective);
// What of that becomes the drop-in; "" where nothing but comments is left and there was none before.
std::string edited_drop_in(std::string_view text);

// `arguments` is PROFILE. Returns 0 where the drop-in is in force or nothing was changed, 1 where what was written is
// not. Throws Error.
int run_edit(const Context& context, const std::vector<std::string>& arguments);

}  // namespace sbox
