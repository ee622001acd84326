#include "log/log.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

namespace sbox {
namespace {

using nlohmann::ordered_json;

template <typename T>
bool take(const ordered_json& from, const char* name, T& value) {
  auto found = from.find(name);
  if (found == from.end()) return false;
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) return false;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!found->is_boolean()) return false;
  } else {
    if (!found->is_number_integer()) return false;
  }
  value = found->template get<T>();
  return true;
}

std::optional<LogHeader> parse_header(std::string_view line) {
  ordered_json read = ordered_json::parse(line, nullptr, false);
  if (!read.is_object()) return std::nullopt;
  LogHeader header;
  bool whole = take(read, "instance", header.instance) && take(read, "profile", header.profile) &&
               take(read, "profile_file", header.profile_file) && take(read, "program", header.program) &&
               take(read, "started", header.started) && take(read, "architecture", header.policy.architecture) &&
               take(read, "compat_32_bit", header.policy.compat_32_bit) && take(read, "kill", header.policy.kill) &&
               take(read, "nested_sandbox", header.policy.nested_sandbox) && take(read, "debug", header.policy.debug) &&
               take(read, "write_xor_execute", header.policy.write_xor_execute);
  // Not known to the logs of the first version.
  take(read, "session_filtered", header.session_filtered);
  take(read, "has_proxy", header.has_proxy);
  take(read, "tcp_by_port", header.policy.tcp_by_port);
  return whole ? std::optional(header) : std::nullopt;
}

// `bytes`: from the first record on. The first note of each helper stands for those that had no room.
void take_notes(std::string_view bytes, Log& log) {
  constexpr size_t kBegin = kMostRecords * sizeof(LogRecord);
  bytes.remove_prefix(std::min(kBegin, bytes.size()));
  for (size_t i = 0; i < kMostTellers * kMostNotes && bytes.size() >= sizeof(Note); ++i) {
    Note note;
    memcpy(&note, bytes.data(), sizeof note);
    bytes.remove_prefix(sizeof note);
    bool is_known = note.kind > NoteKind::none && note.kind <= kLastNoteKind;
    if (i % kMostNotes == 0) {
      log.other_notes += note.count;
    } else if (note.count > 0 && is_known) {
      log.notes.push_back(note);
    }
  }
}

}  // namespace

LogHeader log_header(const Profile& profile, const Plan& plan) {
  LogHeader header{plan.instance, plan.program, plan.profile, profile.path(), 0, seccomp_policy(profile)};
  header.session_filtered = profile.text(Key::dbus_session) == "filtered";
  header.has_proxy = !profile.text(Key::network_proxy).empty();
  header.policy.allow.clear();
  header.policy.deny.clear();
  return header;
}

std::string header_line(const LogHeader& header) {
  ordered_json line = {{"instance", header.instance},
                       {"profile", header.profile},
                       {"profile_file", header.profile_file},
                       {"program", header.program},
                       {"started", header.started},
                       {"architecture", header.policy.architecture},
                       {"compat_32_bit", header.policy.compat_32_bit},
                       {"kill", header.policy.kill},
                       {"nested_sandbox", header.policy.nested_sandbox},
                       {"debug", header.policy.debug},
                       {"write_xor_execute", header.policy.write_xor_execute},
                       {"session_filtered", header.session_filtered},
                       {"has_proxy", header.has_proxy},
                       {"tcp_by_port", header.policy.tcp_by_port}};
  return line.dump(-1, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

std::optional<Log> parse_log(std::string_view bytes) {
  size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::optional<LogHeader> header = parse_header(bytes.substr(0, end));
  if (!header) return std::nullopt;
  Log log{std::move(*header), {}, 0, {}, 0};
  bytes.remove_prefix(end + 1);
  take_notes(bytes, log);
  for (size_t i = 0; i < kMostRecords && bytes.size() >= sizeof(LogRecord); ++i) {
    LogRecord record;
    memcpy(&record, bytes.data(), sizeof record);
    bytes.remove_prefix(sizeof record);
    if (i == 0) {
      log.others = record.count;
    } else if (record.count > 0) {
      log.records.push_back(record);
    }
  }
  return log;
}

}  // namespace sbox
