// The host that sbox runs on.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/host.h"
#include "plan/walk.h"

namespace sbox {

// Reads the environment, the ids and the user database once, when it is made. Single-threaded. Error when the user has
// no entry in the user database.
class RealHost : public Host {
 public:
  // `environment`: NAME=VALUE, ended by null, as given to main().
  explicit RealHost(const char* const* environment);

  FileStatus status(const std::string& path) const override;
  Resolved resolve(const std::string& path) const override;
  std::optional<std::string> read(const std::string& path, size_t limit) const override;
  std::vector<std::string> list(const std::string& path, std::string_view prefix) const override;
  std::optional<std::string> variable(const std::string& name) const override;
  std::vector<std::string> variable_names() const override;
  uint32_t uid() const override { return uid_; }
  uint32_t gid() const override { return gid_; }
  std::string user() const override { return user_; }
  std::string home() const override { return home_; }
  std::string directory() const override;
  std::string hostname() const override;
  uint32_t landlock_abi() const override;
  std::string architecture() const override;
  uint64_t hard_limit(int resource) const override;
  std::optional<bool> confines_wayland_clients(const std::string& socket) const override;
  std::optional<std::vector<std::string>> bound_sockets() const override;
  std::string random_hex(size_t digits) const override;

 private:
  const Seen& look(const std::string& path) const;
  void read_user();
  bool find_user(std::string_view database);

  uint32_t uid_, gid_;
  std::string user_, home_;
  std::map<std::string, std::string> environment_;
  // What was seen at a canonical path: most paths of a plan share their first components.
  mutable std::unordered_map<std::string, Seen> seen_;
};

}  // namespace sbox
