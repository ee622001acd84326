// Passes questions of the sandbox on to the host's name servers, and opens the way to what they answer before the
// program hears of it.
#pragma once

#include <netinet/in.h>
#include <poll.h>

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "log/notebook.h"
#include "network/dns.h"
#include "network/firewall.h"

namespace sbox::network {

// Where the sandbox asks: a place on its own loopback.
inline constexpr char kResolverAddress[] = "127.0.0.53";

class Resolver {
 public:
  // The sockets are the sandbox's, bound to kResolverAddress; what is asked outside is asked from where this runs.
  // Names that are refused go into `notes`.
  Resolver(const Rules& rules, Firewall& firewall, NoteBook& notes, UniqueFd datagrams, UniqueFd listener)
      : rules_(rules),
        firewall_(firewall),
        notes_(notes),
        datagrams_(std::move(datagrams)),
        listener_(std::move(listener)) {}

  // The name that has led there last; "" where none did, or that was long ago.
  std::string_view name_of(const Address& address) const;

  void prepare(std::vector<pollfd>& polled) const;
  // After poll(2): looks at all that prepare() has named.
  void work(const std::vector<pollfd>& polled);
  // How long poll(2) may wait, in milliseconds; -1: for ever.
  int patience() const;

 private:
  // A question by datagram.
  struct Pending {
    UniqueFd server;
    sockaddr_in client{};
    std::string query;  // with the number by which the server knows it
    uint16_t number = 0;
    int64_t deadline = 0;
    size_t place = 0;  // of the server, as of next_server_
    size_t left = 0;   // servers that were not asked yet
  };
  // A connection: questions and answers one after the other, each behind its length.
  struct Stream {
    UniqueFd client, server;
    std::string from_client, from_server;  // not whole yet
    std::string asked, said;               // to be written
    std::string query;                     // the one that is under way; "" while there is none
    int64_t deadline = 0;
  };

  bool is_known(const std::string& name) const;
  void remember(const std::string& name, const std::vector<Answer>& answers);
  void ask(std::string query, const sockaddr_in& client);
  bool send_on(Pending& pending);
  void pass_over(size_t place);
  void take_datagrams();
  void answer(Pending& pending);
  void take_connections();
  bool go_on(Stream& stream, short client_events, short server_events);
  bool start_question(Stream& stream);
  bool take_answer(Stream& stream);
  bool publish(std::string_view reply, std::string_view query);
  std::vector<sockaddr_in6> servers() const;
  UniqueFd connect_to_server(int kind);

  const Rules& rules_;
  Firewall& firewall_;
  NoteBook& notes_;
  std::deque<std::pair<Address, std::string>> led_;  // what names have led to, the last first
  UniqueFd datagrams_, listener_;
  std::vector<Pending> pending_;
  std::vector<Stream> streams_;
  size_t next_server_ = 0;  // counts those that did not serve; taken by the number of servers
};

}  // namespace sbox::network
