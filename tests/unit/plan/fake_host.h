// A host in memory for tests of the planner: a Debian-like machine with one user, "ann" (1000), to which tests add.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/host.h"
#include "plan/walk.h"

namespace sbox::testing {

inline constexpr uint32_t kAnn = 1000, kStranger = 1001;

class FakeHost : public Host {
 public:
  FakeHost();

  // Parents are made where they are missing, with the owner of their own parent.
  void directory(const std::string& path, uint32_t uid = kAnn, uint32_t mode = 0755);
  void file(const std::string& path, const std::string& content = "", uint32_t uid = kAnn, uint32_t mode = 0644);
  void program(const std::string& path, uint32_t uid = 0) { file(path, "", uid, 0755); }
  void link(const std::string& path, const std::string& target, uint32_t uid = kAnn);
  void node(const std::string& path, FileKind kind, uint32_t uid = 0, uint32_t mode = 0666);
  void socket(const std::string& path, uint32_t uid = kAnn) { node(path, FileKind::socket, uid); }
  void remove(const std::string& path);
  void set(const std::string& name, const std::string& value) { environment_[name] = value; }
  void unset(const std::string& name) { environment_.erase(name); }
  void change_to(const std::string& directory) { directory_ = directory; }
  void set_landlock(uint32_t abi) { landlock_ = abi; }
  void set_hard_limit(int resource, uint64_t limit) { hard_limits_[resource] = limit; }
  void set_hostname(const std::string& name) { hostname_ = name; }
  void set_compositor(std::optional<bool> confines) { compositor_ = confines; }
  void set_bound_sockets(std::optional<std::vector<std::string>> names) { bound_sockets_ = std::move(names); }
  void set_home(const std::string& home) { home_ = home; }

  FileStatus status(const std::string& path) const override;
  Resolved resolve(const std::string& path) const override;
  std::optional<std::string> read(const std::string& path, size_t limit = 1 << 20) const override;
  std::vector<std::string> list(const std::string& path, std::string_view prefix = "") const override;
  std::optional<std::string> variable(const std::string& name) const override;
  std::vector<std::string> variable_names() const override;
  uint32_t uid() const override { return kAnn; }
  uint32_t gid() const override { return kAnn; }
  std::string user() const override { return "ann"; }
  std::string home() const override { return home_; }
  std::string directory() const override { return directory_; }
  std::string hostname() const override { return hostname_; }
  uint32_t landlock_abi() const override { return landlock_; }
  std::string architecture() const override { return "x86_64"; }
  uint64_t hard_limit(int resource) const override {
    auto found = hard_limits_.find(resource);
    return found == hard_limits_.end() ? UINT64_MAX : found->second;
  }
  std::optional<bool> confines_wayland_clients(const std::string&) const override { return compositor_; }
  std::optional<std::vector<std::string>> bound_sockets() const override { return bound_sockets_; }
  std::string random_hex(size_t digits) const override { return std::string(digits, 'a'); }

 private:
  struct File {
    FileStatus status;
    std::string content;  // of a symlink: its target
  };

  void add(const std::string& path, File file);

  std::map<std::string, File> files_;
  std::map<std::string, std::string> environment_;
  std::map<int, uint64_t> hard_limits_;
  std::string home_ = "/home/ann", directory_ = "/home/ann", hostname_ = "workshop";
  uint32_t landlock_ = 7;
  std::optional<bool> compositor_ = false;
  std::optional<std::vector<std::string>> bound_sockets_ = std::vector<std::string>();
};

}  // namespace sbox::testing
