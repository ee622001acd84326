// The words of notes, and lines of profiles made of them. Pure.
#pragma once

#include <array>
#include <string>

#include "log/note.h"
#include "profile/settings.h"

namespace sbox {

// Any bytes but NUL; "" for those that are not there.
std::array<std::string, 4> words_of(const Note& note);

// "[section] key = TEXT"; "" for a text that no profile could have there.
std::string line_with(Key key, const std::string& text);

}  // namespace sbox
