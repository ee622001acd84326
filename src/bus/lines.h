// What xdg-dbus-proxy prints with --log: a line for each message, and behind those of the program that it keeps away a
// line that says so. The words in it are the program's own: any bytes. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "log/note.h"

namespace sbox::bus {

struct Refused {
  NoteKind kind = NoteKind::none;
  std::string_view name, interface, member, path;
};

class Lines {
 public:
  using Handler = std::function<void(const Refused&)>;
  // The next part of what is printed; it may end anywhere. Of a line that is longer than any of a real message the end
  // is not seen.
  void take(std::string_view bytes, const Handler& handler);

 private:
  void judge(std::string_view line, const Handler& handler);

  std::string line_;      // as far as it has come
  std::string message_;   // the line of the program's last message; "" where the last one was another's
  std::string argument_;  // the name that it was about, where the bus was asked something
};

}  // namespace sbox::bus
