#include "cli/show.h"

#include "base/strings.h"
#include "cli/print.h"
#include "cli/words.h"
#include "profile/values.h"

namespace sbox {
namespace {

std::string comment(const Origin& origin) { return "# " + escape_control(origin.text()) + "\n"; }

void append_scalar(std::string& text, const Setting& row, const Value& value) {
  text += comment(value.origin) + std::string(row.name) + " =" + (value.text.empty() ? "" : " " + value.text) + "\n";
}

void append_list(std::string& text, const Setting& row, const Profile& profile) {
  text += std::string(row.name) + " =\n";
  for (const Value& value : profile.list(row.key)) {
    text += comment(value.origin) + "  " + quote_element(value.text) + "\n";
  }
  for (const Value& value : profile.taken_out(row.key)) {
    text += "# " + escape_control(value.origin.text()) + " takes out " + quote_element(value.text) + "\n";
  }
}

// A comment: merged as they are, they must not be read once more.
std::string includes_of(const Profile& profile) {
  std::string text;
  for (const Value& value : profile.list(Key::profile_include)) {
    text += "# includes " + value.text + " (" + escape_control(value.origin.text()) + ")\n";
  }
  return text;
}

}  // namespace

std::string show_profile(const Profile& profile, bool all) {
  std::string text = "# " + profile.name() + ": " + escape_control(profile.path()) + "\n" + includes_of(profile);
  std::string_view section;
  for (const Setting& row : settings()) {
    if (row.key == Key::profile_include || (!all && !profile.is_set(row.key))) continue;
    if (row.section != section) text += "\n[" + std::string(row.section) + "]\n";
    section = row.section;
    if (row.is_list())
      append_list(text, row, profile);
    else
      append_scalar(text, row, profile.scalar(row.key));
  }
  return text;
}

int run_show(const Context& context, const std::vector<std::string>& arguments) {
  Words words = parse_words("show", arguments, {"--all"}, 1);
  std::string text;
  if (words.names.empty()) {
    for (const std::string& name : list_profiles(context.search)) text += name + "\n";
  } else {
    text = show_profile(read_profile(context.search, words.name()), words.has("--all"));
  }
  print(text);
  return 0;
}

}  // namespace sbox
