#include "profile/values.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/contains.h"
#include "base/strings.h"
#include "profile/network_syntax.h"
#include "profile/path_syntax.h"

namespace sbox {
namespace {

struct Fault {
  std::string why, hint;
};
using Check = std::optional<Fault>;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Letters, digits, and `others`.
bool consists_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos; });
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Check check_boolean(const Setting&, std::string_view text) {
  if (text == "yes" || text == "no") return {};
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array kYes = {"yes", "true", "on", "1", "y", "enable", "enabled"};
  constexpr std::array kNo = {"no", "false", "off", "0", "n", "disable", "disabled"};
  std::string hint = "write yes or no";
  if (contains(kYes, lower)) hint = "write yes";
  if (contains(kNo, lower)) hint = "write no";
  return Fault{"is neither yes nor no", hint};
}

Check check_choice(const Setting& setting, std::string_view text) {
  std::vector<std::string> choices = split(setting.choices, '|');
  if (contains(choices, text)) return {};
  std::optional<std::string> near = nearest(text, choices);
  return Fault{"is not one of " + joined(choices), near ? "did you mean " + *near + "?" : "choose one of them"};
}

Check check_time_zone(std::string_view text) {
  if (!consists_of(text, "_+-/") || text.starts_with('/') || text.ends_with('/') || text.starts_with('-') ||
      text.find("//") != std::string_view::npos) {
    return Fault{"is not the name of a time zone", "write host, or a name like Europe/Berlin"};
  }
  return {};
}

Check check_hostname(std::string_view text) {
  constexpr size_t kLongest = 64;  // HOST_NAME_MAX
  bool edges = is_letter(text.front()) || is_digit(text.front());
  if (text.size() > kLongest || !edges || !consists_of(text, ".-") || text.ends_with('.') || text.ends_with('-')) {
    return Fault{"is not a host name", "use letters, digits and -, at most 64"};
  }
  return {};
}

Check check_proxy(std::string_view text) {
  std::string why;
  if (parse_proxy(text, why)) return {};
  return Fault{why, "write it like socks5://proxy.example.org:1080"};
}

Check check_bandwidth(std::string_view text) {
  std::string why;
  if (parse_bandwidth(text, why)) return {};
  return Fault{why, "write it like 2M down, 500K up"};
}

Check check_text(const Setting& setting, std::string_view text) {
  if (text.empty()) {
    if (setting.fallback.empty()) return {};
    return Fault{"has no value", "take the line out to get " + std::string(setting.fallback)};
  }
  if (setting.key == Key::system_hostname) return check_hostname(text);
  if (setting.key == Key::system_time_zone) return check_time_zone(text);
  if (setting.key == Key::network_proxy) return check_proxy(text);
  if (setting.key == Key::network_bandwidth) return check_bandwidth(text);
  return {};
}

Check check_size(const Setting& setting, std::string_view text) {
  std::optional<uint64_t> size = parse_size(text);
  if (!size) return Fault{"is not a size", "write digits with an optional K, M or G, as in 512M"};
  // For a tmpfs the kernel takes 0 as "no limit".
  if (*size == 0 && setting.fallback != "0") return Fault{"must not be 0", "write a size, as in 512M"};
  return {};
}

Check check_count(const Setting&, std::string_view text) {
  bool padded = text.size() > 1 && text[0] == '0';
  if (padded || !parse_number(text)) return Fault{"is not a number", "write decimal digits only"};
  return {};
}

Check check_word(const Setting& setting, std::string_view text) {
  if (setting.key == Key::profile_include) {
    if (is_include_name(text)) return {};
    return Fault{"is not the name of a profile or block", "write NAME or lib/NAME, without .profile"};
  }
  if (setting.key == Key::profile_programs) {
    if (is_profile_name(text)) return {};
    return Fault{"is not the name of a program", "write its base name, without a directory"};
  }
  if (!consists_of(text, "._+@*-")) return Fault{"is not a name", "use letters, digits and . _ + @ * -"};
  if (text.starts_with('-')) return Fault{"begins with a -", "only --set takes away, as SECTION.KEY-=NAME"};
  if (text == "." || text.find("..") != std::string_view::npos) return Fault{"is not a name", "name one entry"};
  return {};
}

bool is_bus_element(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) && text[0] != '-' && consists_of(text, "_-");
}

// At least two elements joined by dots.
bool is_bus_name(std::string_view text) {
  constexpr size_t kLongest = 255;
  std::vector<std::string> elements = split(text, '.');
  return text.size() <= kLongest && elements.size() > 1 &&
         std::all_of(elements.begin(), elements.end(), is_bus_element);
}

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

bool is_object_path(std::string_view text) {
  text = without_suffix(text, "/*");
  if (text == "/" || text.empty()) return true;
  if (text[0] != '/') return false;
  std::vector<std::string> elements = split(text.substr(1), '/');
  return std::all_of(elements.begin(), elements.end(),
                     [](const std::string& e) { return !e.empty() && consists_of(e, "_"); });
}

