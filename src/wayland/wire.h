// The few words of the Wayland protocol that sbox speaks itself: what a compositor offers, and its security context. By
// wayland.xml and security-context-v1.xml.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace sbox {

struct WaylandGlobal {
  uint32_t name = 0;  // the compositor's number for it
  std::string interface;
  uint32_t version = 0;
};

inline constexpr char kSecurityContextManager[] = "wp_security_context_manager_v1";

// A client's connection, for single questions. Each waits at most two seconds for the compositor.
class WaylandClient {
 public:
  // Nothing when nobody listens there.
  static std::optional<WaylandClient> connect(const std::string& path);

  // Nothing when the compositor does not answer as it must.
  std::optional<std::vector<WaylandGlobal>> globals();

  // Makes whoever connects to `listener` a client of the named sandbox, until the other end of `closer` is closed.
  // Precondition: globals() has named `manager`. False when the compositor refuses.
  bool make_security_context(const WaylandGlobal& manager, int listener, int closer, const std::string& app,
                             const std::string& instance);

 private:
  explicit WaylandClient(UniqueFd socket) : socket_(std::move(socket)) {}
  bool send(uint32_t object, uint16_t opcode, const std::string& arguments, const std::vector<int>& fds = {});
  // Asks for an answer to everything so far; collects the globals that come before it. False on an error of any kind.
  bool synchronise(std::vector<WaylandGlobal>* globals);

  UniqueFd socket_;
  uint32_t last_id_ = 1;  // 1 is the display itself
};

}  // namespace sbox
