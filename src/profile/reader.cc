#include "profile/reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/contains.h"
#include "base/strings.h"
#include "profile/ini.h"
#include "profile/search.h"
#include "profile/trusted_file.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr size_t kDeepestInclude = 16;
constexpr std::string_view kSuffix = ".profile";
constexpr std::string_view kBlockFolder = "lib/";
// Grows when a setting gets another meaning or its values others; a new key alone is told by its name.
constexpr unsigned long long kNewestFormat = 1;

// lib/NAME; lib/NAME.profile is a file.
bool is_block_name(const std::string& name) {
  return name.starts_with(kBlockFolder) && !name.ends_with(kSuffix) && is_include_name(name);
}

bool exists(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0;
}

std::string joined(const std::vector<std::string>& chain) {
  std::string text;
  for (const std::string& link : chain) text += (text.empty() ? "" : " -> ") + link;
  return text;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates, std::string otherwise) {
  std::optional<std::string> near = nearest(word, candidates);
  return near ? "did you mean " + *near + "?" : std::move(otherwise);
}

bool is_section(std::string_view name) {
  return std::any_of(settings().begin(), settings().end(), [&](const Setting& s) { return s.section == name; });
}

std::string hint_for_section(std::string_view name) {
  std::vector<std::string> sections;
  for (const Setting& s : settings()) sections.emplace_back(s.section);
  return did_you_mean(name, sections, "see sbox-profile(5) for the sections");
}

// The key as it is spelt in another section beats what begins with it here, and that beats what is merely near.
std::string hint_for_key(std::string_view section, std::string_view name) {
  std::vector<std::string> here, everywhere;
  std::string homes, longer;
  for (const Setting& s : settings()) {
    if (s.section == section) here.emplace_back(s.name);
    if (s.section == section && s.name.starts_with(std::string(name) + "-")) {
      longer += (longer.empty() ? "" : " or ") + std::string(s.name);
    }
    if (s.name == name) homes += (homes.empty() ? "[" : " or [") + std::string(s.section) + "]";
  }
  if (!homes.empty()) return "it belongs to " + homes;
  if (!longer.empty()) return "did you mean " + longer + "?";
  if (std::optional<std::string> near = nearest(name, here)) return "did you mean " + *near + "?";
  for (const Setting& s : settings()) everywhere.emplace_back(s.name);
  std::optional<std::string> near = nearest(name, everywhere);
  if (!near) return "see sbox-profile(5) for the keys";
  for (const Setting& s : settings()) {
    if (s.name == *near) return "did you mean " + *near + " in [" + std::string(s.section) + "]?";
  }
  return "";
}

const Setting& known_setting(std::string_view section, std::string_view name, const std::string& file, int line) {
  const Setting* found = find_setting(section, name);
  if (found) return *found;
  Origin origin{file, line};
  if (!is_section(section)) {
    throw Error("[" + std::string(section) + "]", "there is no such section")
        .at(origin)
        .hint(hint_for_section(section));
  }
  throw Error(std::string(name), "there is no such key in [" + std::string(section) + "]")
      .at(origin)
      .hint(hint_for_key(section, name));
}

// Before anything else of the file is judged: what a newer format has would only seem to be a mistake.
void check_format(const IniFile& ini, const std::string& file) {
  for (const IniEntry& entry : ini.entries) {
    if (entry.section != "profile" || entry.key != "format") continue;
    unsigned long long format = parse_number(entry.texts[0].text).value_or(kNewestFormat);
    auto fail = [&](const std::string& why) {
      return Error("format = " + entry.texts[0].text, why).at({file, entry.line});
    };
    if (format == 0) throw fail("formats begin with 1");
    if (format > kNewestFormat) {
      throw fail("this is sbox " SBOX_VERSION ", which knows profiles up to format " + std::to_string(kNewestFormat))
          .hint("update sbox, or take a profile that was made for it");
    }
  }
}

// One reading: merges files in order into one Profile, which is handed out only when all went well.
class Reader {
 public:
  explicit Reader(const SearchPath& path) : search_(path) {}

  Profile read(const std::string& name_or_file);

 private:
  // What a file contributes: an included one keeps its description, format, includes and programs to itself.
  enum class Role { main, included };

  void read_name(const std::string& name);
  void read_block(const std::string& name);
  void read_path(const std::string& path);
  void merge_drop_ins(const std::string& name, Role role);
  void merge(const ProfileFile& file, Role role);
  void include_all(const IniEntry& entry, const std::string& file, Role role);
  void include(const Value& name);
  void apply(const Setting& setting, const IniEntry& entry, const std::string& file, Role role);
  [[noreturn]] void fail_missing(const std::string& name) const;

  Search search_;
  Profile profile_;
  std::vector<std::string> chain_;  // from the main profile to what is read now
  std::set<std::string> included_;
  bool is_drop_in_alone_ = false;
};

Profile Reader::read(const std::string& name_or_file) {
  bool has_slash = name_or_file.find('/') != std::string::npos;
  if (!has_slash) {
    read_name(name_or_file);
  } else if (is_block_name(name_or_file)) {
    read_block(name_or_file);
  } else {
    read_path(name_or_file);
  }
  return std::move(profile_);
}

