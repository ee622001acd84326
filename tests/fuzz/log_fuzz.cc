// Whatever a log holds: it is read or refused, each of its records has words, and those are ASCII but for the name that
// a process gives itself. libFuzzer entry.
#include <algorithm>

#include "fuzz.h"
#include "log/bus_denial.h"
#include "log/denial.h"

static bool is_plain(char c) { return c >= ' ' && c <= '~'; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sbox;
  // A quarter of all inputs are records behind a good line: few others would get that far.
  std::string bytes(fuzz::text_of(data, size));
  if (size > 0 && data[0] % 4 == 0) {
    LogHeader header{"a", "b", "c", "d", 1, {}};
    header.policy.architecture = "x86_64";
    header.policy.write_xor_execute = true;
    bytes = header_line(header) + bytes.substr(1);
    if (data[0] % 8 == 0)
      bytes.insert(header_line(header).size(), kMostRecords * sizeof(LogRecord) + sizeof(Note), '\0');
  }
  std::optional<Log> log = parse_log(bytes);
  if (!log) return 0;
  fuzz::require(log->records.size() < kMostRecords, "more records than there may be");
  for (const LogRecord& record : log->records) {
    Denial denial = describe(record, log->header.policy);
    fuzz::require(!denial.call.empty(), "a call without a name");
    std::string words = denial.call + denial.arguments + denial.why + denial.remedy + error_name(record.error);
    fuzz::require(std::all_of(words.begin(), words.end(), is_plain), "words that a terminal may not be shown");
    fuzz::require(process_name(record).size() <= record.name.size(), "a name that does not end");
  }
  for (const Note& note : log->notes) {
    if (!is_of_bus(note)) continue;
    BusDenial denial = describe_bus(note, log->header);
    std::string lines = denial.remedy + denial.wider + denial.with + denial.why + denial.bus + denial.kind;
    fuzz::require(std::all_of(lines.begin(), lines.end(), is_plain), "lines that a terminal may not be shown");
  }
  std::optional<Log> again = parse_log(header_line(log->header));
  fuzz::require(again && again->header == log->header, "the header changed");
  return 0;
}
