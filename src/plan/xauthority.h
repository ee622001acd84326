// The file of X11 cookies (Xauthority(5) of libXau): entries of a family, an address, a display number, a name of the
// protocol and its data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sbox {

struct XauthorityEntry {
  static constexpr uint16_t kLocal = 256;  // `address` is the host's name
  static constexpr uint16_t kWild = 65535;

  uint16_t family = 0;
  std::string address, number, name, data;

  bool operator==(const XauthorityEntry&) const = default;
};

// Nothing when the bytes are not whole entries.
std::optional<std::vector<XauthorityEntry>> parse_xauthority(std::string_view bytes);
// Precondition: each text is at most 65535 bytes.
std::string write_xauthority(const std::vector<XauthorityEntry>& entries);

// The cookie (MIT-MAGIC-COOKIE-1) for a local connection to display `number` from `hostname`; the one that names both
// goes before one for any.
std::optional<XauthorityEntry> find_cookie(const std::vector<XauthorityEntry>& entries, const std::string& hostname,
                                           const std::string& number);

}  // namespace sbox
