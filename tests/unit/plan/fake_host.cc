#include "fake_host.h"

#include "plan/paths.h"

namespace sbox::testing {

FakeHost::FakeHost() {
  files_["/"] = {{FileKind::directory, 0755, 0, 0}, ""};
  for (const char* path : {"/etc", "/usr/bin", "/usr/lib", "/usr/share/zoneinfo/Europe", "/var", "/opt", "/mnt",
                           "/proc", "/sys", "/dev", "/run"}) {
    directory(path, 0);
  }
  for (const char* name : {"bin", "lib"}) link(std::string("/") + name, std::string("usr/") + name, 0);
  link("/var/run", "/run", 0);
  directory("/tmp", 0, 01777);
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    node(std::string("/dev/") + name, FileKind::character_device);
  }
  for (const char* name : {"true", "bash", "viewer"}) program(std::string("/usr/bin/") + name);
  file("/usr/share/zoneinfo/Europe/Berlin", "TZif", 0);
  link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin", 0);
  file("/proc/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n", 0);
  file("/etc/group", "root:x:0:\nann:x:1000:\n", 0);
  directory("/run/user/1000", kAnn, 0700);
  directory("/home/ann", kAnn, 0700);
  directory("/home/ann/.config/sbox");
  directory("/home/ann/.local/share/sbox");
  set("HOME", "/home/ann");
  set("PATH", "/usr/bin:/bin");
  set("XDG_RUNTIME_DIR", "/run/user/1000");
}

void FakeHost::add(const std::string& path, File file) {
  std::string parent = parent_of(path);
  if (!files_.contains(parent)) {
    std::string above = parent_of(parent);
    if (!files_.contains(above)) directory(above, file.status.uid);
    files_[parent] = {{FileKind::directory, 0755, files_[above].status.uid, files_[above].status.gid}, ""};
  }
  files_[path] = std::move(file);
}

void FakeHost::directory(const std::string& path, uint32_t uid, uint32_t mode) {
  add(path, {{FileKind::directory, mode, uid, uid}, ""});
}

void FakeHost::file(const std::string& path, const std::string& content, uint32_t uid, uint32_t mode) {
  add(path, {{FileKind::file, mode, uid, uid}, content});
}

void FakeHost::link(const std::string& path, const std::string& target, uint32_t uid) {
  add(path, {{FileKind::symlink, 0777, uid, uid}, target});
}

void FakeHost::node(const std::string& path, FileKind kind, uint32_t uid, uint32_t mode) {
  add(path, {{kind, mode, uid, uid}, ""});
}

void FakeHost::remove(const std::string& path) {
  std::erase_if(files_, [&](const auto& entry) { return is_at_or_below(entry.first, path); });
}

FileStatus FakeHost::status(const std::string& path) const {
  auto found = files_.find(path);
  return found == files_.end() ? FileStatus{} : found->second.status;
}

Resolved FakeHost::resolve(const std::string& path) const {
  Seen seen;
  return walk(path, [&](const std::string& at) -> const Seen& {
    seen = {status(at), ""};
    if (seen.status.kind == FileKind::symlink) seen.target = files_.at(at).content;
    return seen;
  });
}

std::optional<std::string> FakeHost::read(const std::string& path, size_t limit) const {
  Resolved found = resolve(path);
  if (found.status.kind != FileKind::file) return std::nullopt;
  const std::string& content = files_.at(found.path).content;
  if (content.size() > limit) return std::nullopt;
  return content;
}

std::vector<std::string> FakeHost::list(const std::string& path, std::string_view prefix) const {
  std::vector<std::string> names;
  std::string at = resolve(path).path;
  for (const auto& [name, file] : files_) {
    bool is_in = name != "/" && parent_of(name) == at && base_name(name).starts_with(prefix);
    if (is_in) names.push_back(base_name(name));
  }
  return names;
}

std::optional<std::string> FakeHost::variable(const std::string& name) const {
  auto found = environment_.find(name);
  if (found == environment_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> FakeHost::variable_names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : environment_) names.push_back(name);
  return names;
}

}  // namespace sbox::testing
