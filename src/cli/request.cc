#include "cli/request.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/strings.h"
#include "desktop/exec.h"
#include "plan/instance_name.h"

namespace sbox {
namespace {

constexpr char kDefaultProfile[] = "default";

// For a word that is no program.
std::string instead_of(const std::string& word, const SearchPath& search) {
  if (word.find('/') != std::string::npos) return "look at the path";
  std::vector<std::string> names = list_profiles(search);
  std::optional<std::string> profile = nearest(word, names);
  for (const Command& command : commands()) {
    if (command.name == word) return "did you mean `sbox " + word + "`? Its options stand behind it";
    names.emplace_back(command.name);
  }
  std::optional<std::string> any = nearest(word, names);
  if (!any || any == word) return "install it, or name it with its path";
  return any == profile ? "did you mean " + *any + "?" : "did you mean `sbox " + *any + "`?";
}

bool is_named(const Profile& profile, const std::string& program) {
  std::string_view name = std::string_view(program).substr(program.rfind('/') + 1);
  const std::vector<Value>& programs = profile.list(Key::profile_programs);
  return name == profile.name() ||
         std::any_of(programs.begin(), programs.end(), [&](const Value& value) { return value.text == name; });
}

}  // namespace

void require_program(const RunOptions& options) {
  if (!options.command.empty() && !options.command[0].empty()) return;
  throw Error("command line", "no program is named").hint("try `sbox firefox`, or `sbox --help`");
}

std::string take_tag(RunOptions& options) {
  std::string& program = options.command[0];
  size_t at = program.rfind('@');
  if (at == std::string::npos || at == 0 || program.find('/') != std::string::npos) return "";
  std::string tag = program.substr(at);
  if (!is_instance_name("x" + tag)) return "";
  if (!options.instance.empty()) throw Error(quote(program), "the instance has a name already by --name");
  program.resize(at);
  return tag;
}

std::string profile_for(const Context& context, const RunOptions& options) {
  if (!options.profile.empty()) return options.profile;
  return find_profile_for(context.search, program_of(options.command)).value_or(kDefaultProfile);
}

InstanceName name_of(const RunOptions& options, const std::string& tag, const Profile& profile,
                     const SearchPath& search) {
  InstanceName name;
  name.text = options.instance.empty() ? instance_name_for(profile.name()) + tag : options.instance;
  if (!is_instance_name(name.text)) throw Error("instance " + quote(name.text), "the name is too long");
  // Of programs that the profile is for; what else runs by it is no second one. All profiles are asked last: that takes
  // as long as reading them.
  std::string program = program_of(options.command);
  name.is_single = profile.text(Key::profile_instance) == "single" && is_named(profile, program) &&
                   find_profile_for(search, program) == profile.name();
  name.is_fixed = name.is_single || !tag.empty() || !options.instance.empty();
  return name;
}

Request request_of(const Context& context, const RunOptions& options, const InstanceName& name,
                   const std::string& throw_away) {
  Request request;
  request.program = options.command[0];
  request.arguments.assign(options.command.begin() + 1, options.command.end());
  request.instance = name.text;
  request.prefix = context.prefix;
  request.throw_away = throw_away;
  request.verbose = options.verbose;
  return request;
}

Plan plan_for(const Context& context, const Profile& profile, const Request& request) try {
  return make_plan(profile, request, context.host);
} catch (Error& error) {
  if (error.exit_status() != kExitNotFound || !error.hint_text().empty()) throw;
  throw std::move(error).hint(instead_of(request.program, context.search));
}

}  // namespace sbox
