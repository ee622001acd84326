#include "cli/options.h"

#include <getopt.h>

#include <cstdio>

#include "base/strings.h"
#include "plan/instance_name.h"

namespace sbox {
namespace {

constexpr char kDryRun = 'd';
constexpr char kName = 'n';
constexpr char kEphemeral = 'e';
constexpr char kNotify = 'N';
constexpr char kVersion = 'V';

constexpr RunOption kOptions[] = {
    {'p', "profile", "NAME|FILE", "another profile"},
    {'s', "set", "SECTION.KEY=VALUE", "one setting for this run; += adds to a list, -= removes"},
    {kName, "name", "NAME", "name of the instance; NAME@HOME has a private home of its own"},
    {kEphemeral, "ephemeral", nullptr, "a throw-away run: its changes in the home are listed, and kept on demand"},
    // main() sees to it: it speaks of errors in the options too.
    {kNotify, "notify", nullptr, "errors as desktop notifications too, where there is no terminal"},
    {kDryRun, "dry-run", nullptr, "print the plan as JSON, start nothing"},
    {'v', "verbose", nullptr, "what was decided and where the time went"},
    {'q', "quiet", nullptr, "errors only"},
    {'h', "help", nullptr, "this page"},
    {kVersion, "version", nullptr, "the version"},
};
// The others have a long form only.
constexpr char kLetters[] = "+:p:s:vqh";

std::vector<option> long_options() {
  std::vector<option> options;
  for (const RunOption& row : kOptions) {
    options.push_back({row.name, row.value == nullptr ? no_argument : required_argument, nullptr, row.letter});
  }
  options.push_back({});
  return options;
}

Error unknown_option(const std::string& word) {
  std::vector<std::string> names;
  for (const RunOption& row : kOptions) names.push_back(std::string("--") + row.name);
  std::optional<std::string> near = nearest(word.substr(0, word.find('=')), names);
  return Error("option " + quote(word), "unknown, or it takes no value")
      .hint(near ? "did you mean " + *near + "?"
                 : "see `sbox --help`; a program of that name is started by `sbox -- NAME`");
}

// getopt_long(3) takes the beginning of a name for the name: a script with that would break by the next option that
// begins alike.
bool is_whole(const std::string& word, const RunOption& row) {
  return word.substr(0, word.find('=')) == std::string("--") + row.name;
}

void check_instance_name(const std::string& name) {
  if (is_instance_name(name)) return;
  throw Error("--name " + quote(name), "not a name")
      .hint("begin with a letter or digit, use letters, digits and . _ + -, 64 at most, and @HOME");
}

void apply(RunOptions& options, int letter, const std::string& value) {
  switch (letter) {
    case 'p':
      // A script's variable that is not set must not end as the profile of another program.
      if (value.empty()) throw Error("--profile", "its value is empty").hint("name a profile or a file");
      options.profile = value;
      break;
    case 's':
      options.overrides.push_back(parse_override(value));
      break;
    case kName:
      check_instance_name(value);
      options.instance = value;
      break;
    case kEphemeral:
      options.ephemeral = true;
      break;
    case kDryRun:
      options.dry_run = true;
      break;
    case 'v':
      options.verbose = true;
      break;
    case 'q':
      options.quiet = true;
      break;
    case 'h':
      options.help = true;
      break;
    case kVersion:
      options.version = true;
      break;
    default:
      break;
  }
}

}  // namespace

std::span<const RunOption> run_options() { return kOptions; }

RunOptions parse_run_options(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), "sbox");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  int count = static_cast<int>(words.size());
  std::vector<option> known = long_options();

  RunOptions options;
  optind = 0;  // getopt keeps state between calls: start anew
  opterr = 0;
  for (;;) {
    int at = optind == 0 ? 1 : optind;
    int row = -1, letter = getopt_long(count, pointers.data(), kLetters, known.data(), &row);
    if (letter == -1) break;
    const std::string& word = words[static_cast<size_t>(at)];
    if (letter == ':') throw Error("option " + quote(word), "it needs a value");
    if (letter == '?' || (row >= 0 && !is_whole(word, kOptions[row]))) throw unknown_option(word);
    apply(options, letter, optarg == nullptr ? "" : optarg);
  }
  options.command.assign(words.begin() + optind, words.end());
  return options;
}

std::optional<std::string> option_value(const std::vector<std::string>& words, size_t& at, std::string_view name) {
  const std::string& word = words[at];
  if (!word.starts_with(name)) return std::nullopt;
  if (word.size() > name.size() && word[name.size()] == '=') return word.substr(name.size() + 1);
  if (word.size() > name.size()) return std::nullopt;
  return at + 1 < words.size() ? words[++at] : "";
}

std::string run_options_help() {
  std::string text;
  for (const RunOption& row : kOptions) {
    bool has_letter = std::string_view(kLetters).find(row.letter) != std::string_view::npos;
    std::string names = has_letter ? std::string("-") + row.letter + ", " : "    ";
    names += std::string("--") + row.name + (row.value == nullptr ? "" : std::string(" ") + row.value);
    names.resize(std::max<size_t>(names.size() + 1, 30), ' ');
    text += "  " + names + row.meaning + "\n";
  }
  return text;
}

}  // namespace sbox
