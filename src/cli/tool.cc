#include "cli/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/unique_fd.h"
#include "cli/background.h"

namespace sbox {
namespace {

// `output`: what becomes its standard output, or -1.
pid_t spawn(const std::vector<std::string>& words, const char* const* environment, int output) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; ++fd) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, 1);
  pid_t child = 0;
  int failed = posix_spawn(&child, pointers[0], &actions, nullptr, pointers.data(), const_cast<char**>(environment));
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : -1;
}

// Whether it ended by itself with status 0. Who does not end in time gets a second after SIGINT where `is_asked`.
bool wait_for_tool(pid_t child, long milliseconds, bool is_asked) {
  constexpr int kLastSecond = 1000;
  UniqueFd process = open_pidfd(child);
  bool in_time = process && has_ended(process, static_cast<int>(std::max(milliseconds, 0L)));
  if (!in_time && is_asked) {
    kill(child, SIGINT);
    has_ended(process, kLastSecond);
  }
  if (!in_time) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return in_time && status == 0;
}

}  // namespace

bool run_tool(const std::vector<std::string>& words, const char* const* environment, long milliseconds) {
  pid_t child = spawn(words, environment, -1);
  return child >= 0 && wait_for_tool(child, milliseconds, false);
}

std::optional<std::string> ask_tool(const std::vector<std::string>& words, const char* const* environment, long first,
                                    long milliseconds) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  UniqueFd reader(ends[0]), writer(ends[1]);
  pid_t child = spawn(words, environment, writer.get());
  writer.reset();
  if (child < 0) return std::nullopt;
  pollfd said{reader.get(), POLLIN, 0};
  bool has_begun = poll(&said, 1, static_cast<int>(first)) == 1 && (said.revents & POLLIN) != 0;
  if (!wait_for_tool(child, has_begun ? milliseconds : 0, true)) return std::nullopt;
  char text[4096];
  ssize_t size = has_begun ? read(reader.get(), text, sizeof text) : 0;
  return std::string(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
}

}  // namespace sbox
