#include "plan/xauthority.h"

namespace sbox {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  bool ok() const { return ok_; }

  uint16_t number() {
    if (rest_.size() < 2) return fail();
    auto byte = [&](size_t i) { return static_cast<unsigned char>(rest_[i]); };
    auto value = static_cast<uint16_t>(byte(0) << 8 | byte(1));
    rest_.remove_prefix(2);
    return value;
  }

  std::string text() {
    size_t size = number();
    if (rest_.size() < size) size = fail();
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }

 private:
  uint16_t fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

void put_number(std::string& bytes, size_t value) {
  bytes += static_cast<char>(value >> 8 & 0xff);
  bytes += static_cast<char>(value & 0xff);
}

void put_text(std::string& bytes, const std::string& text) {
  put_number(bytes, text.size());
  bytes += text;
}

}  // namespace

std::optional<std::vector<XauthorityEntry>> parse_xauthority(std::string_view bytes) {
  std::vector<XauthorityEntry> entries;
  for (Reader reader(bytes); !reader.at_end();) {
    XauthorityEntry entry;
    entry.family = reader.number();
    for (std::string* text : {&entry.address, &entry.number, &entry.name, &entry.data}) *text = reader.text();
    if (!reader.ok()) return std::nullopt;
    entries.push_back(entry);
  }
  return entries;
}

std::string write_xauthority(const std::vector<XauthorityEntry>& entries) {
  std::string bytes;
  for (const XauthorityEntry& entry : entries) {
    put_number(bytes, entry.family);
    for (const std::string* text : {&entry.address, &entry.number, &entry.name, &entry.data}) put_text(bytes, *text);
  }
  return bytes;
}

std::optional<XauthorityEntry> find_cookie(const std::vector<XauthorityEntry>& entries, const std::string& hostname,
                                           const std::string& number) {
  const XauthorityEntry* best = nullptr;
  int best_score = 0;
  for (const XauthorityEntry& entry : entries) {
    bool is_ours = entry.family == XauthorityEntry::kLocal && entry.address == hostname;
    bool fits = (is_ours || entry.family == XauthorityEntry::kWild) &&
                (entry.number == number || entry.number.empty()) && entry.name == "MIT-MAGIC-COOKIE-1";
    int score = fits ? 1 + (is_ours ? 1 : 0) + (entry.number == number ? 2 : 0) : 0;
    if (score > best_score) {
      best = &entry;
      best_score = score;
    }
  }
  if (!best) return std::nullopt;
  return *best;
}

}  // namespace sbox
