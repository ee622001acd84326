#include "network/denials.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <algorithm>

#include "launcher/step.h"
#include "network/packets.h"

namespace sbox::network {
namespace {

// A program that floods shall not keep us busier than the network itself does.
constexpr int64_t kRestMs = 20;

int64_t now_ms() { return now_ns() / 1'000'000; }

void begin(Messages& messages, uint16_t flags) {
  constexpr auto kType = static_cast<uint16_t>(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG);
  messages.begin(kType, flags, nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(kLogGroup)});
}

// Asks for what the rules tell that group, as much of each packet as holds addresses and ports.
bool listen(int socket) {
  nfulnl_msg_config_cmd bind_group{NFULNL_CFG_CMD_BIND};
  nfulnl_msg_config_mode mode{htonl(kLoggedBytes), NFULNL_COPY_PACKET, 0};
  Messages messages;
  begin(messages, 0);
  messages.put(NFULA_CFG_CMD, {reinterpret_cast<const char*>(&bind_group), sizeof bind_group});
  begin(messages, NLM_F_ACK);
  messages.put(NFULA_CFG_MODE, {reinterpret_cast<const char*>(&mode), sizeof mode});
  return transact(socket, messages) == 0;
}

}  // namespace

Denials::Denials(UniqueFd socket, const Resolver& resolver, NoteBook& notes)
    : socket_(std::move(socket)), resolver_(resolver), notes_(notes) {
  if (socket_ && !listen(socket_.get())) socket_.reset();
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
