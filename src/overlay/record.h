// What sbox writes down of an overlay beside its layers, as text and as values. Pure; whatever the text holds, it is
// read or refused.
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sbox {

// Of a copy of the upper layer.
struct SnapshotFacts {
  timespec made{};
  uint64_t files = 0;  // everything but directories
  uint64_t bytes = 0;  // of files, holes counted
};

struct OverlayRecord {
  std::string home;    // what the overlay is one of
  timespec began{};    // when its first change can have been made
  bool blank = false;  // it shows nothing of the home: what is in it hides and deletes nothing there
  std::optional<SnapshotFacts> snapshot;
};

// Nothing where it is no record.
std::optional<OverlayRecord> parse_record(std::string_view text);
std::string record_text(const OverlayRecord& record);

// When which path was taken over last. A line that is none is passed over.
std::map<std::string, timespec> parse_taken(std::string_view text);
std::string taken_line(const std::string& path, const timespec& time);

}  // namespace sbox
