// What was denied on a bus, in words, and the lines that would allow it. Pure.
#pragma once

#include <string>

#include "log/log.h"

namespace sbox {

struct BusDenial {
  std::string bus;                            // "session", "system", "accessibility"
  std::string kind;                           // "call", "signal", "own", "see", "start"
  std::string name, interface, member, path;  // the program's words: any bytes, not yet escaped
  std::string why;                            // in words, where there is something to say
  std::string remedy;                         // the line of a profile that allows this alone; "" where none does
  std::string wider;                          // a line that allows all of that name; "" where there is none
  std::string with;                           // a line that has to be there too; "" where none has

  bool operator==(const BusDenial&) const = default;
};

// Whether the note is about a bus.
bool is_of_bus(const Note& note);

// Precondition: is_of_bus.
BusDenial describe_bus(const Note& note, const LogHeader& header);

// "session bus: call of org.example.Name: org.example.Interface.Method at /path"; with the program's words as they are.
std::string sentence_of(const BusDenial& denial);

}  // namespace sbox
