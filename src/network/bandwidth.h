// Limits of a private network, held by queues of the kernel's (tc-tbf(8)) in the sandbox's network namespace. What is
// sent waits at the sandbox's interface. What comes in is led to a device of its own (ifb), to wait there, before the
// sandbox's kernel looks at it: rules and programs find it at the interface at which it came.
#pragma once

#include "network/netlink.h"
#include "network/rules.h"

namespace sbox::network {

inline constexpr char kQueueDevice[] = "sbox-down";
// What a kernel whose parts are modules may lack.
inline constexpr char kBandwidthRemedy[] = "sudo modprobe -a ifb sch_tbf sch_ingress cls_u32 act_mirred";

// What could not be done, for people, and the errno, 0 where there is none. False when all was done.
struct Fault {
  const char* what = nullptr;
  int error = 0;
  bool is_part = false;  // `what` is a part that the kernel may lack

  explicit operator bool() const { return what != nullptr; }
  bool is_lack() const;
};

// The device for what comes in, which is down and has no address. `socket`: NETLINK_ROUTE, of the namespace.
Fault make_queue_device(int socket);

// How much one connection of TCP may have on its way in, in bytes, as net.ipv4.tcp_rmem takes it: more than can wait
// would be lost and sent once more.
uint64_t share_of_connection(const Limits& limits);

class Bandwidth {
 public:
  Bandwidth() = default;  // no limits
  // `socket`: as above. `changes`: another that hears of RTMGRP_LINK and RTMGRP_TC, or none.
  Bandwidth(UniqueFd socket, UniqueFd changes, const Limits& limits)
      : socket_(std::move(socket)), changes_(std::move(changes)), limits_(limits) {}

  // Of the one interface that is up and no loopback.
  Fault hold();
  // Of the interface of that number. Asks the kernel at the end what is in force.
  Fault hold(uint32_t interface);

  // What to wait for; -1: nothing. Reads what has come, and says whether the limits are in force as before.
  int descriptor() const { return changes_.get(); }
  bool still_holds();

 private:
  Fault check() const;
  void forget_changes();

  UniqueFd socket_, changes_;
  Limits limits_;
  uint32_t interface_ = 0;
};

}  // namespace sbox::network
