#include "cli/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/unique_fd.h"

namespace sbox {
namespace {

using Words = std::vector<std::string>;

// The texts of a notification may hold markup.
std::string without_markup(const std::string& text) {
  std::string safe;
  for (char c : text) safe += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return safe;
}

// Each ends its options with --, so that no text is read as one.
std::vector<Words> tools(const std::string& summary, const std::string& body) {
  return {{"/usr/bin/notify-send", "--app-name=sbox", "--icon=dialog-error", "--", summary, body},
          {"/usr/bin/busctl", "--user", "--timeout=2", "--", "call", "org.freedesktop.Notifications",
           "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "Notify", "susssasa{sv}i", "sbox", "0",
           "dialog-error", summary, body, "0", "0", "-1"}};
}

pid_t spawn(const Words& words, const char* const* environment) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; ++fd) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t child = 0;
  int failed = posix_spawn(&child, pointers[0], &actions, nullptr, pointers.data(), const_cast<char**>(environment));
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : -1;
}

long milliseconds_now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Whether it ended well before `deadline`; it is gone in any case.
bool succeeds(pid_t child, long deadline) {
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  pollfd ended{process.get(), POLLIN, 0};
  long left = std::max(deadline - milliseconds_now(), 0L);
  bool in_time = process && poll(&ended, 1, static_cast<int>(left)) == 1;
  if (!in_time) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return in_time && status == 0;
}

}  // namespace

bool wants_notification(const Words& arguments) {
  auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::find(arguments.begin(), end, "--notify") != end && isatty(2) == 0;
}

void notify(const std::string& line, const char* const* environment) {
  constexpr long kPatience = 2000;
  long deadline = milliseconds_now() + kPatience;
  for (const Words& words : tools("The program was not started", without_markup(line))) {
    pid_t child = milliseconds_now() < deadline ? spawn(words, environment) : -1;
    if (child > 0 && succeeds(child, deadline)) return;
  }
}

}  // namespace sbox
