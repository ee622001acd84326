#include "profile/profile.h"

#include <algorithm>

#include "base/strings.h"
#include "profile/values.h"

namespace sbox {
namespace {

const Value& default_of(Key key) {
  static const std::vector<Value> defaults = [] {
    std::vector<Value> values;
    for (const Setting& s : settings()) values.push_back({std::string(s.fallback), Origin{}});
    return values;
  }();
  return defaults[static_cast<size_t>(key)];
}

const std::vector<Value>& default_list_of(Key key) {
  static const std::vector<std::vector<Value>> defaults = [] {
    std::vector<std::vector<Value>> lists;
    for (const Setting& s : settings()) {
      lists.push_back(s.is_list() ? split_elements(s.fallback, Origin{}) : std::vector<Value>{});
    }
    return lists;
  }();
  return defaults[static_cast<size_t>(key)];
}

}  // namespace

uint64_t Profile::number(Key key) const {
  const std::string& text = scalar(key).text;
  switch (setting(key).type) {
    case Type::size:
      return parse_size(text).value();
    case Type::duration:
      return parse_duration(text).value();
    case Type::share:
      return parse_share(text).value();
    default:
      return parse_number(text).value();
  }
}

const std::vector<Value>& Profile::list(Key key) const {
  auto found = lists_.find(key);
  return found == lists_.end() ? default_list_of(key) : found->second;
}

const std::vector<Value>& Profile::taken_out(Key key) const {
  static const std::vector<Value> kNone;
  auto found = taken_out_.find(key);
  return found == taken_out_.end() ? kNone : found->second;
}

const Value& Profile::scalar(Key key) const {
  auto found = scalars_.find(key);
  return found == scalars_.end() ? default_of(key) : found->second;
}

bool Profile::is_set(Key key) const { return scalars_.contains(key) || lists_.contains(key); }

bool Profile::is_optional(std::string_view feature) const {
  const std::vector<Value>& features = list(Key::profile_optional);
  return std::any_of(features.begin(), features.end(), [&](const Value& value) { return value.text == feature; });
}

void Profile::assign(Key key, Value value) {
  const Setting& row = setting(key);
  if (row.is_list() && value.text.empty()) {
    lists_[key].clear();
    return;
  }
  check_value(row, value);
  if (!row.is_list()) {
    scalars_[key] = std::move(value);
    return;
  }
  std::erase_if(taken_out_[key], [&](const Value& other) { return other.text == value.text; });
  lists_[key].push_back(std::move(value));
}

void Profile::remove(Key key, const Value& value) {
  const Setting& row = setting(key);
  if (!row.is_list()) throw Error(shown(row, value), "is not a list").at(value.origin).hint("use = instead of -=");
  auto same = [&](const Value& other) { return other.text == value.text; };
  const std::vector<Value>& now = list(key);
  if (std::none_of(now.begin(), now.end(), same)) {
    std::vector<std::string> texts;
    for (const Value& other : now) texts.push_back(other.text);
    std::optional<std::string> near = nearest(value.text, texts);
    throw Error(shown(row, value), "is not in the list")
        .at(value.origin)
        .hint(near ? "did you mean " + *near + "?" : "see `sbox show`");
  }
  std::vector<Value> kept = now;
  std::erase_if(kept, same);
  lists_[key] = std::move(kept);
  taken_out_[key].push_back(value);
}

void Profile::rename(std::string name, std::string path) {
  name_ = std::move(name);
  path_ = std::move(path);
}

}  // namespace sbox
