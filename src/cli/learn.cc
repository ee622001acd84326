#include "cli/learn.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/contains.h"
#include "base/strings.h"
#include "cli/ask.h"
#include "cli/learn_watch.h"
#include "cli/lint.h"
#include "cli/options.h"
#include "cli/policy_file.h"
#include "cli/print.h"
#include "cli/proposal.h"
#include "cli/request.h"
#include "cli/words.h"
#include "desktop/catalogue.h"
#include "desktop/exec.h"
#include "plan/paths.h"
#include "plan/places.h"
#include "plan/planner.h"
#include "profile/dangers.h"
#include "profile/search.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr char kBlock[] = "lib/learn";

struct Options {
  bool yes = false, json = false, force = false, network = true, help = false;
  std::string name, output;
  std::vector<std::string> settings;  // as of -s
  std::vector<std::string> command;
};

// Of the option of one of these names, where words[at] is that. An empty one is the variable of a script that is not
// set.
std::optional<std::string> value_of(const std::vector<std::string>& words, size_t& at,
                                    std::initializer_list<const char*> names) {
  for (const char* name : names) {
    std::optional<std::string> value = option_value(words, at, name);
    if (value && value->empty()) throw Error("learn " + quote(name), "it needs a value").hint(usage_of("learn"));
    if (value) return value;
  }
  return std::nullopt;
}

Options parse_options(const std::vector<std::string>& words) {
  Options options;
  size_t at = 0;
  for (; at < words.size() && words[at].starts_with('-'); ++at) {
    const std::string& word = words[at];
    if (word == "--") {
      ++at;
      break;
    }
    if (word == "-y" || word == "--yes") {
      options.yes = true;
    } else if (word == "--json") {
      options.json = true;
    } else if (word == "--force") {
      options.force = true;
    } else if (word == "--no-network") {
      options.network = false;
    } else if (word == "-h" || word == "--help") {
      options.help = true;
    } else if (auto name = value_of(words, at, {"--name"})) {
      options.name = *name;
    } else if (auto output = value_of(words, at, {"--output"})) {
      options.output = *output;
    } else if (auto setting = value_of(words, at, {"-s", "--set"})) {
      options.settings.push_back(*setting);
    } else {
      throw Error("learn " + quote(word), "there is no such option, or it takes no value").hint(usage_of("learn"));
    }
  }
  options.command.assign(words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())), words.end());
  return options;
}

void check_options(const Context& context, Options& options, bool is_to_write) {
  if (options.command.empty() || options.command[0].empty())
    throw Error("learn", "no program is named").hint(usage_of("learn"));
  if (options.json && (options.yes || options.force || !options.output.empty())) {
    throw Error("learn", "--json writes nothing; --yes, --output and --force do").hint("take one of them");
  }
  if (options.name.empty()) options.name = base_name(program_of(options.command));
  constexpr size_t kLongestName = 64;
  if (!is_profile_name(options.name) || options.name.size() > kLongestName) {
    throw Error("profile " + quote(options.name), "is not the name of a profile").hint("name one with --name");
  }
  if (!options.output.empty() && !is_profile_name(options.output.substr(options.output.rfind('/') + 1))) {
    throw Error("--output " + quote(options.output), "its name cannot be that of a profile")
        .hint("as in ./NAME.profile");
  }
  if (context.host.status(kTracerPath).kind == FileKind::missing) {
    throw Error("learn", "there is no strace").hint("install the package strace");
  }
  if (!is_to_write) return;
  if (options.output.empty() && !options.force && Search(context.search).has(options.name)) {
    throw Error("profile " + quote(options.name), "there is one already")
        .hint("change it by `sbox edit " + options.name + "`, or see --name, --output and --force");
  }
}

std::string learning_profile(const SearchPath& search) {
  std::optional<ProfileFile> file = Search(search).find(kBlock);
  if (!file)
    throw Error("learn", "the block " + std::string(kBlock) + " is missing").hint("the installation is not complete");
  return file->path;
}

// Where programs and documents are, outside of what every sandbox has.
std::vector<std::string> further_directories(const Host& host, const Places& places) {
  std::vector<std::string> found;
  for (const char* path : {"/media", "/mnt", "/opt", "/srv"}) {
    if (host.status(path).kind == FileKind::directory) found.emplace_back(path);
  }
  std::string here = host.directory().empty() ? "/" : host.resolve(host.directory()).path;
  bool is_shown = is_at_or_below(here, places.home_canonical) || is_at_or_below(here, "/usr");
  for (const std::string& path : found) is_shown = is_shown || is_at_or_below(here, path);
  if (!is_shown && danger_of_path(here, false).empty() && parent_of(here) != "/") found.push_back(here);
  return found;
}

