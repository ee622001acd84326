// A connection or a name that a private network refused, in words, and the line that would allow it. Pure.
#pragma once

#include <string>

#include "log/log.h"

namespace sbox {

struct ConnectionDenial {
  std::string protocol;  // "tcp", "udp", "icmp", or a number; "" for a name that was not looked up
  std::string address;   // "" for a name
  unsigned port = 0;     // 0 where there is none
  std::string name;      // that was looked up and led there, or that was refused; "": the address was used by itself
  std::string why;       // in words, where there is something to say
  std::string remedy;    // the line of a profile that allows it; "" where none does

  bool operator==(const ConnectionDenial&) const = default;
};

// Whether the note is about the network.
bool is_of_network(const Note& note);

// Precondition: is_of_network.
ConnectionDenial describe_connection(const Note& note, const LogHeader& header);

// "tcp to 192.0.2.1 port 443 (example.org)"; with the program's words as they are.
std::string sentence_of(const ConnectionDenial& denial);

}  // namespace sbox