void Reader::read_name(const std::string& name) {
  std::optional<ProfileFile> file;
  if (is_profile_name(name)) file = search_.find(name);
  if (!file) fail_missing(name);
  profile_.rename(name, file->path);
  chain_ = {name};
  merge(*file, Role::main);
  merge_drop_ins(name, Role::main);
}

void Reader::read_block(const std::string& name) {
  std::optional<ProfileFile> file = search_.find(name);
  if (!file) {
    Error error("block " + quote(name), "there is no such block");
    if (exists("./" + name)) throw std::move(error).hint("for the file in this directory write ./" + name);
    throw std::move(error).hint(did_you_mean(name, search_.blocks(), "sbox-profile(5) lists those that are shipped"));
  }
  profile_.rename(name.substr(name.find('/') + 1), file->path);
  chain_ = {name};
  merge(*file, Role::main);
  merge_drop_ins(name, Role::main);
}

void Reader::fail_missing(const std::string& name) const {
  Error error("profile " + quote(name),
              is_profile_name(name) ? "there is no such profile" : "is not the name of a profile");
  std::string stem = name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
  for (const std::string& file : {name, name + std::string(kSuffix)}) {
    if (!name.empty() && exists("./" + file))
      throw std::move(error).hint("for the file in this directory write ./" + file);
  }
  if (stem != name && search_.has(stem)) throw std::move(error).hint("did you mean " + stem + "?");
  throw std::move(error).hint(did_you_mean(name, search_.profiles(), "`sbox show` without a name lists the profiles"));
}

// Drop-ins belong to the names of the search path: a file that is named by its path is read as it is.
void Reader::read_path(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string file = path.substr(slash + 1);
  std::string name = file.ends_with(kSuffix) ? file.substr(0, file.size() - kSuffix.size()) : file;
  if (!is_profile_name(name)) {
    throw Error("profile " + quote(path), "the file has no proper name for a profile")
        .hint("name it NAME.profile, with letters, digits and . _ + @ -, the first a letter or digit");
  }
  std::string folder = slash == 0 ? "/" : path.substr(0, slash);
  std::optional<UniqueFd> directory = open_trusted_directory(AT_FDCWD, folder, folder);
  std::optional<std::string> content;
  if (directory) content = read_trusted_file(directory->get(), file, path);
  if (!content) {
    bool without_suffix = exists(path + std::string(kSuffix));
    throw Error("profile " + quote(path), "there is no such file")
        .hint(without_suffix ? "did you mean " + path + std::string(kSuffix) + "?" : "");
  }
  profile_.rename(name, path);
  is_drop_in_alone_ = is_drop_in_file(path);
  chain_ = {path};
  merge({path, std::move(*content)}, Role::main);
}

void Reader::merge_drop_ins(const std::string& name, Role role) {
  for (const ProfileFile& file : search_.drop_ins(name)) merge(file, role);
}

void Reader::merge(const ProfileFile& file, Role role) {
  IniFile ini = parse_ini(file.path, file.content);
  check_format(ini, file.path);
  for (const IniSection& section : ini.sections) {
    if (is_section(section.name)) continue;
    throw Error("[" + section.name + "]", "there is no such section")
        .at({file.path, section.line})
        .hint(hint_for_section(section.name));
  }
  std::vector<const Setting*> rows;
  for (const IniEntry& entry : ini.entries) {
    rows.push_back(&known_setting(entry.section, entry.key, file.path, entry.line));
    if (rows.back()->key == Key::profile_include) include_all(entry, file.path, role);
  }
  for (size_t i = 0; i < rows.size(); ++i) apply(*rows[i], ini.entries[i], file.path, role);
}

void Reader::include_all(const IniEntry& entry, const std::string& file, Role role) {
  if (entry.is_empty() || entry.sign == '-') {
    throw Error("profile.include", "an include cannot be taken back")
        .at({file, entry.line})
        .hint("take back what it set");
  }
  for (const IniText& text : entry.texts) {
    for (const Value& name : split_elements(text.text, {file, text.line})) {
      check_value(setting(Key::profile_include), name);
      include(name);
      if (role == Role::main) profile_.assign(Key::profile_include, name);
    }
  }
}

void Reader::include(const Value& name) {
  auto fail = [&](std::string why) { return Error("include = " + name.text, std::move(why)).at(name.origin); };
  std::vector<std::string> chain = chain_;
  chain.push_back(name.text);
  if (contains(chain_, name.text)) {
    throw fail("the profile includes itself: " + joined(chain))
        .hint("to change a profile, write a drop-in " + name.text + ".profile.d/NAME.conf");
  }
  if (included_.contains(name.text)) return;
  if (chain_.size() > kDeepestInclude) throw fail("includes are nested too deep: " + joined(chain));
  std::optional<ProfileFile> file = search_.find(name.text);
  if (!file) {
    std::vector<std::string> names = search_.profiles(), blocks = search_.blocks();
    names.insert(names.end(), blocks.begin(), blocks.end());
    bool is_block = contains(blocks, "lib/" + name.text);
    throw fail("there is no such profile or block")
        .hint(is_block ? "did you mean lib/" + name.text + "?" : did_you_mean(name.text, names, ""));
  }
  chain_.swap(chain);
  merge(*file, Role::included);
  merge_drop_ins(name.text, Role::included);
  chain_.swap(chain);
  included_.insert(name.text);
}

