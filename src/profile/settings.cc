#include "profile/settings.h"

#include <algorithm>
#include <iterator>

namespace sbox {
namespace {

constexpr Setting kSettings[] = {
#define SBOX_SETTING(id, section, key, type, fallback, choices, where, meaning) \
  {Key::id, section, key, Type::type, fallback, choices, Where::where, meaning},
#include "profile/settings.def"
#undef SBOX_SETTING
};

}  // namespace

std::span<const Setting> settings() { return kSettings; }

const Setting& setting(Key key) { return kSettings[static_cast<size_t>(key)]; }

const Setting* find_setting(std::string_view section, std::string_view name) {
  auto found = std::find_if(std::begin(kSettings), std::end(kSettings),
                            [&](const Setting& s) { return s.section == section && s.name == name; });
  return found == std::end(kSettings) ? nullptr : found;
}

}  // namespace sbox
