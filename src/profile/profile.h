// A profile: what its author wrote, merged and typed, every value knowing where it was written. Knows nothing of the
// host: macros in paths are still there (checked for their names only).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "profile/settings.h"

namespace sbox {

// One element of a list, or one scalar, as written (trimmed, unquoted).
struct Value {
  std::string text;
  Origin origin;

  bool operator==(const Value&) const = default;
};

// A value type; immutable once the reader has returned it.
class Profile {
 public:
  const std::string& name() const { return name_; }
  // The main file, "" for a profile made in memory.
  const std::string& path() const { return path_; }

  // Typed reads. Precondition: the key has that type. Values were checked when they were read.
  bool flag(Key key) const { return scalar(key).text == "yes"; }
  const std::string& text(Key key) const { return scalar(key).text; }  // choice or text
  uint64_t number(Key key) const;                                      // size (bytes), count, duration (s) or share (%)
  const std::vector<Value>& list(Key key) const;

  // The elements that a line took out of a list and none put back, with the origin of that line.
  const std::vector<Value>& taken_out(Key key) const;

  // The value of a setting that is not a list, with its origin; the default where none was written.
  const Value& scalar(Key key) const;
  // Whether any file or option set it (an empty list counts).
  bool is_set(Key key) const;
  // Whether `feature` stands in [profile] optional.
  bool is_optional(std::string_view feature) const;

  // For the reader and tests: checks the value as the reader does and throws Error at its origin.
  // `assign` replaces a scalar; for a list it appends, and an empty text clears it.
  void assign(Key key, Value value);
  void remove(Key key, const Value& value);  // list element; Error when it is not there
  void rename(std::string name, std::string path);

 private:
  std::string name_, path_;
  std::map<Key, Value> scalars_;
  std::map<Key, std::vector<Value>> lists_, taken_out_;
};

}  // namespace sbox
