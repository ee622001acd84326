#include "plan/encode.h"

#include <array>

#include "plan/decode.h"
#include "plan/fields.h"

namespace sbox {
namespace {

// Goes over the plan twice: to know its size, and to write it into memory of that size.
class Encoder {
 public:
  // `bytes`: where to; null only counts.
  explicit Encoder(char* bytes) : bytes_(bytes) {}
  void encode(const Plan& plan) {
    put(kPlanMagic);
    put(plan);
  }
  void encode(const JoinRequest& request) { put(request); }
  size_t size() const { return size_; }

  template <typename T>
  void operator()(const char*, const T& value) {
    put(value);
  }

 private:
  template <typename T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_integral_v<T>) {
      std::array<char, sizeof value> bytes;
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
      put(std::string_view(bytes.data(), bytes.size()));
    } else {
      fields(*this, value);
    }
  }
  void put(std::string_view bytes) {
    if (bytes_) bytes.copy(bytes_ + size_, bytes.size());
    size_ += bytes.size();
  }
  void put(const std::string& text) {
    put(static_cast<uint32_t>(text.size()));
    put(std::string_view(text));
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    put(static_cast<uint32_t>(list.size()));
    for (const T& element : list) put(element);
  }

  char* bytes_;
  size_t size_ = 0;
};

template <typename T>
std::string encoded(const T& value) {
  Encoder measure(nullptr);
  measure.encode(value);
  std::string bytes(measure.size(), '\0');
  Encoder(bytes.data()).encode(value);
  return bytes;
}

}  // namespace

std::string encode_plan(const Plan& plan) { return encoded(plan); }

std::string encode_request(const JoinRequest& request) { return encoded(request); }

}  // namespace sbox
