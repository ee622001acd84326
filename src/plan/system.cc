#include "base/strings.h"
#include "plan/draft.h"
#include "plan/paths.h"

namespace sbox {
namespace {

constexpr const char* kDevices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};

struct LinkRow {
  const char *path, *target;
};
constexpr LinkRow kLinks[] = {
    {"/dev/ptmx", "pts/ptmx"},          {"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"}, {"/var/run", "../run"},
    {"/var/lock", "../run/lock"},
};

// What a new proc shows of the whole machine, or lets a program reach into it.
constexpr const char* kHiddenOfProc[] = {
    "acpi",          "asound",       "bus",         "config.gz",   "driver",     "dynamic_debug", "fs",
    "interrupts",    "iomem",        "ioports",     "irq",         "kallsyms",   "kcore",         "key-users",
    "keys",          "kmsg",         "kpagecgroup", "kpagecount",  "kpageflags", "latency_stats", "modules",
    "mtrr",          "pagetypeinfo", "pressure",    "sched_debug", "schedstat",  "scsi",          "slabinfo",
    "sysrq-trigger", "timer_list",   "timer_stats", "vmallocinfo",
};

// What an inner sandbox binds without asking (WebKitGTK's); empty but for what the plan has of them anyway.
constexpr const char* kBoundInside[] = {"/sys/block", "/sys/bus", "/sys/class", "/sys/dev", "/sys/devices"};

// It tells one run of the machine from all others, and a sandbox from none of its neighbours.
constexpr char kBootId[] = "/proc/sys/kernel/random/boot_id";

constexpr uint64_t kRuntimeSize = 16 << 20;

bool may_mount(const Inputs& in) { return in.profile.text(Key::process_nested_sandbox) == "mounts"; }

void place_proc(const Inputs& in, Draft& draft) {
  draft.view.place(make_node(NodeKind::proc, "/proc"));
  // The kernel gives an inner sandbox a /proc only where there is one that nothing covers. What the covers keep from an
  // ordinary user is knowledge; root could write there.
  if (may_mount(in) && in.host.uid() != 0) return;
  // Those that this host has not are left out in the end.
  for (const char* name : kHiddenOfProc) {
    Node node = make_node(NodeKind::hide, std::string("/proc/") + name);
    node.source = node.target;
    draft.view.place(std::move(node));
  }
  Node sysctl = make_node(NodeKind::pin, "/proc/sys");
  sysctl.source = sysctl.target;
  sysctl.writable = false;
  draft.view.place(std::move(sysctl));
  Node boot_id = make_node(NodeKind::hide, kBootId);
  boot_id.source = boot_id.target;
  draft.view.place(std::move(boot_id));
}

void place_devices(const Inputs& in, Draft& draft) {
  for (const char* path : kDevices) {
    if (in.host.status(path).kind != FileKind::character_device) {
      throw Error(path, "is not a device on this host").hint("mount a proper /dev");
    }
    Node node = make_bind(path, path, false, true);
    node.device = true;
    draft.view.place(std::move(node));
  }
  draft.view.place(make_node(NodeKind::devpts, "/dev/pts"));
  draft.view.place(make_tmpfs("/dev/shm", in.profile.number(Key::system_shm_size), 01777));
}

// Without these no program finds its loader, so they are not left out as others are that somebody else may change.
void refuse_strange_links(const Host& host) {
  for (const char* path : kSystemDirectories) {
    for (const Link& link : host.resolve(path).links) {
      if (link.uid == 0 || link.uid == host.uid()) continue;
      throw Error("symlink " + quote(link.path),
                  "belongs to user " + std::to_string(link.uid) + ", who could lead it elsewhere")
          .hint("start sbox where root owns it, and outside of user namespaces that do not know root");
    }
  }
}

}  // namespace

void plan_system(const Inputs& in, Draft& draft) {
  refuse_strange_links(in.host);
  for (const char* path : kSystemDirectories) draft.view.grant({path, Access::read_only, Strength::offered});
  place_proc(in, draft);
  place_devices(in, draft);
  for (const LinkRow& link : kLinks) draft.view.place(make_symlink(link.path, link.target));
  uint64_t tmp_size = in.profile.number(Key::system_tmp_size);
  draft.view.place(make_tmpfs("/tmp", tmp_size, 01777));
  draft.view.place(make_tmpfs("/var/tmp", tmp_size, 01777));
  draft.view.place(make_tmpfs(in.places.runtime, kRuntimeSize, 0700));
  if (!may_mount(in)) return;
  for (const char* path : kBoundInside) draft.view.place(make_node(NodeKind::directory, path));
}

void offer(const Inputs& in, Draft& draft, std::initializer_list<const char*> paths) {
  for (std::string path : paths) {
    if (path.starts_with("~/")) path = join(in.places.home, path.substr(2));
    draft.view.grant({std::move(path), Access::read_only, Strength::offered});
  }
}

}  // namespace sbox