// Without its settings in /etc many a program ends before it has asked for anything else.
std::vector<std::string> entries_of_etc(const Host& host) {
  // What each sandbox has of its own, or what comes with the network.
  constexpr std::string_view kMade[] = {"group",     "host.conf",   "hostname",      "hosts",
                                        "localtime", "machine-id",  "nsswitch.conf", "passwd",
                                        "sbox",      "resolv.conf", "timezone"};
  std::vector<std::string> entries;
  for (const std::string& name : host.list("/etc")) {
    bool is_made = contains(kMade, name);
    Resolved found = host.resolve("/etc/" + name);
    bool is_one = found.status.kind == FileKind::file || found.status.kind == FileKind::directory;
    bool is_near = is_at_or_below(found.path, "/etc") || is_at_or_below(found.path, "/usr");
    bool can_be_named = name.find('*') == std::string::npos && is_value(setting(Key::system_etc), name);
    if (!is_made && is_one && is_near && can_be_named) entries.push_back(name);
  }
  return entries;
}

// Some entries start a wrapper: org.example.Frob is for frob all the same.
bool is_entry_of(const DesktopEntry& entry, std::string_view program) {
  std::string_view last = std::string_view(entry.id).substr(entry.id.rfind('.') + 1);
  auto is_same = [](unsigned char a, unsigned char b) { return tolower(a) == tolower(b); };
  return base_name(entry.program) == program ||
         std::equal(last.begin(), last.end(), program.begin(), program.end(), is_same);
}

// A program with an entry of that name takes it on the bus, and ends where it may not.
std::vector<std::string> own_names(const Context& context, const std::string& program) {
  std::vector<std::string> names;
  std::string sbox = context.prefix + "/bin/sbox";
  for (const DesktopEntry& entry : find_entries(context.host, data_directories(context.host, false), sbox)) {
    bool may_be_name = entry.id.find('.') != std::string::npos && !is_dangerous_bus_name(entry.id);
    if (!may_be_name || !is_entry_of(entry, base_name(program))) continue;
    try {
      Profile scratch;
      scratch.assign(Key::dbus_own, {entry.id, {"desktop entry", 0}});
      names.push_back(entry.id);
    } catch (const Error&) {
      // Not every id can be a name of the bus.
    }
  }
  return names;
}

// The words of -s for this host, the user's own last.
std::vector<std::string> settings_for(const Context& context, const Options& options) {
  std::vector<std::string> words;
  Places places = find_places(context.host);
  for (const std::string& secret : secret_paths()) {
    if (context.host.resolve(places.home + secret.substr(1)).status.kind == FileKind::missing) continue;
    words.push_back("files.hide+=" + secret);
  }
  for (const std::string& path : further_directories(context.host, places)) words.push_back("files.read-only+=" + path);
  for (const std::string& name : entries_of_etc(context.host)) words.push_back("system.etc+=" + name);
  for (const std::string& name : own_names(context, program_of(options.command))) words.push_back("dbus.own+=" + name);
  bool has_pasta = context.host.status("/usr/bin/pasta").kind != FileKind::missing;
  if (!options.network || !has_pasta) words.push_back("network.mode=none");
  words.insert(words.end(), options.settings.begin(), options.settings.end());
  return words;
}

std::vector<Override> overrides_of(const std::vector<std::string>& settings) {
  std::vector<Override> overrides;
  for (const std::string& word : settings) overrides.push_back(parse_override(word));
  return overrides;
}

void require_watchable(const Profile& profile) {
  bool is_kept = profile.text(Key::home_mode) == "overlay" && profile.text(Key::home_overlay) == kLearningRun &&
                 profile.list(Key::home_keep).empty() && profile.list(Key::home_recover).empty() &&
                 profile.flag(Key::process_debug);
  if (is_kept) return;
  throw Error("learn", "home.mode, home.overlay, home.keep, home.recover and process.debug are its own")
      .hint("leave them as they are");
}

bool announce(const Options& options, const Profile& profile, bool asks) {
  bool has_network = profile.text(Key::network_mode) != "none";
  std::string text = "sbox: learn: " + quote(base_name(program_of(options.command))) +
                     " will be able to read your home, but for keys, passwords and browser profiles";
  text += has_network ? ", and to reach the internet (--no-network prevents that)" : ", and has no network";
  fprintf(stderr, "%s; what it changes there is thrown away\n", text.c_str());
  return !asks || options.yes || is_yes(ask("Start it? [Y/n] "));
}

std::vector<Block> read_blocks(const SearchPath& search) {
  std::vector<Block> blocks;
  Search files(search);
  for (const std::string& name : files.blocks()) {
    if (name == kBlock) continue;
    std::optional<ProfileFile> file = files.find(name);
    if (file) blocks.push_back({name, read_profile(search, file->path)});
  }
  return blocks;
}

enum class Choice { yes, no, all, quit };

