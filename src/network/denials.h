// What the rules of the sandbox refuse, as the kernel tells of it (nfnetlink_log).
#pragma once

#include "log/notebook.h"
#include "network/netlink.h"
#include "network/resolver.h"

namespace sbox::network {

class Denials {
 public:
  // `socket`: NETLINK_NETFILTER, of the sandbox's network namespace. Where the kernel does not tell, nothing comes.
  Denials(UniqueFd socket, const Resolver& resolver, NoteBook& notes);

  // What to wait for, and for how long at most, in milliseconds; -1: nothing now, or for ever.
  int descriptor() const;
  int patience() const;
  // Writes down what has come.
  void update();

 private:
  void note(std::string_view message);

  UniqueFd socket_;
  const Resolver& resolver_;
  NoteBook& notes_;
  int64_t rests_until_ = 0;  // milliseconds
};

}  // namespace sbox::network
