// Whatever a desktop entry or D-Bus service file is: it is refused with one line, or what sbox writes for it is read
// back as the same file with every command line, word by word, behind `sbox run --notify --`. libFuzzer entry.
#include <algorithm>

#include "desktop/exec.h"
#include "desktop/wrap.h"
#include "fuzz.h"

namespace {

using namespace sbox;
using fuzz::require;
using Words = std::vector<std::string>;

const char kSbox[] = "/usr/bin/sbox";
const Record kRecord{"/usr/share/applications/a b.desktop", "0123456789abcdef", "a"};

void check_command(const std::string& before, const std::string& after) {
  Words expected = parse_exec(before), words = parse_exec(after);
  if (before != after) {
    Words prefix = {kSbox, "run", "--notify", "--"};
    expected.insert(expected.begin(), prefix.begin(), prefix.end());
  }
  require(words == expected, "a command line is not the original behind sbox");
  require(words[0] == "sbox" || words[0].ends_with("/sbox") || words[0] == "env" || words[0].ends_with("/env"),
          "a command line starts something else");
  require(parse_exec(write_exec(words)) == words, "a command line does not come back");
}

bool is_dropped(const KeyLine& line) { return line.key.starts_with("X-Sbox-") || line.key == "SystemdService"; }

void check(std::string_view text, std::string_view group) {
  KeyFile file = parse_key_file(text, group, "x.desktop");
  std::string written = wrapped(file, kSbox, kRecord);
  KeyFile again = parse_key_file(written, group, "x.desktop");
  require(again.text() == written, "what is written is not read back");
  require(record_of(again) == kRecord, "the record is not that of sbox");
  require(wrapped(again, kSbox, kRecord) == written, "wrapping twice is not wrapping once");
  require(command_of(again).empty() || starts_sbox(again, kSbox), "something starts without sbox");
  std::erase_if(file.lines, is_dropped);
  std::erase_if(again.lines, is_dropped);
  require(file.lines.size() <= again.lines.size(), "a line is gone");
  size_t at = 0;
  for (const KeyLine& line : again.lines) {
    while (file.lines[at].group != line.group || file.lines[at].key != line.key)
      require(++at < file.lines.size(), "a line is new");
    const KeyLine& before = file.lines[at++];
    if (line.key == "Exec")
      check_command(before.value, line.value);
    else
      require(before.value == line.value || line.key == "DBusActivatable", "a line that is no command was changed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  for (std::string_view group : {kEntryGroup, kServiceGroup}) {
    try {
      check(text, group);
    } catch (const Error& error) {
      fuzz::check_error(error);
    }
  }
  Words words = split(text, '\0');
  bool printable = !words[0].empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return (c > 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == '\x7f';
  });
  if (printable) require(parse_exec(write_exec(words)) == words, "words do not come back");
  return 0;
}
