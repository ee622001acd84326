#include "cli/notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/handover.h"
#include "base/unique_fd.h"
#include "cli/tool.h"

namespace sbox {
namespace {

using Words = std::vector<std::string>;

// The texts of a notification may hold markup.
std::string without_markup(const std::string& text) {
  std::string safe;
  for (char c : text) safe += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return safe;
}

// notify-send takes the escapes of C in a body for what they stand for, markup too.
std::string without_escapes(const std::string& text) {
  std::string safe;
  for (char c : text) safe += c == '\\' ? "\\\\" : std::string(1, c);
  return safe;
}

// Each ends its options with --, so that no text is read as one. Markup in `text` is shown as it is.
std::vector<Words> tools(const std::string& summary, const std::string& text) {
  std::string body = without_markup(text);
  return {{"/usr/bin/notify-send", "--app-name=sbox", "--icon=dialog-error", "--", summary, without_escapes(body)},
          {"/usr/bin/busctl", "--user", "--timeout=2", "--", "call", "org.freedesktop.Notifications",
           "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "Notify", "susssasa{sv}i", "sbox", "0",
           "dialog-error", summary, body, "0", "0", "-1"}};
}

long milliseconds_now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void show(const std::string& summary, const std::string& text, const char* const* environment) {
  constexpr long kPatience = 2000;
  long deadline = milliseconds_now() + kPatience;
  for (const Words& words : tools(summary, text)) {
    long left = deadline - milliseconds_now();
    if (left > 0 && run_tool(words, environment, left)) return;
  }
}

[[noreturn]] void show_line(int said, const char* const* environment) {
  // The caller's streams stay the caller's: nobody who reads to their end has to wait for this process.
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  constexpr std::string_view kOurs = "sbox: ";
  std::string line;
  char part[4096];
  ssize_t size = 0;
  while ((size = read(said, part, sizeof part)) > 0) line.append(part, static_cast<size_t>(size));
  while (line.ends_with('\n')) line.pop_back();
  if (!line.empty()) show("sbox", line.starts_with(kOurs) ? line.substr(kOurs.size()) : line, environment);
  _exit(0);
}

}  // namespace

void show_notification(const std::string& summary, const std::string& text) { show(summary, text, environ); }

bool ask_by_notification(const std::string& summary, const std::string& text, const std::string& action) {
  constexpr long kPatience = 10 * 60 * 1000, kMore = 5000;
  // Where nothing can be shown it would wait all the same: what it says first is the number of the notification.
  constexpr long kShown = 5000;
  std::string expires = "--expire-time=" + std::to_string(kPatience);
  std::optional<std::string> answer =
      ask_tool({"/usr/bin/notify-send", "--app-name=sbox", "--icon=document-save", "--wait", "--print-id", expires,
                "--action=yes=" + action, "--", summary, without_escapes(without_markup(text))},
               environ, kShown, kPatience + kMore);
  return answer && answer->ends_with("\nyes\n");
}

bool wants_notification(const Words& arguments) {
  auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::find(arguments.begin(), end, "--notify") != end && isatty(2) == 0;
}

bool start_notifier(const char* const* environment) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  UniqueFd reader(ends[0]), writer(ends[1]);
  if (writer.get() != kErrorsDescriptor) return false;
  pid_t child = fork();
  if (child == 0) {
    writer.reset();
    show_line(reader.get(), environment);
  }
  if (child < 0) return false;
  writer.release();  // it stays open until this program, or the launcher that replaces it, ends
  return true;
}

}  // namespace sbox
