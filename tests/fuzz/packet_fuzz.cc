// Whatever packet the kernel tells of: where it was to go has an address that can be read back, and the line that is
// offered for it is one of a profile. libFuzzer entry.
#include "fuzz.h"
#include "log/connection_denial.h"
#include "network/packets.h"
#include "profile/network_syntax.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sbox;
  using fuzz::require;
  std::optional<network::Attempt> attempt = network::parse_packet(fuzz::text_of(data, size));
  if (!attempt) return 0;
  std::string address = network::address_text(attempt->address), protocol = network::protocol_text(attempt->protocol);
  network::Address again;
  require(network::parse_address(address, again) && again == attempt->address, "another address");
  Note note;
  note.kind = NoteKind::connection;
  note.where = size % 3;
  std::string words = address + '\0' + std::to_string(attempt->port) + '\0' + protocol + '\0';
  std::copy(words.begin(), words.end(), note.words.begin());
  ConnectionDenial denial = describe_connection(note, LogHeader());
  require(denial.address == address && denial.port == attempt->port, "other words");
  constexpr std::string_view kLine = "[network] connect = ";
  std::string why;
  if (denial.remedy.empty()) return 0;
  require(denial.remedy.starts_with(kLine), "a line of another section");
  require(parse_destination(denial.remedy.substr(kLine.size()), why).has_value(), "a line that is no destination");
  return 0;
}