void Reader::apply(const Setting& row, const IniEntry& entry, const std::string& file, Role role) {
  if (row.key == Key::profile_include) return;
  bool is_of_file =
      row.key == Key::profile_description || row.key == Key::profile_programs || row.key == Key::profile_format;
  bool own = role == Role::main || !is_of_file;
  auto take = [&](Value value) {
    bool is_removal = entry.sign == '-';
    // Alone, a drop-in does not know what there is to take out.
    if (!own || (is_removal && is_drop_in_alone_)) return check_value(row, value);
    if (is_removal) return profile_.remove(row.key, value);
    profile_.assign(row.key, std::move(value));
  };
  auto fail = [&](const char* why) {
    return Error(key_name(row) + " " + entry.sign + "=", why).at({file, entry.line});
  };
  if (!row.is_list()) {
    if (entry.sign != '\0') throw fail("is not a list").hint("use = instead");
    if (entry.texts.size() > 1) {
      throw Error(entry.texts[1].text, "an indented line continues " + key_name(row) + ", which holds one value")
          .at({file, entry.texts[1].line})
          .hint("begin a key at the start of its line");
    }
    return take({entry.texts[0].text, {file, entry.line}});
  }
  if (entry.is_empty()) {
    if (entry.sign != '\0') throw fail("names nothing").hint("write a value behind the =");
    if (own) profile_.assign(row.key, {"", {file, entry.line}});
    return;
  }
  for (const IniText& text : entry.texts) {
    for (Value& value : split_elements(text.text, {file, text.line})) take(std::move(value));
  }
}

const Origin& command_line() {
  static const Origin origin{"command line", 0};
  return origin;
}

void apply_override(Profile& profile, const Override& option) {
  const Setting& row = setting(option.key);
  auto fail = [&](const char* why) { return Error("--set " + key_name(row), why); };
  if (row.where == Where::file_only) {
    throw fail("this can only be set in a file")
        .hint("write a profile that includes the other, and name it with --profile");
  }
  if (!row.is_list()) {
    if (option.operation != Override::Operation::assign) throw fail("is not a list").hint("use = instead");
    return profile.assign(option.key, {std::string(trim(option.value)), command_line()});
  }
  std::vector<Value> elements = split_elements(option.value, command_line());
  if (option.operation == Override::Operation::assign)
    profile.assign(option.key, {"", command_line()});
  else if (elements.empty())
    throw fail("names nothing").hint("write a value behind the =");
  for (Value& element : elements) {
    if (option.operation == Override::Operation::remove)
      profile.remove(option.key, element);
    else
      profile.assign(option.key, std::move(element));
  }
}

}  // namespace

Override parse_override(const std::string& text) {
  size_t equals = text.find('=');
  size_t dot = text.find('.');
  if (equals == std::string::npos || dot == std::string::npos || dot > equals) {
    throw Error("--set " + text, "is not SECTION.KEY=VALUE").hint("write it like network.mode=none");
  }
  Override option;
  std::string_view name = std::string_view(text).substr(0, equals);
  if (name.ends_with('+')) option.operation = Override::Operation::add;
  if (name.ends_with('-')) option.operation = Override::Operation::remove;
  if (option.operation != Override::Operation::assign) name.remove_suffix(1);
  option.key = known_setting(trim(name.substr(0, dot)), trim(name.substr(dot + 1)), command_line().file, 0).key;
  option.value = text.substr(equals + 1);
  return option;
}

bool is_drop_in_file(std::string_view path) { return path.ends_with(".conf") || path.ends_with(".conf.edit"); }

Profile read_profile(const SearchPath& search, const std::string& name_or_file,
                     const std::vector<Override>& overrides) {
  Profile profile = Reader(search).read(name_or_file);
  for (const Override& option : overrides) apply_override(profile, option);
  return profile;
}

std::optional<std::string> find_profile_for(const SearchPath& path, const std::string& program) {
  std::string name = program.substr(program.rfind('/') + 1);
  if (!is_profile_name(name)) return std::nullopt;
  Search search(path);
  if (search.has(name)) return name;
  for (const std::string& candidate : search.mentioning(name)) {
    Profile profile = read_profile(path, candidate);
    const std::vector<Value>& programs = profile.list(Key::profile_programs);
    auto same = [&](const Value& value) { return value.text == name; };
    if (std::any_of(programs.begin(), programs.end(), same)) return candidate;
  }
  return std::nullopt;
}

std::vector<std::string> list_profiles(const SearchPath& search) { return Search(search).profiles(); }

}  // namespace sbox
