// Whatever a log holds: it is read or refused, each of its records has words, and those are ASCII but for the name that
// a process gives itself. libFuzzer entry.
#include <algorithm>

#include "fuzz.h"
#include "log/denial.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sbox;
  // A quarter of all inputs are records behind a good line: few others would get that far.
  std::string bytes(fuzz::text_of(data, size));
  if (size > 0 && data[0] % 4 == 0) {
    LogHeader header{"a", "b", "c", "d", 1, {}};
    header.policy.architecture = "x86_64";
    header.policy.write_xor_execute = true;
    bytes = header_line(header) + bytes.substr(1);
  }
  std::optional<Log> log = parse_log(bytes);
  if (!log) return 0;
  fuzz::require(log->records.size() < kMostRecords, "more records than there may be");
  for (const LogRecord& record : log->records) {
    Denial denial = describe(record, log->header.policy);
    fuzz::require(!denial.call.empty(), "a call without a name");
    std::string words = denial.call + denial.arguments + denial.why + denial.remedy + error_name(record.error);
    bool is_plain = std::all_of(words.begin(), words.end(), [](char c) { return c >= ' ' && c <= '~'; });
    fuzz::require(is_plain, "words that a terminal may not be shown");
    fuzz::require(process_name(record).size() <= record.name.size(), "a name that does not end");
  }
  std::optional<Log> again = parse_log(header_line(log->header));
  fuzz::require(again && again->header == log->header, "the header changed");
  return 0;
}
