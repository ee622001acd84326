#include "plan/encode.h"

#include <array>

#include "plan/decode.h"
#include "plan/fields.h"

namespace sbox {
namespace {

class Encoder {
 public:
  explicit Encoder(size_t expected) { bytes_.reserve(expected); }
  template <typename T>
  void operator()(const char*, const T& value) {
    put(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  template <typename T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_integral_v<T>) {
      std::array<char, sizeof value> bytes;
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
      bytes_.append(bytes.data(), bytes.size());
    } else {
      fields(*this, value);
    }
  }
  void put(const std::string& text) {
    put(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }
  template <typename T>
  void put(const std::vector<T>& list) {
    put(static_cast<uint32_t>(list.size()));
    for (const T& element : list) put(element);
  }

  std::string bytes_;
};

}  // namespace

std::string encode_plan(const Plan& plan) {
  constexpr size_t kUsualSize = 32 << 10;
  Encoder encoder(kUsualSize);
  encoder("magic", kPlanMagic);
  fields(encoder, plan);
  return encoder.take();
}

}  // namespace sbox
