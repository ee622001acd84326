// What of the PulseAudio protocol a program that may only play sound can say. Knows messages, no sockets.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace sbox::sound {

// In front of each packet, in network order.
struct Header {
  uint32_t length, channel, offset_high, offset_low, flags;
};
constexpr size_t kHeaderSize = 20;
constexpr uint32_t kControl = 0xffffffff;  // the channel of commands and answers; all others are sound

Header parse_header(const char* bytes);
std::string packet(std::string_view content);  // a command or answer with its header

// Libraries cut sound into parts of 64 KiB.
constexpr uint32_t kLongestPacket = 1 << 20;

// Whether a header may be passed on: nothing but sockets carries data, so none of shared memory.
bool is_sound_header(const Header& header);

enum class Verdict {
  forward,  // `packet` as it is now
  refuse,   // answer with refusal()
  broken,   // whoever says this is no client
};

// One connection.
class Gate {
 public:
  // The content of a control packet of the client's; may rewrite it.
  Verdict judge(std::string& content);
  // The answer to the command that was refused last: access denied.
  std::string refusal() const;
  // The content of a control packet of the server's; may rewrite it. False for an answer that cannot be read.
  bool hear(std::string& content);

 private:
  uint32_t refused_ = 0;                     // its tag
  std::map<uint32_t, uint32_t> unanswered_;  // the commands, by tag
  std::set<uint32_t> own_;                   // what the server calls the client's streams
};

}  // namespace sbox::sound
