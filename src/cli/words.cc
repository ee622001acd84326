#include "cli/words.h"

#include "base/contains.h"
#include "base/error.h"
#include "base/strings.h"
#include "cli/command.h"

namespace sbox {

bool Words::has(std::string_view option) const { return contains(options, option); }

Words parse_words(std::string_view command, const std::vector<std::string>& arguments,
                  const std::vector<std::string>& known, size_t most) {
  std::string what(command);
  Words words;
  bool options_end = false;
  for (const std::string& word : arguments) {
    // A script's variable that is not set must not make a name of the path behind it.
    if (word.empty()) throw Error(what, "a name or a path is empty").hint(usage_of(command));
    if (options_end || !word.starts_with('-')) {
      words.names.push_back(word);
    } else if (word == "--") {
      options_end = true;
    } else if (contains(known, word)) {
      words.options.push_back(word);
    } else {
      std::optional<std::string> near = nearest(word, known);
      throw Error(what + " " + quote(word), "there is no such option")
          .hint(near ? "did you mean " + *near + "?" : usage_of(command));
    }
  }
  if (words.names.size() > most) {
    throw Error(what + " " + quote(words.names[most]), "is one word too many").hint(usage_of(command));
  }
  return words;
}

std::string usage_of(std::string_view command) {
  for (const Command& row : commands()) {
    if (row.name == command) return "sbox " + std::string(row.name) + " " + std::string(row.arguments);
  }
  return "sbox --help";
}

}  // namespace sbox
