// Whatever a client of the sound relay says: what passes is the same for a second gate, names a command that plays, and
// offers no shared memory. libFuzzer entry: the content of one packet, behind what the server says first.
#include "fuzz.h"
#include "sound/protocol.h"

namespace {

using namespace sbox::sound;
using sbox::fuzz::require;

uint32_t number_at(std::string_view text, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(text[at + i]);
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> parts = sbox::fuzz::parts(sbox::fuzz::text_of(data, size), 2);
  Gate gate, second;
  std::string answer(parts[0]);
  gate.hear(answer);
  std::string once = parts[1];
  Verdict verdict = gate.judge(once);
  if (verdict == Verdict::refuse) require(gate.refusal().size() == kHeaderSize + 15, "an odd refusal");
  if (verdict != Verdict::forward) return 0;
  require(once.size() <= parts[1].size(), "something was added");
  constexpr uint32_t kRecord = 5, kLoadModule = 51, kAuth = 8, kSetVolume = 37, kExtension = 87;
  uint32_t command = number_at(once, 1);
  for (uint32_t denied : {kRecord, kLoadModule, kSetVolume, kExtension})
    require(command != denied, "a command that does not play");
  require(command != kAuth || number_at(once, 11) >> 30 == 0, "shared memory");
  std::string twice = once;
  require(second.judge(twice) == Verdict::forward && twice == once, "a second gate changes it");
  return 0;
}
