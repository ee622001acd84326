// Whatever stands in the records of an overlay: it is read or refused, and what was read is written so that it is read
// as the same again. libFuzzer entry.
#include "fuzz.h"
#include "overlay/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sbox;
  std::string_view bytes = fuzz::text_of(data, size);
  if (std::optional<OverlayRecord> record = parse_record(bytes)) {
    std::optional<OverlayRecord> again = parse_record(record_text(*record));
    bool is_same = again && again->began.tv_sec == record->began.tv_sec &&
                   again->began.tv_nsec == record->began.tv_nsec && again->home == record->home &&
                   again->blank == record->blank && again->snapshot.has_value() == record->snapshot.has_value();
    fuzz::require(is_same, "a record changed");
  }
  std::string lines;
  std::map<std::string, timespec> taken = parse_taken(bytes);
  for (const auto& [path, time] : taken) {
    fuzz::require(!path.empty(), "a path of nothing");
    lines += taken_line(path, time);
  }
  fuzz::require(parse_taken(lines).size() == taken.size(), "lines got lost");
  return 0;
}
