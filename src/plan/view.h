// The mount view: collects what a profile grants and what every sandbox has, resolves each host path once, and yields
// the nodes of the plan. The order of the calls does not matter. The rules are in HACKING.md, "The rules of the mount
// view".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/host.h"
#include "plan/places.h"
#include "plan/plan.h"
#include "plan/tree.h"
#include "profile/profile.h"

namespace sbox {

// For the same path, the first of these decides.
enum class Access { hide, read_only, overlay, read_write, tmpfs };

enum class Strength {
  written,   // by the author of the profile: holds, or the start is refused
  argument,  // a file of the command line: like written, but never opens what the profile hides
  offered,   // from a table of sbox: left out where it is missing or odd, or where the profile says something already
};

struct Grant {
  std::string path;  // of the host, normalised
  Access access = Access::read_only;
  Strength strength = Strength::written;
  Origin origin = {"sbox", 0};
  uint64_t size = 0;  // tmpfs: bytes
};

// Error for a path, as a profile writes it, that MountView::grant refuses on any host.
void check_written(Access access, const Value& value);

class MountView {
 public:
  // `prefix`: where sbox is installed; what is below it stays read-only.
  MountView(const Host& host, const Places& places, const std::string& prefix);

  // Error for paths that no sandbox may have.
  void grant(Grant grant);
  // A node as it is, of what every sandbox has; gives way to a grant of the same path.
  void place(Node node);
  // A socket that exists on the host: below a granted directory it is hidden, unless it is granted itself.
  void hide_socket(std::string path) { sockets_.push_back(std::move(path)); }
  // A directory that is there, empty where nothing else shows one.
  void pass(std::string path) { passed_.push_back(std::move(path)); }
  // Whether the profile or the command line grants anything.
  bool grants_files() const;
  // The home is not the host's own: what is kept of that is bound into it at the path the user knows.
  void use_private_home() { private_home_ = true; }

  // What was collected is used up.
  std::vector<Node> nodes() &&;

 private:
  struct Found;

  // Lives as long as `grant`, which is not forbidden as it is named.
  Found find(const Grant& grant) const;
  void insert(Entries& entries, const Found& found) const;
  void close_parent(Entries& entries, const Found& found) const;
  bool is_shown_already(const Entries& entries, const Found& found) const;
  bool is_wanted(const Entries& entries, const Found& found) const;
  std::optional<Error> link_fault(const Entries& entries, const Found& found) const;
  void check_links(const Entries& entries, const Found& found) const;
  void add_links(Entries& entries, const Found& found) const;
  void hide_sockets(Entries& entries) const;
  void protect_policy(Entries& entries) const;
  void protect_programs(Entries& entries) const;
  void refuse_forbidden(const Grant& grant, const std::string& path) const;
  std::string inside(const std::string& host_path) const;

  const Host& host_;
  const Places& places_;
  std::vector<std::string> policy_;    // directories of sbox's rules, as named
  std::vector<std::string> programs_;  // what sbox itself is made of
  std::vector<Grant> grants_;
  std::vector<std::string> sockets_;
  std::vector<std::string> passed_;
  Entries placed_;
  bool private_home_ = false;
};

// An entry of every sandbox; `target` normalised.
Node make_node(NodeKind kind, std::string target);
Node make_file(std::string target, std::string content);
Node make_symlink(std::string target, std::string content);
Node make_bind(std::string source, std::string target, bool writable, bool is_file);
Node make_tmpfs(std::string target, uint64_t size, uint32_t mode);

}  // namespace sbox
