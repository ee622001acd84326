// The rules in the kernel: a table of nftables in the sandbox's network namespace, through a socket of that.
#pragma once

#include <string>
#include <vector>

#include "network/netlink.h"
#include "network/rules.h"

namespace sbox::network {

// Where the rules tell what they refuse (nfnetlink_log), with the wall as a prefix: kFirstWall and its number behind
// that.
inline constexpr uint16_t kLogGroup = 1;
inline constexpr uint32_t kLoggedBytes = 64;  // of each packet
inline constexpr char kFirstWall = 'a';

// What names have led to, and for how long that holds.
struct Answer {
  Address address;
  uint32_t seconds = 0;
};

class Firewall {
 public:
  // `socket`: NETLINK_NETFILTER, of the sandbox's network namespace.
  explicit Firewall(UniqueFd socket) : socket_(std::move(socket)) {}

  // The whole table at once, and a look at what the kernel then has. 0, or the error. From here on nothing passes but
  // what `rules` allow, and the loopback. A kernel that cannot tell what it refuses refuses it all the same.
  int load(const Rules& rules);
  // Whether the kernel tells what it refuses, where the rules ask for that.
  bool tells() const { return tells_; }
  // Addresses of the host: never to be reached, whatever is allowed.
  int close_to(const std::vector<Address>& host);
  // Opens what the names of a set have led to. Returns when the kernel has it.
  int open(unsigned set, const std::vector<Answer>& answers);

 private:
  int load(const Rules& rules, bool log);
  int check(size_t rules) const;

  UniqueFd socket_;
  bool tells_ = false;
};

// From now on `socket` (NETLINK_NETFILTER) hears of what the rules of its namespace refuse: as much of each packet as
// holds addresses and ports. False where the kernel has no nfnetlink_log.
bool hear_refusals(int socket);

}  // namespace sbox::network
