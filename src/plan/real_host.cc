#include "plan/real_host.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "base/error.h"
#include "base/open_at.h"
#include "base/strings.h"
#include "base/unique_fd.h"
#include "network/netlink.h"
#include "plan/paths.h"
#include "wayland/wire.h"

namespace sbox {
namespace {

UniqueFd open_exactly(const std::string& path, int flags) {
  return open_at(AT_FDCWD, path.c_str(), flags, RESOLVE_NO_MAGICLINKS);
}

bool is_absence(int errnum) { return errnum == ENOENT || errnum == ENOTDIR || errnum == ENAMETOOLONG; }

// Whether the caller may not look, or is led in a circle: any other failure says nothing about the file.
bool is_refusal(int errnum) { return errnum == EACCES || errnum == ELOOP; }

// Links that the kernel makes up: their text is not where they lead.
bool is_magic(const std::string& path) {
  std::vector<std::string> parts = split(path, '/');
  if (parts.size() < 4 || parts[1] != "proc") return false;
  return parts[2] != "sys" && parts[2] != "self" && parts[2] != "thread-self";
}

std::string read_all(int fd, size_t limit) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw system_error("read", errno);
    if (size == 0 || text.size() > limit) return text;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
}

// The user databases beyond /etc/passwd (directories of a network, homed) are known to the C library of the host only.
std::string ask_getent(uint32_t uid) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw system_error("pipe", errno);
  UniqueFd out(ends[0]), in(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 1);
  std::string number = std::to_string(uid);
  char program[] = "/usr/bin/getent", database[] = "passwd", dashes[] = "--";
  char* arguments[] = {program, dashes, database, number.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t child = 0;
  int failed = posix_spawn(&child, program, &actions, nullptr, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return "";
  in.reset();
  constexpr size_t kLongestEntry = 65536;
  std::string text = read_all(out.get(), kLongestEntry);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0 ? text : "";
}

}  // namespace

RealHost::RealHost(const char* const* environment) : uid_(getuid()), gid_(getgid()) {
  constexpr size_t kUsualPaths = 256;
  seen_.reserve(kUsualPaths);
  for (; environment && *environment; ++environment) {
    std::string_view entry(*environment);
    size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    environment_.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  read_user();
}

void RealHost::read_user() {
  constexpr size_t kLargestDatabase = 64 << 20;
  if (find_user(read("/etc/passwd", kLargestDatabase).value_or("")) || find_user(ask_getent(uid_))) return;
  throw Error("user " + std::to_string(uid_), "is not in the user database, which knows names and homes")
      .hint("see `getent passwd " + std::to_string(uid_) + "`, and add the user to /etc/passwd");
}

// Lines NAME:PASSWORD:UID:GID:COMMENT:HOME:SHELL.
bool RealHost::find_user(std::string_view database) {
  const std::string uid = std::to_string(uid_);
  while (!database.empty()) {
    std::string_view line = take_part(database, '\n');
    std::array<std::string_view, 7> fields;
    if (std::ranges::count(line, ':') != fields.size() - 1) continue;
    for (std::string_view& field : fields) field = take_part(line, ':');
    auto [name, password, number, group, comment, home, shell] = fields;
    if (number != uid) continue;
    user_ = name;
    home_ = home;
    return true;
  }
  return false;
}

// Only the last component counts: the walk has been in the directory before. Whatever changes in between meets the
// launcher, which follows no link at all.
const Seen& RealHost::look(const std::string& path) const {
  auto known = seen_.find(path);
  if (known != seen_.end()) return known->second;
  Seen seen;
  struct stat status {};
  if (fstatat(AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
    if (!is_absence(errno) && !is_refusal(errno)) throw system_error(path, errno);
    seen.status.kind = is_absence(errno) ? FileKind::missing : FileKind::unreachable;
  } else {
    seen.status = {kind_of(status.st_mode), status.st_mode & 07777u, status.st_uid, status.st_gid};
    // What is to be hidden would be left out as missing.
    if (seen.status.kind == FileKind::missing) throw Error(path, "the kernel does not say what it is");
  }
  if (seen.status.kind == FileKind::symlink) {
    char target[PATH_MAX];
    ssize_t size = is_magic(path) ? 0 : readlink(path.c_str(), target, sizeof target);
    if (size < 0) throw system_error(path, errno);
    if (size == 0 || size == static_cast<ssize_t>(sizeof target)) {
      seen.status.kind = FileKind::unreachable;
    } else {
      seen.target.assign(target, static_cast<size_t>(size));
    }
  }
  return seen_.emplace(path, std::move(seen)).first->second;
}

FileStatus RealHost::status(const std::string& path) const { return look(path).status; }

Resolved RealHost::resolve(const std::string& path) const {
  return walk(path, [this](const std::string& at) -> const Seen& { return look(at); });
}

std::optional<std::string> RealHost::read(const std::string& path, size_t limit) const {
  // Not blocking, for opening a fifo waits; what is opened is looked at before it is read.
  UniqueFd fd = open_exactly(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::string text = read_all(fd.get(), limit);
  if (text.size() > limit) return std::nullopt;
  return text;
}

std::vector<std::string> RealHost::list(const std::string& path, std::string_view prefix) const {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
    std::string_view name = entry->d_name;
    if (name.starts_with(prefix) && name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> RealHost::variable(const std::string& name) const {
  auto found = environment_.find(name);
  if (found == environment_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> RealHost::variable_names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : environment_) names.push_back(name);
  return names;
}

std::string RealHost::directory() const {
  char path[PATH_MAX] = "";
  // The kernel's own answer for a directory that is gone or outside of the root begins with "(unreachable)".
  if (syscall(SYS_getcwd, path, sizeof path) < 0 && errno != ENOENT) throw system_error("current directory", errno);
  return path[0] == '/' ? path : "";
}

std::string RealHost::hostname() const {
  utsname name{};
  uname(&name);
  return name.nodename;
}

uint32_t RealHost::landlock_abi() const {
  constexpr unsigned kVersion = 1;
  long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersion);
  if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) return 0;
  if (abi <= 0) throw system_error("Landlock", abi < 0 ? errno : EINVAL);
  return static_cast<uint32_t>(abi);
}

std::string RealHost::architecture() const {
  utsname name{};
  uname(&name);
  return name.machine;
}

uint64_t RealHost::hard_limit(int resource) const {
  rlimit limit{};
  if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) throw system_error("getrlimit", errno);
  return limit.rlim_max;
}

std::optional<bool> RealHost::confines_wayland_clients(const std::string& socket) const {
  std::optional<WaylandClient> client = WaylandClient::connect(socket);
  if (!client) return std::nullopt;
  std::optional<std::vector<WaylandGlobal>> globals = client->globals();
  if (!globals) return std::nullopt;
  return std::ranges::any_of(*globals, [](const auto& global) { return global.interface == kSecurityContextManager; });
}

// Of those that are connected only the other end can send, and what a listener has accepted has the listener's name:
// with many sandboxes these are most of all sockets.
std::optional<std::vector<std::string>> RealHost::bound_sockets() const {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = 1U << TCP_LISTEN | 1U << TCP_CLOSE;
  request.udiag_show = UDIAG_SHOW_NAME;
  network::Messages messages;
  messages.begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request);
  std::vector<std::string> names;
  auto take = [&](uint16_t, std::string_view payload) {
    constexpr size_t kHeader = NLMSG_ALIGN(sizeof(unix_diag_msg));
    if (payload.size() < kHeader) return;
    std::string_view name = network::attribute(payload.substr(kHeader), UNIX_DIAG_NAME);
    if (!name.empty()) names.emplace_back(name.substr(0, name.find('\0', 1)));
  };
  UniqueFd socket = network::open_netlink(NETLINK_SOCK_DIAG);
  if (!socket || network::dump(socket.get(), messages, take) != 0) return std::nullopt;
  return names;
}

std::string RealHost::random_hex(size_t digits) const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string bytes(digits, '\0');
  for (size_t done = 0; done < digits;) {
    ssize_t size = getrandom(bytes.data() + done, digits - done, 0);
    if (size < 0 && errno != EINTR) throw system_error("getrandom", errno);
    if (size > 0) done += static_cast<size_t>(size);
  }
  for (char& c : bytes) c = kDigits[static_cast<unsigned char>(c) & 15];
  return bytes;
}

}  // namespace sbox
