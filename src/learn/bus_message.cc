#include "learn/bus_message.h"

#include <cstdint>

namespace sbox::learn {
namespace {

constexpr size_t kLargestMessage = 128 << 20;  // by the specification

// Reads forward; once something does not fit, all that follows is empty.
class Reader {
 public:
  Reader(std::string_view bytes, bool is_big) : bytes_(bytes), is_big_(is_big) {}

  size_t at() const { return at_; }
  bool is_good() const { return is_good_; }

  void align(size_t size) { skip((size - at_ % size) % size); }
  void skip(size_t size) {
    if (size > bytes_.size() - at_) return fail();
    at_ += size;
  }
  uint8_t byte() {
    size_t at = at_;
    skip(1);
    return is_good_ ? static_cast<uint8_t>(bytes_[at]) : 0;
  }
  uint32_t number() {
    align(4);
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      uint32_t next = byte();
      value = is_big_ ? value << 8 | next : value | next << (8 * i);
    }
    return value;
  }
  // `size` bytes and a NUL.
  std::string text(size_t size) {
    size_t at = at_;
    skip(size);
    skip(1);
    return is_good_ ? std::string(bytes_.substr(at, size)) : "";
  }
  std::string string() {
    uint32_t size = number();
    return text(size);
  }
  std::string signature() {
    uint8_t size = byte();
    return text(size);
  }

 private:
  void fail() {
    is_good_ = false;
    at_ = bytes_.size();
  }

  std::string_view bytes_;
  bool is_big_, is_good_ = true;
  size_t at_ = 0;
};

// Of the array of the header; false where its value is of a type that no header has.
bool read_field(Reader& reader, BusMessage& message, std::string& signature) {
  enum Code : uint8_t { kPath = 1, kInterface, kMember, kDestination = 6, kSignature = 8 };
  reader.align(8);
  uint8_t code = reader.byte();
  std::string type = reader.signature();
  if (type == "u") return reader.number(), true;
  if (type == "g") {
    std::string value = reader.signature();
    if (code == kSignature) signature = value;
    return true;
  }
  if (type != "s" && type != "o") return false;
  std::string value = reader.string();
  if (code == kPath) message.path = value;
  if (code == kInterface) message.interface = value;
  if (code == kMember) message.member = value;
  if (code == kDestination) message.destination = value;
  return true;
}

// Its size in bytes; 0 where it is none.
size_t read_message(std::string_view bytes, BusMessage& message) {
  constexpr uint8_t kMethodCall = 1, kVersion = 1;
  if (bytes.empty() || (bytes[0] != 'l' && bytes[0] != 'B')) return 0;
  Reader reader(bytes, bytes[0] == 'B');
  reader.skip(1);
  message.is_call = reader.byte() == kMethodCall;
  reader.skip(1);
  if (reader.byte() != kVersion) return 0;
  size_t body = reader.number();
  reader.number();
  size_t fields = reader.number(), begin = reader.at();
  if (body > kLargestMessage || fields > kLargestMessage) return 0;
  std::string signature;
  while (reader.is_good() && reader.at() < begin + fields) {
    if (!read_field(reader, message, signature)) return 0;
  }
  reader.align(8);
  if (!reader.is_good()) return 0;
  size_t size = reader.at() + body;
  if (signature.starts_with('s')) message.first = reader.string();
  return size;
}

}  // namespace

std::vector<BusMessage> parse_bus_messages(std::string_view bytes) {
  std::vector<BusMessage> messages;
  while (!bytes.empty()) {
    BusMessage message;
    size_t size = read_message(bytes, message);
    if (size == 0) break;
    messages.push_back(std::move(message));
    if (size >= bytes.size()) break;
    bytes.remove_prefix(size);
  }
  return messages;
}

}  // namespace sbox::learn
