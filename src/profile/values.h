// What a single value of each type may be. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.h"
#include "profile/settings.h"

namespace sbox {

// Throws Error at the value's origin unless `value` (a scalar, or one element of a list) fits the setting.
void check_value(const Setting& setting, const Value& value);
// The same as a question.
bool is_value(const Setting& setting, const std::string& text);

// The elements of one line of a list, in order: separated by commas, trimmed; an element in double quotes may hold
// commas and outer spaces, and "" stands for one quote in it. Error at `origin` for an empty element or a stray quote;
// an empty `text` has no elements.
std::vector<Value> split_elements(std::string_view text, const Origin& origin);

// The inverse for one element: as it is, or quoted where that is needed.
std::string quote_element(std::string_view element);

// Bytes: digits with an optional K, M, G; nothing for anything else, and for more than 2^63 - 1.
std::optional<uint64_t> parse_size(std::string_view text);
std::optional<uint64_t> parse_duration(std::string_view text);  // seconds
std::optional<uint64_t> parse_share(std::string_view text);     // per cent of one processor

// [A-Za-z0-9][A-Za-z0-9._+@-]*, no "..".
bool is_profile_name(std::string_view name);
// A profile name, or lib/ and one.
bool is_include_name(std::string_view name);

// "SECTION.KEY"
std::string key_name(const Setting& setting);
// "SECTION.KEY = VALUE", for messages.
std::string shown(const Setting& setting, const Value& value);

}  // namespace sbox
