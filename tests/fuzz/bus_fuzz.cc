// Whatever xdg-dbus-proxy prints: it is the same in whatever parts it comes, a note has room for it, and the lines that
// are offered for it are ones that a profile takes. libFuzzer entry: the first byte says where the parts end.
#include "bus/lines.h"
#include "fuzz.h"
#include "log/bus_denial.h"
#include "profile/values.h"

namespace {

using namespace sbox;
using fuzz::require;

std::string text_of(const bus::Refused& refused) {
  std::string text = std::to_string(static_cast<int>(refused.kind));
  for (std::string_view word : {refused.name, refused.interface, refused.member, refused.path}) {
    text += '\0' + std::string(word);
  }
  return text;
}

Note note_of(const bus::Refused& refused, uint16_t where) {
  Note note;
  note.kind = refused.kind;
  note.where = where;
  std::string words;
  for (std::string_view word : {refused.name, refused.interface, refused.member, refused.path}) {
    words += std::string(word) + '\0';
  }
  std::copy_n(words.begin(), std::min(words.size(), note.words.size()), note.words.begin());
  return note;
}

void check_line(const std::string& line) {
  size_t equals = line.find(" = ");
  if (line.empty()) return;
  require(line.starts_with("[dbus] ") && equals != std::string::npos, "a line of another section");
  require(line.find_first_of(",\n\r\t#;") == std::string::npos, "more than one word");
  for (char c : line) require(c >= ' ' && c <= '~', "a line that a terminal may not be shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view text = fuzz::text_of(data + 1, size - 1);
  size_t middle = std::min<size_t>(data[0], text.size());
  LogHeader header;
  std::vector<std::string> whole, parts;
  bus::Lines first, second;
  first.take(text, [&](const bus::Refused& refused) {
    whole.push_back(text_of(refused));
    Note note = note_of(refused, data[0] % 4);
    require(is_of_bus(note), "a kind that nobody knows");
    BusDenial denial = describe_bus(note, header);
    for (const std::string& line : {denial.remedy, denial.wider, denial.with}) check_line(line);
    require(!sentence_of(denial).empty(), "no words");
  });
  auto keep = [&](const bus::Refused& refused) { parts.push_back(text_of(refused)); };
  second.take(text.substr(0, middle), keep);
  second.take(text.substr(middle), keep);
  require(whole == parts, "the parts make a difference");
  return 0;
}
