#include "network/rules.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace sbox::network {
namespace {

constexpr unsigned kMostSets = 1024;

std::string_view take_word(std::string_view& line) {
  size_t end = std::min(line.find(' '), line.size());
  std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <typename Number>
bool parse_number(std::string_view text, Number most, Number& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number <= most;
}

bool parse_net(std::string_view text, Rule& rule) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos || !parse_address(text.substr(0, slash), rule.net)) return false;
  rule.where = Rule::Where::net;
  auto most = static_cast<unsigned>(rule.net.size() * 8);
  return parse_number(text.substr(slash + 1), most, rule.length);
}

bool parse_where(std::string_view text, Rule& rule) {
  if (text == "any") return true;
  if (!text.starts_with('@')) return parse_net(text, rule);
  rule.where = Rule::Where::names;
  return parse_number(text.substr(1), kMostSets - 1, rule.set);
}

bool parse_service(std::string_view protocol, std::string_view ports, Rule& rule) {
  if (protocol != "any" && protocol != "tcp" && protocol != "udp") return false;
  if (protocol != "any") rule.protocol = protocol == "tcp" ? IPPROTO_TCP : IPPROTO_UDP;
  if (ports == "any") return true;
  size_t dash = ports.find('-');
  constexpr uint16_t kMost = 65535;
  return rule.protocol != 0 && dash != std::string_view::npos &&
         parse_number(ports.substr(0, dash), kMost, rule.first) &&
         parse_number(ports.substr(dash + 1), kMost, rule.last) && rule.first <= rule.last;
}

bool parse_line(std::string_view line, Rules& rules) {
  std::string_view word = take_word(line), first = take_word(line), second = take_word(line), third = take_word(line);
  if (!line.empty()) return false;
  Rule rule;
  if (word == "deny" || word == "allow") {
    rule.allow = word == "allow";
    rules.outward.push_back(rule);
    return parse_where(first, rules.outward.back()) && parse_service(second, third, rules.outward.back());
  }
  if (!third.empty()) return false;
  if (word == "listen") {
    rule.allow = true;
    rules.inward.push_back(rule);
    return parse_service(first, second, rules.inward.back());
  }
  if (word == "name") {
    rules.names.push_back({0, std::string(second)});
    return !second.empty() && parse_number(first, kMostSets - 1, rules.names.back().set);
  }
  if (word == "limit") {
    uint64_t& rate = first == "down" ? rules.limits.down : rules.limits.up;
    return (first == "down" || first == "up") && parse_number(second, UINT64_MAX, rate) && rate != 0;
  }
  if (!second.empty()) return false;
  if (word == "names") {
    rules.all_names = first == "all";
    return first == "all" || first == "listed";
  }
  if (word == "log") return rules.log = first == "all";
  if (word == "own") return parse_address(first, rules.own.emplace_back());
  if (word == "upstream") return parse_address(first, rules.upstreams.emplace_back());
  rules.resolver = first;
  return word == "resolver" && first.starts_with('/');
}

}  // namespace

bool parse_address(std::string_view text, Address& address) {
  std::string copy(text);
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) return true;
  address.is_six = true;
  return inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1;
}

unsigned Rules::sets() const {
  unsigned count = 0;
  for (const Name& name : names) count = std::max(count, name.set + 1);
  for (const Rule& rule : outward) {
    if (rule.where == Rule::Where::names) count = std::max(count, rule.set + 1);
  }
  return count;
}

bool parse_rules(std::string_view text, Rules& rules) {
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == "end") return text.empty();
    if (!parse_line(line, rules)) return false;
  }
  return false;
}

}  // namespace sbox::network
