#include "cli/bus_proxy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "cli/doctor_rows.h"
#include "cli/probe.h"
#include "overlay/directory.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr char kRemembered[] = "xdg-dbus-proxy";
constexpr char kHoles[] =
    "ways around its filter were closed in 0.1.7 (CVE-2026-34080), 0.1.8 (CVE-2026-93676) and 0.1.9 "
    "(CVE-2026-94422), and in packages of older versions that name them in their change log";

// Packages that carry the fixes of 0.1.9 in an older version: the number after the prefix, and newer.
bool is_patched(const std::string& package) {
  struct Series {
    std::string_view prefix;
    unsigned long long first;
  };
  constexpr Series kSeries[] = {{"0.1.4-3+deb12u", 2}, {"0.1.6-1+deb13u", 3}};
  return std::any_of(std::begin(kSeries), std::end(kSeries), [&](const Series& series) {
    return package.starts_with(series.prefix) &&
           parse_number(package.substr(series.prefix.size())).value_or(0) >= series.first;
  });
}

std::optional<std::string> proxy_of(const Plan& plan) {
  for (const Helper& helper : plan.helpers) {
    for (const std::string& word : helper.argv) {
      if (word[0] == '/' && base_name(word) == "xdg-dbus-proxy") return word;
    }
  }
  return std::nullopt;
}

// Another file has another one, so has one that was changed, and each when more is known of holes.
std::string identity(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) throw system_error(quote(path), errno);
  std::string text = std::string(kHoles) + "\n";
  for (auto number :
       {static_cast<long>(status.st_dev), static_cast<long>(status.st_ino), static_cast<long>(status.st_size),
        status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec}) {
    text += std::to_string(number) + "\n";
  }
  return text;
}

bool is_remembered(const std::string& directory, const std::string& identity) try {
  constexpr off_t kLargest = 4096;
  return read_small(make_path(directory).get(), kRemembered, kLargest) == identity;
} catch (const Error&) {
  return false;
}

// Where that fails, or ends in the middle, it is asked again.
void remember(const std::string& directory, const std::string& identity) try {
  constexpr int kAnew = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd file(openat(make_path(directory).get(), kRemembered, kAnew, 0600));
  if (file) (void)!write(file.get(), identity.data(), identity.size());
} catch (const Error&) {
  return;
}

}  // namespace

std::string fault_of_proxy(const std::string& version, const std::string& package) {
  int number[3] = {};
  if (sscanf(version.c_str(), "xdg-dbus-proxy %d.%d.%d", &number[0], &number[1], &number[2]) != 3) {
    return "of no known version: whether its filter has known holes cannot be told";
  }
  constexpr int kFixed[3] = {0, 1, 9};
  if (!std::lexicographical_compare(number, number + 3, kFixed, kFixed + 3)) return "";
  std::string shown = version.substr(version.find(' ') + 1);
  if (package.starts_with(shown + "-") && is_patched(package)) return "";
  return escape_control(shown) + ": " + kHoles;
}

void require_sound_proxy(const Context& context, const Places& places, const Plan& plan) {
  std::optional<std::string> path = proxy_of(plan);
  if (!path) return;
  std::string directory = data_directory(context.host, places), here = identity(*path);
  if (is_remembered(directory, here)) return;
  // The package says nothing of a file that the administrator has put elsewhere.
  std::string package = *path == kDBusProxy ? package_version(context.host, "xdg-dbus-proxy") : "";
  std::string fault = fault_of_proxy(first_line_of(*path, "--version"), package);
  if (!fault.empty()) {
    throw Error("xdg-dbus-proxy", fault)
        .hint("sudo apt install --only-upgrade xdg-dbus-proxy, or do without the bus: -s dbus.session=no");
  }
  remember(directory, here);
}

}  // namespace sbox
