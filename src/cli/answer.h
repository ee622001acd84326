// What `sbox explain PROFILE THING` answers: yes or no, by which line, and what to write to change it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "profile/profile.h"

namespace sbox {

struct Answer {
  // A sentence, and the line of a profile that it ends with; "" for none.
  struct Part {
    std::string text, line;
  };

  std::string kind;            // of thing: "path", "bus name", "system call", "variable", "setting"
  std::string thing;           // as it was understood
  std::string verdict = "no";  // "yes", "no"; of paths also "read-only", of what is allowed in parts "partly"
  std::string
      origin;  // the line that decides, as FILE:LINE; "sbox" for what every sandbox has; "" where no line speaks of it
  std::vector<Part> parts;

  void say(std::string text) { parts.push_back({std::move(text), ""}); }
  // What to write, and what for: "To let it ...:".
  void offer(std::string purpose, std::string line) { parts.push_back({std::move(purpose), std::move(line)}); }
};

// "[SECTION] KEY = VALUE"; of a list, `value` is one element.
std::string line_of(Key key, std::string_view value);

// The element of a list that decides, to be taken out: "PURPOSE, remove FILE:LINE", and for a drop-in the line that
// does it. What is no element of a list, as the switch that brings it along, can only be removed.
void offer_removal(Answer& answer, const Profile& profile, const std::string& purpose, const Value& element);

// "by FILE:LINE", "by what every sandbox has", "by default".
std::string by_line(const std::string& origin);

// For people; ends with a newline.
std::string answer_text(const std::string& profile, const Answer& answer);
// One object; ends with a newline. `missing`: why a start would be refused, or "".
std::string answer_json(const std::string& profile, const Answer& answer, const std::string& missing);

}  // namespace sbox
