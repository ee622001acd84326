// What the planner asks of the host: a seam, so that tests feed it a host of their own. Read-only: nothing here changes
// the host or starts anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sbox {

enum class FileKind { missing, directory, file, symlink, socket, character_device, block_device, fifo, unreachable };

// Of st_mode; missing of 0.
FileKind kind_of(uint32_t mode);

struct FileStatus {
  FileKind kind = FileKind::missing;  // unreachable: exists or not, the caller may not look (EACCES)
  uint32_t mode = 0;                  // permission bits
  uint32_t uid = 0, gid = 0;
};

// A symlink met on the way, in order: `path` is where it is, canonical but for its own last component.
struct Link {
  std::string path, target;
  uint32_t uid = 0;  // its owner
};

struct Resolved {
  std::string path;         // canonical, of the last component that exists
  std::string rest;         // what is left below `path` where a component is missing or unreachable, without a slash in
                            // front; "" when all of it exists
  FileStatus status;        // of the end; missing when any component is
  std::vector<Link> links;  // met on the way
};

class Host {
 public:
  virtual ~Host() = default;

  // Status of `path` itself, a symlink not followed. Precondition: normalised.
  virtual FileStatus status(const std::string& path) const = 0;
  // Walks the absolute `path` component by component without ever following a magic link (/proc/N/fd, /proc/N/root:
  // unreachable). At most 40 links.
  virtual Resolved resolve(const std::string& path) const = 0;
  // Content of a regular file of at most `limit` bytes; nothing when it is not there, not regular, or larger.
  virtual std::optional<std::string> read(const std::string& path, size_t limit = 1 << 20) const = 0;
  // Names in a directory that begin with `prefix`, sorted, without . and ..; empty when it cannot be read.
  virtual std::vector<std::string> list(const std::string& path, std::string_view prefix = "") const = 0;

  virtual std::optional<std::string> variable(const std::string& name) const = 0;
  virtual std::vector<std::string> variable_names() const = 0;

  virtual uint32_t uid() const = 0;
  virtual uint32_t gid() const = 0;
  virtual std::string user() const = 0;       // login name, by the user database (never from the environment)
  virtual std::string home() const = 0;       // home directory, by the user database
  virtual std::string directory() const = 0;  // current directory; "" when it is gone
  virtual std::string hostname() const = 0;
  virtual uint32_t landlock_abi() const = 0;     // 0: none
  virtual std::string architecture() const = 0;  // uname -m
  // What the caller may raise RLIMIT_`resource` to; UINT64_MAX: no limit.
  virtual uint64_t hard_limit(int resource) const = 0;
  // Whether the Wayland compositor behind this socket can tell sandboxed clients from others (security-context-v1).
  // Nothing when none answers there.
  virtual std::optional<bool> confines_wayland_clients(const std::string& socket) const = 0;
  // Names of the sockets of this network namespace that take connections or datagrams of anybody, as they were bound:
  // paths, or any other bytes. Nothing where the kernel has no way to ask for these alone (sock_diag(7)).
  virtual std::optional<std::vector<std::string>> bound_sockets() const = 0;
  // `digits` hexadecimal digits of the kernel's random numbers, new for each call.
  virtual std::string random_hex(size_t digits) const = 0;
};

}  // namespace sbox
