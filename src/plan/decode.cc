#include "plan/decode.h"

#include <algorithm>

#include "plan/fields.h"

namespace sbox {
namespace {

constexpr uint32_t kMostReserved = 1024;

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    // A generated file is bytes, everything else is text.
    may_hold_nul_ = std::string_view(name) == "content" && kind_ == NodeKind::file;
    get(value);
  }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  template <typename T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, NodeKind>) {
      uint8_t number = 0;
      get(number);
      ok_ = ok_ && number <= static_cast<uint8_t>(NodeKind::socket);
      value = kind_ = static_cast<NodeKind>(number);
    } else if constexpr (std::is_same_v<T, bool>) {
      uint8_t number = 0;
      get(number);
      ok_ = ok_ && number <= 1;
      value = number == 1;
    } else if constexpr (std::is_integral_v<T>) {
      if (!has(sizeof value)) return;
      uint64_t number = 0;
      for (size_t i = 0; i < sizeof value; ++i) {
        number |= static_cast<uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
      }
      value = static_cast<T>(number);
      rest_.remove_prefix(sizeof value);
    } else {
      fields(*this, value);
    }
  }
  void get(std::string& text) {
    uint32_t size = 0;
    get(size);
    if (!has(size)) return;
    // A NUL would end the text early for the kernel but not for whoever looked at it before.
    ok_ = ok_ && (may_hold_nul_ || rest_.substr(0, size).find('\0') == std::string_view::npos);
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  template <typename T>
  void get(std::vector<T>& list) {
    uint32_t size = 0;
    get(size);
    // Each element takes a byte at least: a hostile count cannot make us allocate more than there is to read.
    if (!has(size)) return;
    list.clear();
    list.reserve(std::min(size, kMostReserved));
    for (uint32_t i = 0; i < size && ok_; ++i) get(list.emplace_back());
  }
  bool has(size_t size) {
    ok_ = ok_ && rest_.size() >= size;
    return ok_;
  }

  std::string_view rest_;
  bool ok_ = true;
  NodeKind kind_{};  // of the node that is being read
  bool may_hold_nul_ = false;
};

}  // namespace

bool decode_plan(std::string_view bytes, Plan& plan) {
  Decoder decoder(bytes);
  uint64_t magic = 0;
  decoder("magic", magic);
  if (magic != kPlanMagic) return false;
  fields(decoder, plan);
  return decoder.finished();
}

bool decode_request(std::string_view bytes, JoinRequest& request) {
  Decoder decoder(bytes);
  fields(decoder, request);
  return decoder.finished();
}

}  // namespace sbox
