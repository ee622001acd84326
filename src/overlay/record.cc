#include "overlay/record.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/strings.h"

namespace sbox {
namespace {

using Json = nlohmann::ordered_json;

constexpr long kNanoseconds = 1'000'000'000;

std::optional<timespec> time_of(const Json& pair) {
  if (!pair.is_array() || pair.size() != 2) return std::nullopt;
  for (const Json& number : pair) {
    if (!number.is_number_integer()) return std::nullopt;
  }
  timespec time{pair[0].get<time_t>(), pair[1].get<long>()};
  if (time.tv_nsec < 0 || time.tv_nsec >= kNanoseconds) return std::nullopt;
  return time;
}

std::optional<SnapshotFacts> facts_of(const Json& object) {
  bool is_whole = object.is_object() && object.contains("made") && object.contains("files") &&
                  object["files"].is_number_unsigned() && object.contains("bytes") &&
                  object["bytes"].is_number_unsigned();
  std::optional<timespec> made = is_whole ? time_of(object["made"]) : std::nullopt;
  if (!made) return std::nullopt;
  return SnapshotFacts{*made, object["files"], object["bytes"]};
}

// As JSON has no other text than UTF-8, the bytes of a home that is none stand beside it.
constexpr char kHomeBytes[] = "home_bytes";

std::optional<std::string> home_of(const Json& object) {
  if (!object.contains(kHomeBytes)) return object["home"];
  std::string bytes;
  for (const Json& byte : object[kHomeBytes]) {
    if (!byte.is_number_unsigned() || byte.get<uint64_t>() > UINT8_MAX) return std::nullopt;
    bytes.push_back(static_cast<char>(byte.get<uint8_t>()));
  }
  return bytes;
}

}  // namespace

std::optional<OverlayRecord> parse_record(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  bool is_whole = json.is_object() && json.contains("home") && json["home"].is_string() && json.contains("began");
  std::optional<timespec> began = is_whole ? time_of(json["began"]) : std::nullopt;
  if (!began) return std::nullopt;
  std::optional<std::string> home = home_of(json);
  if (!home) return std::nullopt;
  OverlayRecord record{std::move(*home), *began, json.contains("blank"), std::nullopt};
  if (json.contains("snapshot")) record.snapshot = facts_of(json["snapshot"]);
  return record;
}

std::string record_text(const OverlayRecord& record) {
  Json json = {{"home", record.home}, {"began", {record.began.tv_sec, record.began.tv_nsec}}};
  if (!is_utf8(record.home)) json[kHomeBytes] = std::vector<uint8_t>(record.home.begin(), record.home.end());
  if (record.blank) json["blank"] = true;
  if (record.snapshot) {
    const SnapshotFacts& facts = *record.snapshot;
    json["snapshot"] = {
        {"made", {facts.made.tv_sec, facts.made.tv_nsec}}, {"files", facts.files}, {"bytes", facts.bytes}};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Lines "SECONDS NANOSECONDS PATH", each ended by NUL.
std::map<std::string, timespec> parse_taken(std::string_view text) {
  std::map<std::string, timespec> taken;
  while (text.find('\0') != std::string_view::npos) {
    std::string_view line = take_part(text, '\0');
    auto seconds = parse_number(take_part(line, ' ')), nanoseconds = parse_number(take_part(line, ' '));
    bool is_time =
        seconds && nanoseconds && std::in_range<time_t>(*seconds) && std::cmp_less(*nanoseconds, kNanoseconds);
    if (!is_time || line.empty()) continue;
    taken[std::string(line)] = {static_cast<time_t>(*seconds), static_cast<long>(*nanoseconds)};
  }
  return taken;
}

std::string taken_line(const std::string& path, const timespec& time) {
  return std::to_string(time.tv_sec) + " " + std::to_string(time.tv_nsec) + " " + path + '\0';
}

}  // namespace sbox
