// The plan: what the launcher will do, resolved for this host and this run. A plain value: printed by --dry-run,
// compared in tests, handed to the launcher in serialised form (plan/codec.h). The launcher knows nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sbox {

// One entry of the sandbox's file tree.
enum class NodeKind : uint8_t {
  directory,  // on the sandbox's own tmpfs, or in a hide
  file,       // generated: `content`, on the sandbox's own tmpfs
  follow,     // generated copy of the host file `source` (as named: links in it are followed anew), rewritten when that
              // changes
  symlink,    // `content` is the target; where a directory or file may be
  bind,       // `source` of the host, with its submounts
  overlay,    // `source` as the overlay of the plan has it: what is written there does not reach the host
  pin,        // a directory bound on itself, so that it cannot be renamed away, or (not `writable`) not be changed
  hide,       // a read-only directory or file in its place: of mode 0 and empty, or 0111 where later nodes lie in it
  tmpfs,      // private and empty: `size`, `inodes`, `mode`
  proc,       // of the own pid namespace, masked
  devpts,     // own instance
  socket,     // on the sandbox's own tmpfs: one that a helper listens on
};

struct Node {
  NodeKind kind{};
  std::string target;  // absolute inside the sandbox, normalised, no symlink in it
  std::string source;  // bind, follow, overlay: absolute on the host; canonical (no symlink in it) but for follow
  std::string content;
  uint32_t mode = 0755;      // directory, file, tmpfs, hide
  bool is_file = false;      // bind, overlay, hide: not a directory
  bool writable = false;     // bind, overlay, pin, tmpfs
  bool executable = true;    // bind, overlay, tmpfs: false is noexec
  bool device = false;       // bind: a character device that may be used
  bool make_target = false;  // bind, pin, tmpfs: the target is made where missing although it is below a writable bind
  bool guarded = false;      // covers what the host has at this place: when a program outside takes that away or puts
                             // something else there, the kernel's mount is gone, and what is there is covered anew
  bool required = false;     // guarded: the sandbox ends when nothing takes the place, since the program could make it
  uint64_t size = 0;         // tmpfs: bytes
  uint64_t inodes = 0;       // tmpfs
  std::string origin;        // who asked for it: "FILE:LINE", or "sbox" for what every sandbox has

  bool operator==(const Node&) const = default;
};

// A classic BPF program for seccomp(2), in the kernel's own layout.
struct FilterInstruction {
  uint16_t code;
  uint8_t jump_true, jump_false;
  uint32_t operand;
  bool operator==(const FilterInstruction&) const = default;
};
struct Filter {
  std::string name;
  std::vector<FilterInstruction> code;
  bool operator==(const Filter&) const = default;
};

// Landlock: access rights are those of linux/landlock.h, already cut down to the ABI of the kernel.
struct LandlockRule {
  std::string path;  // inside the sandbox
  uint64_t access = 0;
  bool operator==(const LandlockRule&) const = default;
};
struct LandlockPort {
  uint16_t port = 0;  // of TCP
  uint64_t access = 0;
  bool operator==(const LandlockPort&) const = default;
};
struct Landlock {
  uint32_t abi = 0;  // 0: the kernel has none
  uint64_t handled = 0;
  uint64_t handled_ports = 0;
  uint64_t scoped = 0;
  std::vector<LandlockRule> rules;
  std::vector<LandlockPort> ports;
  bool operator==(const Landlock&) const = default;
};

struct ResourceLimit {
  std::string name;  // "RLIMIT_CORE": for people
  uint32_t resource = 0;
  uint64_t soft = 0, hard = 0;
  bool operator==(const ResourceLimit&) const = default;
};

// A limit of the cgroup that the launcher must find itself in.
struct CgroupLimit {
  std::string file;                   // "memory.max"
  std::string line;                   // as the kernel prints it when the limit is in force
  std::vector<std::string> property;  // of systemd, as busctl(1) takes it: name, type, value
  std::string meaning;                // "FILE:LINE: the limit limits.memory = 2G": for people
  bool operator==(const CgroupLimit&) const = default;
};

// A process that is started beside the program, in a smaller sandbox of its own, and ends with it.
struct Helper {
  std::string name;               // for messages: "xdg-dbus-proxy"
  std::vector<std::string> argv;  // argv[0] absolute; the launcher replaces "{ready}" by the number of a descriptor
                                  // that the helper writes to when it serves and whose close tells it to end
  std::string node;  // the node of the plan through which it serves: a tmpfs, which becomes its current directory, or a
                     // socket, which is its descriptor 3 in the manner of sd_listen_fds(3)
  bool network = false;  // it brings the sandbox its network: it joins the sandbox's user namespace, with capabilities
                         // over its network namespace, which is its descriptor 3
  std::vector<std::string> environment;  // NAME=VALUE
  std::vector<Node> nodes;               // the file tree that it sees
  std::vector<Filter> filters;           // its own
  bool log = false;                      // what it tells while it serves goes into the log (log/note.h)
  bool operator==(const Helper&) const = default;
};

// A copy-on-write view of a directory of the host, made once for the sandbox. Its nodes show parts of it.
struct Overlay {
  std::string lower;      // of the host, canonical: what is seen until it is changed; "": there is no overlay
  std::string directory;  // of the host, canonical: its `upper` takes the changes, its `work` is the kernel's
  std::vector<std::string> recover{};  // of the host, canonical: what is changed there is offered at the end of the
                                       // run; the launcher has nothing to do with it
  bool operator==(const Overlay&) const = default;
};

struct Plan {
  std::string profile;   // its name
  std::string instance;  // the name of this run
  bool listed = false;   // the name is claimed, and the launcher gets the claim: without it none would know of the run
  uint32_t uid = 0, gid = 0;
  bool own_network = true;  // a network namespace with nothing but lo
  std::string hostname;
  std::vector<std::string> make_directories;  // of the host, canonical: made (0700) where missing, before sources are
                                              // opened; only directories of sbox itself
  Overlay overlay;
  std::vector<Node> nodes;               // parents before children; among equals, in the order they are made
  std::vector<std::string> environment;  // NAME=VALUE
  std::string directory;                 // current directory inside
  std::string program;                   // absolute path inside, executed
  std::vector<std::string> argv;         // what it sees, [0] included
  std::vector<Filter> filters;
  Landlock landlock;
  std::vector<ResourceLimit> limits;
  std::vector<CgroupLimit> cgroup;
  uint64_t seconds = 0;  // after which the program is ended; 0: never
  uint32_t nice = 0;
  uint32_t io_priority = 0;  // as ioprio_set(2) takes it; 0: the caller's
  std::vector<Helper> helpers;
  bool nested_sandbox = false;  // user namespaces are possible inside
  bool log = false;             // denied system calls are written down
  bool verbose = false;         // the launcher says where its time went

  bool operator==(const Plan&) const = default;
};

// Whether the program can change mounts in namespaces of its own: Landlock refuses that wherever it is in force.
inline bool may_mount(const Plan& plan) { return plan.nested_sandbox && plan.landlock.handled == 0; }

inline bool has_guarded_nodes(const Plan& plan) {
  bool has = false;
  for (const Node& node : plan.nodes) has = has || node.guarded;
  return has;
}

// Whether anything is written down.
inline bool keeps_log(const Plan& plan) {
  bool keeps = plan.log;
  for (const Helper& helper : plan.helpers) keeps = keeps || helper.log;
  return keeps;
}

}  // namespace sbox
