#include "overlay/text_diff.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <vector>

#include "base/error.h"
#include "base/strings.h"
#include "base/unique_fd.h"

namespace sbox {
namespace {

constexpr char kDiff[] = "/usr/bin/diff";
constexpr int kBefore = 3, kAfter = 4;
constexpr int kTrouble = 2;

// What diff(1) prints of descriptors 3 and 4.
std::string run_diff(int before, int after, const std::string& label) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw system_error("pipe", errno);
  UniqueFd reader(ends[0]), writer(ends[1]);
  // Above the numbers that they are to have, so that neither is overwritten by the other.
  constexpr int kAbove = 10;
  UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  UniqueFd first(fcntl(before < 0 ? null.get() : before, F_DUPFD_CLOEXEC, kAbove));
  UniqueFd second(fcntl(after < 0 ? null.get() : after, F_DUPFD_CLOEXEC, kAbove));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, first.get(), kBefore);
  posix_spawn_file_actions_adddup2(&actions, second.get(), kAfter);
  std::string old_label = "--label=" + (before < 0 ? "/dev/null" : label);
  std::string new_label = "--label=" + (after < 0 ? "/dev/null" : label);
  std::string unified = "-u", from = "/proc/self/fd/3", to = "/proc/self/fd/4", name = "diff";
  char* arguments[] = {name.data(), unified.data(), old_label.data(), new_label.data(),
                       from.data(), to.data(),      nullptr};
  std::string locale = "LC_ALL=C";
  char* environment[] = {locale.data(), nullptr};
  pid_t child = 0;
  int failed = posix_spawn(&child, kDiff, &actions, nullptr, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw system_error(kDiff, failed).hint("install diffutils");
  writer.reset();
  std::string text;
  char part[1 << 16];
  for (ssize_t size = 0; (size = read(reader.get(), part, sizeof part)) > 0;) {
    text.append(part, static_cast<size_t>(size));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > kTrouble) throw Error(kDiff, "it failed");
  return text;
}

// Tabs stay.
std::string safe_line(std::string_view line) {
  std::string safe;
  while (true) {
    std::string_view part = line.substr(0, line.find('\t'));
    safe += escape_control(part);
    if (part.size() == line.size()) return safe;
    safe += '\t';
    line.remove_prefix(part.size() + 1);
  }
}

const char* colour_of(std::string_view line) {
  if (line.starts_with("+++") || line.starts_with("---")) return "\033[1m";
  if (line.starts_with("@@")) return "\033[36m";
  if (line.starts_with('+')) return "\033[32m";
  return line.starts_with('-') ? "\033[31m" : "";
}

}  // namespace

std::string text_diff(int before, int after, const std::string& label, bool colour) {
  std::string name = escape_control(label), shown;
  std::string raw = run_diff(before, after, name);
  if (raw.starts_with("Binary files ")) return "Binary files differ: " + name + "\n";
  std::string_view left = raw;
  while (!left.empty()) {
    std::string line = safe_line(take_part(left, '\n'));
    std::string start = colour ? colour_of(line) : "";
    shown += start + line + (start.empty() ? "" : "\033[0m") + "\n";
  }
  return shown;
}

}  // namespace sbox
