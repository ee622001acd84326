// The header of a D-Bus message: who is called, and what. Pure; takes any bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sbox::learn {

struct BusMessage {
  bool is_call = false;  // of a method
  std::string destination, path, interface, member;
  std::string first;  // the first argument, where that is a string
};

// The messages in what was sent at once, up to the first that is none or is cut off in its header.
std::vector<BusMessage> parse_bus_messages(std::string_view bytes);

}  // namespace sbox::learn