// NAME=INTERFACE.METHOD@PATH; METHOD may be *, the whole of INTERFACE.METHOD too, and @PATH may be left out.
bool is_call_rule(std::string_view text) {
  size_t equals = text.find('=');
  if (equals == std::string_view::npos) return false;
  std::string_view method = text.substr(equals + 1);
  if (size_t at = method.find('@'); at != std::string_view::npos) {
    if (at + 1 == method.size() || !is_object_path(method.substr(at + 1))) return false;
    method = method.substr(0, at);
  }
  bool is_method = method == "*" || is_bus_name(without_suffix(method, ".*"));
  return is_method && is_bus_name(without_suffix(text.substr(0, equals), ".*"));
}

Check check_bus_rule(const Setting& setting, std::string_view text) {
  if (setting.name.ends_with("call") || setting.name.ends_with("broadcast")) {
    if (is_call_rule(text)) return {};
    bool is_call = setting.name.ends_with("call");
    return is_call ? Fault{"is not a call rule", "write NAME=INTERFACE.METHOD@PATH"}
                   : Fault{"is not a rule for signals", "write NAME=INTERFACE.SIGNAL@PATH"};
  }
  if (is_bus_name(without_suffix(text, ".*"))) return {};
  return Fault{"is not a bus name", "write it like org.example.Name, or org.example.* for all below"};
}

bool is_variable_name(std::string_view text) { return !text.empty() && !is_digit(text[0]) && consists_of(text, "_"); }

Check check_variable(const Setting&, std::string_view text) {
  if (is_variable_name(without_suffix(text, "*"))) return {};
  return Fault{"is not the name of a variable", "use letters, digits and _; a * may end it, as in LC_*"};
}

Check check_assignment(const Setting&, std::string_view text) {
  size_t equals = text.find('=');
  if (equals != std::string_view::npos && is_variable_name(text.substr(0, equals))) return {};
  return Fault{"is not NAME=VALUE", "write it like TERM=dumb"};
}

Check check_endpoint(const Setting& setting, std::string_view text) {
  std::string why;
  switch (setting.key) {
    case Key::network_listen:
      if (parse_listening(text, why)) return {};
      return Fault{why, "write a port, as in 8080 or udp 5353"};
    case Key::network_forward:
      if (parse_forwarding(text, why)) return {};
      return Fault{why, "write it like 8080:80"};
    case Key::network_dns:
      if (address_bits(text)) return {};
      return Fault{"is not an address", "write the address of a name server, as in 192.0.2.1"};
    default:
      if (parse_destination(text, why)) return {};
      return Fault{why, "write it like example.org:443, 192.0.2.0/24, :80, or tcp"};
  }
}

Check check_path(const Setting& setting, std::string_view text) {
  if (std::optional<PathFault> fault = path_fault(text)) return Fault{fault->why, fault->hint};
  if (setting.key == Key::devices_allow && !text.starts_with("/dev/")) {
    return Fault{"is not below /dev", "name a device node, as in /dev/ttyUSB0"};
  }
  return {};
}

// What no value may hold, in a file or on the command line.
Check check_characters(std::string_view text) {
  if (!is_utf8(text)) return Fault{"is not UTF-8", ""};
  if (!is_safe_to_show(text)) return Fault{"holds a control or invisible character", "take it out"};
  // inih would end the value there if it read it from a file; what show prints must be read back the same.
  if (text.find(" ;") != std::string_view::npos) return Fault{"holds a ';' after a space", "take the space out"};
  return {};
}

Check check_typed(const Setting& setting, std::string_view text) {
  if (Check fault = check_characters(text)) return fault;
  if (setting.type != Type::text && text.empty()) return Fault{"has no value", "write one, or take the line out"};
  switch (setting.type) {
    case Type::boolean:
      return check_boolean(setting, text);
    case Type::choice:
      return check_choice(setting, text);
    case Type::text:
      return check_text(setting, text);
    case Type::size:
      return check_size(setting, text);
    case Type::count:
      return check_count(setting, text);
    case Type::duration:
      if (parse_duration(text)) return {};
      return Fault{"is not a time", "write it like 90s, 30m, 2h or 1d"};
    case Type::share:
      if (parse_share(text)) return {};
      return Fault{"is no share of processors", "write it like 50%, or 1.5 for one and a half"};
    case Type::words:
      if (!setting.choices.empty()) return check_choice(setting, text);
      return check_word(setting, text);
    case Type::paths:
      return check_path(setting, text);
    case Type::bus_rules:
      return check_bus_rule(setting, text);
    case Type::variables:
      return check_variable(setting, text);
    case Type::assignments:
      return check_assignment(setting, text);
    case Type::endpoints:
      return check_endpoint(setting, text);
  }
  return Fault{"has an unknown type", ""};
}

