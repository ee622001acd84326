#include "network/denials.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <algorithm>

#include "launcher/moment.h"
#include "network/firewall.h"
#include "network/packets.h"

namespace sbox::network {
namespace {

// A program that floods shall not keep us busier than the network itself does.
constexpr int64_t kRestMs = 20;

int64_t now_ms() { return now_ns() / kMillisecond; }

}  // namespace

Denials::Denials(UniqueFd socket, const Resolver& resolver, NoteBook& notes)
    : socket_(std::move(socket)), resolver_(resolver), notes_(notes) {
  if (socket_ && !hear_refusals(socket_.get())) socket_.reset();
}

int Denials::descriptor() const { return now_ms() < rests_until_ ? -1 : socket_.get(); }

int Denials::patience() const {
  int64_t left = rests_until_ - now_ms();
  return left > 0 ? static_cast<int>(left) : -1;
}

void Denials::update() {
  if (!socket_) return;
  receive(socket_.get(), [&](uint16_t type, std::string_view payload) {
    if (type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)) return;
    note(payload.substr(std::min(NLMSG_ALIGN(sizeof(nfgenmsg)), payload.size())));
  });
  rests_until_ = now_ms() + kRestMs;
}

void Denials::note(std::string_view message) {
  std::optional<Attempt> attempt = parse_packet(attribute(message, NFULA_PAYLOAD));
  std::string_view prefix = attribute(message, NFULA_PREFIX);
  if (!attempt || prefix.empty()) return;
  auto wall = static_cast<uint16_t>(prefix[0] - kFirstWall);
  notes_.add(NoteKind::connection, wall,
             {address_text(attempt->address), std::to_string(attempt->port), protocol_text(attempt->protocol),
              resolver_.name_of(attempt->address)});
}

}  // namespace sbox::network
