#include "cli/edit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/strings.h"
#include "cli/ask.h"
#include "cli/lint.h"
#include "cli/policy_file.h"
#include "cli/show.h"
#include "cli/words.h"
#include "profile/lint.h"
#include "profile/trusted_file.h"
#include "profile/values.h"

namespace sbox {
namespace {

constexpr char kName[] = "local.conf", kDraft[] = "local.conf.edit";
constexpr std::string_view kMark =
    "# ---- From here on nothing is kept: this is the profile as it is now. Write your lines above.\n";

// The drop-in of one profile, and the draft of it that the editor has. Only what is whole takes the place of the
// drop-in, by its name.
class DropIn {
 public:
  DropIn(const SearchPath& search, const std::string& profile)
      : directory_(search.directories.at(0) + "/" + profile + ".profile.d") {}

  std::string path() const { return directory_ + "/" + kName; }
  std::string draft() const { return directory_ + "/" + kDraft; }

  // Nothing where there is none.
  std::optional<std::string> read(const char* name) const {
    return read_trusted_file(AT_FDCWD, directory_ + "/" + name, directory_ + "/" + name);
  }

  void write_draft(const std::string& text) const {
    make_policy_directories(directory_);
    write_policy_file(draft(), text);
  }
  void drop_draft() const { unlink(draft().c_str()); }
  void put_in_force() const {
    if (rename(draft().c_str(), path().c_str()) != 0) throw system_error(quote(path()), errno);
  }
  void remove() const { unlink(path().c_str()); }

 private:
  std::string directory_;
};

std::string editor_of(const Host& host) {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    if (std::string editor = host.variable(name).value_or(""); !editor.empty()) return editor;
  }
  for (const char* path : {"/usr/bin/editor", "/usr/bin/nano", "/usr/bin/vi"}) {
    if (access(path, X_OK) == 0) return path;
  }
  throw Error("edit", "there is no editor").hint("set EDITOR");
}

// The variable may hold options, as for other programs: a shell takes it apart. The path is no part of what it reads.
void run_editor(const std::string& editor, const std::string& path) {
  std::string script = editor + " \"$@\"";
  pid_t child = fork();
  if (child < 0) throw system_error("edit", errno);
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", script.c_str(), editor.c_str(), path.c_str(), nullptr);
    _exit(kExitNotFound);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw Error("edit", "the editor failed, and nothing was changed").hint("see EDITOR: " + quote(editor));
}

void say(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) fprintf(stderr, "%s\n", finding_line(finding).c_str());
}

bool has_error(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity == Finding::Severity::error; });
}

bool is_comment_only(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = trim(take_part(rest, '\n'));
    if (!line.empty() && line[0] != '#' && line[0] != ';') return false;
  }
  return true;
}

// What is wrong with the profile with this drop-in in its place, which is the one there was before when it is wrong.
std::vector<Finding> try_out(const Context& context, const DropIn& drop_in, const std::string& profile,
                             const std::optional<std::string>& before) {
  std::vector<Finding> alone = lint_all(context.search, {drop_in.draft()});
  // The draft has another name than it will have.
  for (Finding& finding : alone) {
    if (finding.where.file == drop_in.draft()) finding.where.file = drop_in.path();
  }
  if (has_error(alone)) return alone;
  drop_in.put_in_force();
  std::vector<Finding> whole = lint_all(context.search, {profile});
  if (has_error(whole) && before) {
    drop_in.write_draft(*before);
    drop_in.put_in_force();
  } else if (has_error(whole)) {
    drop_in.remove();
  }
  return whole;
}

// What the user makes of `text`. Where the editor fails, what was written is kept, and what nobody has written is not
// left behind.
std::string let_edit(const DropIn& drop_in, const std::string& editor, const std::string& text, bool had_draft) {
  drop_in.write_draft(text);
  try {
    run_editor(editor, drop_in.draft());
  } catch (const Error&) {
    if (!had_draft && drop_in.read(kDraft) == text) drop_in.drop_draft();
    throw;
  }
  if (std::optional<std::string> draft = drop_in.read(kDraft)) return *draft;
  throw Error("edit", "the editor has removed the file, and nothing was changed").hint("see EDITOR: " + quote(editor));
}

std::string effective(const SearchPath& search, const std::string& profile) {
  try {
    return show_profile(read_profile(search, profile), false);
  } catch (const Error& error) {
    return error.line() + "\n";
  }
}

}  // namespace

std::string text_to_edit(std::string_view drop_in, std::string_view effective) {
  std::string text(drop_in);
  if (text.empty()) text = "# Lines here change the profile; sbox-profile(5) has the keys.\n";
  if (!text.ends_with('\n')) text += '\n';
  text += "\n" + std::string(kMark) + "#\n";
  for (std::string_view rest = effective; !rest.empty();) text += "# " + std::string(take_part(rest, '\n')) + "\n";
  return text;
}

std::string edited_drop_in(std::string_view text) {
  std::string_view kept = text.substr(0, text.find(kMark));
  while (kept.ends_with("\n\n")) kept.remove_suffix(1);
  return kept == "\n" ? "" : std::string(kept);
}

int run_edit(const Context& context, const std::vector<std::string>& arguments) {
  std::string profile = parse_words("edit", arguments, {}, 1).name();
  if (!is_include_name(profile)) throw Error("edit", "needs the name of a profile").hint(usage_of("edit"));
  DropIn drop_in(context.search, profile);
  std::optional<std::string> before = drop_in.read(kName);
  if (!before) read_profile(context.search, profile);      // there is one to change
  std::optional<std::string> left = drop_in.read(kDraft);  // by an earlier edit that was not in force
  if (left) fprintf(stderr, "Going on with %s\n", escape_control(drop_in.draft()).c_str());
  std::string begin = left ? edited_drop_in(*left) : before.value_or(""),
              text = text_to_edit(begin, effective(context.search, profile)), editor = editor_of(context.host);
  for (;;) {
    text = let_edit(drop_in, editor, text, left.has_value());
    std::string kept = edited_drop_in(text);
    if (kept == before.value_or("") || (!before && is_comment_only(kept))) {
      drop_in.drop_draft();
      fputs("Nothing was changed.\n", stderr);
      return 0;
    }
    drop_in.write_draft(kept);
    std::vector<Finding> findings = try_out(context, drop_in, profile, before);
    say(findings);
    if (!has_error(findings)) {
      fprintf(stderr, "In force from the next start on: %s\n", escape_control(drop_in.path()).c_str());
      return 0;
    }
    drop_in.write_draft(kept);
    if (isatty(0) == 1 && is_yes(ask("Edit it again? [Y/n] "))) continue;
    fprintf(stderr, "Not in force; what you wrote is in %s\n", escape_control(drop_in.draft()).c_str());
    return 1;
  }
}

}  // namespace sbox
