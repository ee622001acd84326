// Whatever the bytes of a profile are: it is refused with an Error of one line, or what was read survives being shown
// and read again. libFuzzer entry; seeds in seeds/profile.
#include "fuzz.h"
#include "profile/ini.h"
#include "profile/macros.h"
#include "profile/profile.h"
#include "profile/values.h"

namespace {

using namespace sbox;
using fuzz::require;

// No line of the file yields more than what stands on it.
void check_texts(const IniFile& file, std::string_view content) {
  for (const IniEntry& entry : file.entries) {
    for (const IniText& text : entry.texts) {
      require(content.find(text.text) != std::string_view::npos, "a value is not in the file");
      require(text.text.find_first_of("\n\r") == std::string::npos, "a value has more than one line");
    }
  }
}

void check_path(const Value& value) {
  auto lookup = [](std::string_view name) { return std::string(name == "UID" ? "1000" : "/there"); };
  std::string path = expand_macros(value.text, lookup);
  require(path[0] == '/' && (path + "/").find("/../") == std::string::npos, "a path is not absolute");
}

void check_element(const Setting& row, const Value& value) {
  check_value(row, value);
  if (row.type == Type::paths) check_path(value);
  std::vector<Value> again = split_elements(quote_element(value.text), value.origin);
  require(again.size() == 1 && again[0].text == value.text, "a quoted element is read as another");
}

void assign_all(const IniFile& file) {
  Profile profile;
  for (const IniEntry& entry : file.entries) {
    const Setting* row = find_setting(entry.section, entry.key);
    if (!row) continue;
    for (const IniText& text : entry.texts) {
      Origin origin{"fuzz", text.line};
      if (!row->is_list()) {
        profile.assign(row->key, {text.text, origin});
        continue;
      }
      for (const Value& value : split_elements(text.text, origin)) {
        if (entry.sign != '-') check_element(*row, value);
        if (entry.sign == '-') profile.remove(row->key, value);
        if (entry.sign != '-') profile.assign(row->key, value);
      }
    }
    bool is_number =
        row->type == Type::size || row->type == Type::count || row->type == Type::duration || row->type == Type::share;
    if (is_number) profile.number(row->key);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view content = fuzz::text_of(data, size);
  try {
    IniFile file = parse_ini("fuzz", content);
    check_texts(file, content);
    assign_all(file);
  } catch (const Error& error) {
    fuzz::check_error(error);
  }
  return 0;
}
