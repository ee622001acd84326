#include "desktop/wrap.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "base/error.h"
#include "desktop/exec.h"
#include "plan/filter_digest.h"

namespace sbox {
namespace {

constexpr std::string_view kSource = "X-Sbox-Source", kDigest = "X-Sbox-Digest", kShim = "X-Sbox-Shim";
constexpr std::string_view kOwnKeys = "X-Sbox-";
constexpr std::string_view kRun[] = {"run", "--notify", "--"};

// No other place: an entry may name any program "sbox".
bool is_sbox(const std::string& program, const std::string& sbox) {
  return program == sbox || program == "sbox" || program == "/usr/bin/sbox" || program == "/usr/local/bin/sbox";
}

std::string wrap_exec(const std::string& value, const std::string& sbox, bool has_codes) {
  std::vector<std::string> words = parse_exec(value);
  if (has_codes) check_field_codes(words);
  if (is_sbox(program_of(words), sbox)) return value;
  std::vector<std::string> all = {""};
  for (char c : sbox) all[0] += has_codes && c == '%' ? "%%" : std::string(1, c);
  all.insert(all.end(), std::begin(kRun), std::end(kRun));
  all.insert(all.end(), words.begin(), words.end());
  return write_exec(all);
}

// Nothing where the line is left out.
std::optional<std::string> rewritten(const KeyLine& line, bool is_service, bool has_exec, const std::string& sbox) {
  if (line.key.starts_with(kOwnKeys) || (is_service && line.key == "SystemdService")) return std::nullopt;
  if (line.key.starts_with("Exec[")) throw Error(line.key, "a command line has no translations");
  if (line.key == "Exec") return wrap_exec(line.value, sbox, !is_service);
  if (line.key == "DBusActivatable" && has_exec) return "false";
  return line.value;
}

}  // namespace

std::string digest_of(std::string_view text) {
  char digits[17];
  snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(digest_add(kDigestStart, text)));
  return digits;
}

std::optional<Record> record_of(const KeyFile& file) {
  Record record{file.value(kSource), file.value(kDigest), file.value(kShim)};
  if (record.source.empty() || record.digest.empty()) return std::nullopt;
  return record;
}

std::vector<std::string> command_of(const KeyFile& file) {
  auto is_exec = [](const KeyLine& line) { return line.key == "Exec"; };
  auto is_main = [&](const KeyLine& line) { return is_exec(line) && line.group == file.main_group; };
  auto last = std::find_if(file.lines.rbegin(), file.lines.rend(), is_main);
  if (last == file.lines.rend()) last = std::find_if(file.lines.rbegin(), file.lines.rend(), is_exec);
  if (last == file.lines.rend()) return {};
  std::vector<std::string> words = parse_exec(last->value);
  auto ours = std::mismatch(words.begin() + 1, words.end(), std::begin(kRun), std::end(kRun));
  if (record_of(file) && ours.second == std::end(kRun) && ours.first != words.end())
    words.erase(words.begin(), ours.first);
  return words;
}

bool starts_sbox(const KeyFile& file, const std::string& sbox) {
  bool all = true, any = false;
  for (const KeyLine& line : file.lines) {
    if (line.key != "Exec") continue;
    any = true;
    all = all && is_sbox(program_of(parse_exec(line.value)), sbox);
  }
  return any && all;
}

std::string wrapped(const KeyFile& file, const std::string& sbox, const Record& record) {
  const std::string& group = file.main_group;
  bool is_service = group == kServiceGroup;
  bool has_exec = !file.value("Exec").empty();
  KeyFile result{group, {}};
  bool recorded = false;
  int number = 0;
  for (const KeyLine& line : file.lines) {
    ++number;
    try {
      std::optional<std::string> value = line.key.empty() ? line.value : rewritten(line, is_service, has_exec, sbox);
      if (value) result.lines.push_back({line.group, line.key, *value});
    } catch (Error& error) {
      throw std::move(error).at({record.source, number});
    }
    if (recorded || line.group != group) continue;
    recorded = true;
    auto add = [&](std::string_view key, const std::string& text) {
      if (!text.empty()) result.lines.push_back({group, std::string(key), escape_value(text)});
    };
    add(kSource, record.source);
    add(kDigest, record.digest);
    add(kShim, record.shim);
  }
  return result.text();
}

}  // namespace sbox
