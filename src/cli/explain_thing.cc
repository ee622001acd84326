#include "cli/explain_thing.h"

#include <algorithm>
#include <iterator>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/explain.h"
#include "plan/paths.h"
#include "plan/seccomp.h"

namespace sbox {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";

bool consists_of(std::string_view text, std::initializer_list<std::string_view> allowed) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](std::string_view set) { return set.find(c) != std::string_view::npos; });
  });
}

bool is_file_here(const Inquiry& inquiry, const std::string& word) {
  std::optional<std::string> path = normalise(inquiry.host.directory() + "/" + word);
  return path && inquiry.host.status(*path).kind != FileKind::missing;
}

bool is_path(const Inquiry&, const std::string& word) {
  return word.starts_with('.') || word.starts_with('~') || word.find('/') != std::string::npos;
}

bool is_call(const Inquiry&, const std::string& word) { return is_call_or_group(word); }

bool is_setting(const Inquiry&, const std::string& word) { return setting_named(word).has_value(); }

bool is_variable(const Inquiry& inquiry, const std::string& word) {
  constexpr std::string_view kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  if (word.empty() || !consists_of(word, {kCapitals, kDigits}) || !consists_of(word.substr(0, 1), {kCapitals})) {
    return false;
  }
  return !is_file_here(inquiry, word);
}

// Names of bus owners begin with a domain that is written backwards.
bool begins_like_a_domain(std::string_view first) {
  constexpr std::string_view kUsual[] = {"org", "com", "net", "io",  "ca",  "de",  "fi",
                                         "fr",  "uk",  "me",  "dev", "app", "page"};
  return contains(kUsual, first);
}

bool is_bus_name(const Inquiry& inquiry, const std::string& word) {
  std::vector<std::string> elements = split(word, '.');
  bool is_pattern = elements.back() == "*";
  if (is_pattern) elements.pop_back();
  if (elements.size() < 2) return false;
  for (const std::string& element : elements) {
    if (element.empty() || !consists_of(element, {kLetters, kDigits, "_-"})) return false;
  }
  auto has_capital = [](const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  };
  bool is_likely = begins_like_a_domain(elements[0]) ||
                   (elements.size() > 2 && std::any_of(elements.begin(), elements.end(), has_capital));
  return is_likely && !is_file_here(inquiry, word);
}

bool is_anything(const Inquiry&, const std::string&) { return true; }

// A word that is a name in several tables is the first of these. Whatever is nothing else is a file, here.
constexpr ThingKind kKinds[] = {
    {"host", is_network, explain_destination},
    {"path", is_path, explain_path},
    {"call", is_call, explain_call},
    {"setting", is_setting, explain_setting},
    {"variable", is_variable, explain_variable},
    {"bus", is_bus_name, explain_bus_name},
    {"host", is_destination, explain_destination},
    {"path", is_anything, explain_path},
};

// What a word that is no file could have been meant to be.
std::optional<std::string> near_word(const std::string& word) {
  for (const Setting& row : settings()) {
    if (row.name == word) return std::string(row.section) + "." + word;
  }
  std::vector<std::string> words = setting_words();
  for (const SyscallGroup& group : syscall_groups()) {
    words.emplace_back(group.name);
    words.insert(words.end(), group.calls.begin(), group.calls.end());
  }
  return nearest(word, words);
}

}  // namespace

std::span<const ThingKind> thing_kinds() { return kKinds; }

Answer explain_thing(const Inquiry& inquiry, const std::string& word) {
  size_t colon = word.find(':');
  for (const ThingKind& kind : kKinds) {
    if (colon != std::string::npos && word.substr(0, colon) == kind.name) {
      if (colon + 1 == word.size()) {
        throw Error("explain " + quote(word), "names nothing").hint("write it behind the :");
      }
      return kind.explain(inquiry, word.substr(colon + 1));
    }
  }
  auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                           [&](const ThingKind& each) { return each.matches(inquiry, word); });
  Answer answer = kind->explain(inquiry, word);
  if (kind->matches == is_anything && !is_file_here(inquiry, word)) {
    if (std::optional<std::string> near = near_word(word))
      answer.say("If no file is meant: did you mean " + *near + "?");
  }
  return answer;
}

}  // namespace sbox