Choice ask_for(const ProposedLine& line) {
  for (;;) {
    int answer =
        ask(proposed_line_text(line) + "\n    " + reasons_text(line) + "\n  Take it? [Y]es, [n]o, [a]ll, [q]uit: ");
    if (answer == EOF || answer == 'q') return Choice::quit;
    if (is_yes(answer)) return Choice::yes;
    if (answer == 'n' || answer == 'N') return Choice::no;
    if (answer == 'a') return Choice::all;
  }
}

// Each line on the terminal. What is not wanted goes among what was not proposed. False where nothing is to be written.
bool ask_for_each(Proposal& proposal) {
  std::vector<ProposedLine> taken;
  Choice choice = Choice::yes;
  for (ProposedLine& line : proposal.lines) {
    if (choice != Choice::all) choice = ask_for(line);
    if (choice == Choice::quit) return false;
    if (choice == Choice::no) line.caution = "not taken";
    (choice == Choice::no ? proposal.not_taken : taken).push_back(std::move(line));
  }
  proposal.lines = std::move(taken);
  return true;
}

// Of the profile that is written.
std::string path_of(const Context& context, const Options& options) {
  if (options.output.empty()) return context.search.directories.at(0) + "/" + options.name + ".profile";
  return (options.output.find('/') == std::string::npos ? "./" : "") + options.output;
}

std::string draft_of(const std::string& path) { return path + ".learn"; }

// What could not be written after the run is refused before it. Nothing of what is tried stays but directories.
void require_place(const Context& context, const Options& options) {
  std::string path = path_of(context, options), directory = path.substr(0, path.rfind('/') + 1);
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
      throw Error(quote(path), "it is no file").hint("name one that may be written");
    if (!options.force) throw Error(quote(path), "it exists already").hint("--force writes a new one in its place");
  }
  if (options.output.empty()) make_policy_directories(directory);
  if (access(directory.c_str(), W_OK | X_OK) != 0) {
    throw system_error("directory " + quote(directory), errno).hint("name a place for the profile with --output");
  }
  write_policy_file(draft_of(path), "");
  unlink(draft_of(path).c_str());
}

// Checked before it has its name.
void write_profile(const Context& context, const Options& options, const std::string& text) {
  std::string path = path_of(context, options), draft = draft_of(path);
  write_policy_file(draft, text);
  for (const Finding& finding : lint_all(context.search, {draft})) {
    fprintf(stderr, "%s\n", finding_line(finding).c_str());
    if (finding.severity != Finding::Severity::error) continue;
    unlink(draft.c_str());
    throw Error("learn", "the profile has errors, and was not written");
  }
  if (renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), options.force ? 0 : RENAME_NOREPLACE) != 0) {
    int error = errno;
    unlink(draft.c_str());
    throw system_error(quote(path), error);
  }
  fprintf(stderr, "sbox: learn: wrote %s\n", escape_control(path).c_str());
}

// Asks for each line where there is a terminal, writes the profile where that is wanted, and prints it where not.
void conclude(const Context& context, const Options& options, Proposal proposal, bool asks) {
  if (asks && !options.yes && !ask_for_each(proposal)) {
    fputs("Nothing was written.\n", stderr);
    return;
  }
  std::string text = proposal_text(proposal);
  if (!asks && !options.yes) {
    fputs("sbox: learn: nothing is written without a terminal or --yes\n", stderr);
    return print(text);
  }
  try {
    write_profile(context, options, text);
  } catch (const Error&) {
    print(text);  // the run was not for nothing
    throw;
  }
}

}  // namespace

int run_learn(const Context& context, const std::vector<std::string>& arguments) {
  Options options = parse_options(arguments);
  if (options.help) {
    print("usage: " + usage_of("learn") + "\n");
    return 0;
  }
  bool asks = isatty(0) == 1 && !options.json;
  bool is_to_write = options.yes || asks;
  check_options(context, options, is_to_write);
  std::string block = learning_profile(context.search);
  std::vector<std::string> settings = settings_for(context, options);
  Profile profile = read_profile(context.search, block, overrides_of(settings));
  require_watchable(profile);
  Request request{
      options.command[0], {options.command.begin() + 1, options.command.end()}, options.name, context.prefix, false};
  Plan plan = plan_for(context, profile, request);
  if (is_to_write) require_place(context, options);
  if (!announce(options, profile, asks)) return 0;
  Watched watched = watch_program(context, {block, settings, plan.directory, options.command, options.json});
  if (watched.status != 0) fprintf(stderr, "sbox: learn: the program ended with status %d\n", watched.status);
  Lesson lesson{options.name, request, profile, plan, watched.evidence, watched.denied, watched.status == 0};
  Proposal proposal = propose(lesson, read_blocks(context.search), context.host);
  proposal.program = base_name(program_of(options.command));
  if (options.json) {
    print(proposal_json(proposal, watched.status));
  } else {
    conclude(context, options, std::move(proposal), asks);
  }
  return 0;
}

}  // namespace sbox
