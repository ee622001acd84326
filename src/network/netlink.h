// Netlink messages, written and read. Knows their form only, not what they are about.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace sbox::network {

// One message after the other. Attributes belong to the message that was begun last.
class Messages {
 public:
  // `header`: what follows the netlink header, in the kernel's layout.
  template <typename Header>
  void begin(uint16_t type, uint16_t flags, const Header& header) {
    begin(type, flags, {reinterpret_cast<const char*>(&header), sizeof header});
  }
  void put(uint16_t attribute, std::string_view bytes);
  void put_text(uint16_t attribute, std::string_view text);  // with a NUL at its end
  void put_number(uint16_t attribute, uint32_t number);      // in network order
  void put_number64(uint16_t attribute, uint64_t number);

  // Attributes within an attribute: what is put as long as this lives.
  class Nest {
   public:
    Nest(Messages& messages, uint16_t attribute);
    ~Nest();
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

   private:
    Messages& messages_;
    size_t begin_;
  };

  const std::string& bytes() const { return bytes_; }
  uint32_t count() const { return count_; }

 private:
  void begin(uint16_t type, uint16_t flags, std::string_view header);
  void set_length();

  std::string bytes_;
  size_t last_ = 0;  // where the last message begins
  uint32_t count_ = 0;
};

// As it lies in memory: rtnetlink(7) takes numbers so.
template <typename Record>
std::string bytes_of(const Record& record) {
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

// A socket of the calling process's network namespace; errno where it is none.
UniqueFd open_netlink(int protocol, uint32_t groups = 0);

// Sends and waits for the word on the last message, which must have NLM_F_ACK. 0, or the first error that comes.
int transact(int socket, const Messages& messages);

using Handler = std::function<void(uint16_t type, std::string_view payload)>;
// Sends one request for a list (NLM_F_DUMP) and hands each answer on. 0, or the error.
int dump(int socket, const Messages& request, const Handler& handler);
// Hands on what has come by itself, without waiting.
void receive(int socket, const Handler& handler);

// The attribute of that kind in a row of them; "" when there is none.
std::string_view attribute(std::string_view row, uint16_t kind);

}  // namespace sbox::network