// The quoted element at the front of `text`, which is cut off; nothing when the quote is not closed.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string element;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      element += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      element += text[i++];
    } else {
      text.remove_prefix(i + 1);
      return element;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string key_name(const Setting& setting) { return std::string(setting.section) + "." + std::string(setting.name); }

std::string shown(const Setting& setting, const Value& value) { return key_name(setting) + " = " + value.text; }

void check_value(const Setting& setting, const Value& value) {
  if (Check fault = check_typed(setting, value.text)) {
    bool has_comment = value.text.find(" #") != std::string::npos;
    throw Error(shown(setting, value), fault->why)
        .at(value.origin)
        .hint(has_comment ? "a comment has a line of its own" : fault->hint);
  }
}

bool is_value(const Setting& setting, const std::string& text) try {
  check_value(setting, {text, {}});
  return true;
} catch (const Error&) {
  return false;
}

std::vector<Value> split_elements(std::string_view text, const Origin& origin) {
  std::vector<Value> elements;
  text = trim(text);
  if (text.empty()) return elements;
  auto fail = [&](const char* why, const char* hint) -> Error {
    return Error(std::string(text), why).at(origin).hint(hint);
  };
  for (std::string_view rest = text;;) {
    rest = trim(rest);
    std::string element;
    if (rest.starts_with('"')) {
      std::optional<std::string> quoted = take_quoted(rest);
      if (!quoted) throw fail("the quote is not closed", "write \"\" for a quote within quotes");
      element = std::move(*quoted);
      rest = trim(rest);
      if (!rest.empty() && rest[0] != ',')
        throw fail("there is text after the closing quote", "quote the whole element");
    } else {
      element = trim(rest.substr(0, rest.find(',')));
      if (element.find('"') != std::string::npos)
        throw fail("there is a quote within an element", "quote the whole element");
      rest.remove_prefix(std::min(rest.find(','), rest.size()));
    }
    if (element.empty()) throw fail("an element of the list is empty", "take the superfluous comma out");
    elements.push_back({std::move(element), origin});
    if (rest.empty()) return elements;
    rest.remove_prefix(1);
  }
}

std::string quote_element(std::string_view element) {
  bool plain = trim(element) == element && element.find_first_of(",\"") == std::string_view::npos && !element.empty() &&
               element[0] != '#' && element[0] != ';';
  if (plain) return std::string(element);
  std::string quoted = "\"";
  for (char c : element) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::optional<uint64_t> parse_size(std::string_view text) {
  uint64_t unit = 1;
  if (!text.empty()) {
    char last = text.back();
    unit = last == 'K' ? 1ULL << 10 : last == 'M' ? 1ULL << 20 : last == 'G' ? 1ULL << 30 : 1;
  }
  if (unit > 1) text.remove_suffix(1);
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  std::optional<unsigned long long> number = parse_number(text);
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();  // off_t, and what tmpfs takes
  if (!number || *number > kMost / unit) return std::nullopt;
  return *number * unit;
}

std::optional<uint64_t> parse_duration(std::string_view text) {
  constexpr uint64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kMost = 10'000 * kDay;
  char last = text.empty() ? '\0' : text.back();
  uint64_t unit = last == 'm' ? kMinute : last == 'h' ? kHour : last == 'd' ? kDay : 1;
  if (unit > 1 || last == 's') text.remove_suffix(1);
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  std::optional<unsigned long long> number = parse_number(text);
  if (!number || *number > kMost / unit) return std::nullopt;
  return *number * unit;
}

std::optional<uint64_t> parse_share(std::string_view text) {
  constexpr uint64_t kHundred = 100, kMost = 10'000;  // processors
  bool is_percent = text.ends_with('%');
  if (is_percent) text.remove_suffix(1);
  std::string_view whole = text.substr(0, text.find('.')), rest = text.substr(whole.size());
  std::string part(rest.empty() ? "" : rest.substr(1));
  bool is_fine = is_percent ? rest.empty() : (rest.empty() || (!part.empty() && part.size() <= 2));
  std::optional<unsigned long long> number = parse_number(whole);
  if (!is_fine || !number || (whole.size() > 1 && whole[0] == '0')) return std::nullopt;
  if (is_percent) return *number <= kMost * kHundred ? std::optional<uint64_t>(*number) : std::nullopt;
  if (*number > kMost) return std::nullopt;
  part.resize(2, '0');
  std::optional<unsigned long long> hundredths = parse_number(part);
  if (!hundredths) return std::nullopt;
  return *number * kHundred + *hundredths;
}

bool is_profile_name(std::string_view name) {
  constexpr size_t kLongest = 200;  // leaves room for ".profile.d" in a file name
  if (name.empty() || name.size() > kLongest || name.find("..") != std::string_view::npos) return false;
  return (is_letter(name[0]) || is_digit(name[0])) && consists_of(name, "._+@-");
}

bool is_include_name(std::string_view name) {
  if (name.starts_with("lib/")) name.remove_prefix(4);
  return is_profile_name(name);
}

}  // namespace sbox
