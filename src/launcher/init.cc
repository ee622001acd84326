#include "launcher/init.h"

#include <fcntl.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/handover.h"
#include "launcher/guest.h"
#include "launcher/identity.h"
#include "launcher/lockdown.h"
#include "launcher/mounts.h"
#include "launcher/tree.h"
#include "plan/notify_filter.h"

namespace sbox {
namespace {

constexpr int kFailure = 125;  // nobody is left to read it: the supervisor is gone
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

// The tmpfs nodes in which helpers make their sockets come first, so that the helpers start while the rest is made.
Prepared begin_mounts(Step& step, const Plan& plan) {
  step.begin("helpers");
  Prepared prepared(plan.nodes.size());
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const Node& node = plan.nodes[i];
    auto serves_here = [&](const Helper& helper) { return helper.node == node.target; };
    if (node.kind != NodeKind::tmpfs || std::none_of(plan.helpers.begin(), plan.helpers.end(), serves_here)) continue;
    prepared[i] = new_tmpfs_for(step, node);
    offer_to_helpers(step, plan.helpers, node, prepared[i].get());
  }
  for (size_t i = 0; i < plan.helpers.size(); ++i) {
    if (!plan.helpers[i].network) continue;
    UniqueFd network(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    step.require(network.ok(), "network namespace");
    offer_to_helper(step, plan.helpers, i, network.get());
  }
  step.begin("files of the host");
  make_mounts_private(step);
  std::vector<UniqueFd> mounts = prepare_mounts(step, plan.nodes, plan.overlay);
  for (size_t i = 0; i < mounts.size(); ++i) {
    if (mounts[i]) prepared[i] = std::move(mounts[i]);
  }
  return prepared;
}

// To whoever looks after the covers of the tree.
void show_tree(const Step& step, const Plan& plan, const Root& root) {
  if (!has_guarded_nodes(plan)) return;
  UniqueFd mounts(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  bool shown = mounts && send_message(step.socket(), MessageKind::tree, 0, {}, root.fd.get()) &&
               send_message(step.socket(), MessageKind::mounts, 0, {}, mounts.get());
  step.require(shown, "show the tree");
}

void close_user_namespaces(const Step& step, const Plan& plan, const Prepared& prepared) {
  if (plan.nested_sandbox) return;
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].kind == NodeKind::proc) return forbid_user_namespaces(step, prepared[i].get());
  }
  step.fail("the plan has no /proc", EINVAL);
}

// Last of all: they need longer than everything else together.
void wait_for_helpers(const Step& step, const Plan& plan) {
  if (plan.helpers.empty()) return;
  Message command;
  bool go = receive_message(step.socket(), command) && command.is(CommandKind::go);
  if (!go) _exit(kFailure);
}

// And 0, 1 and 2; -1 is none.
void close_all_but(const Step& step, std::array<int, 4> kept) {
  std::sort(kept.begin(), kept.end());
  int next = 3;
  bool closed = true;
  for (int fd : kept) {
    if (fd < next) continue;
    closed = closed && (fd == next || close_range(next, fd - 1, 0) == 0);
    next = fd + 1;
  }
  step.require(closed && close_range(next, ~0U, 0) == 0, "close descriptors");
}

struct Confinement {
  Expected expected;
  UniqueFd probe;
  UniqueFd slave;
  UniqueFd door;
};

[[noreturn]] void run_program(const InitContext& context, Step step, const Confinement& confinement) {
  const Plan& plan = context.plan;
  step.begin("standard streams");
  step.require(setpgid(0, 0) == 0, "process group");
  connect_stdio(step, context.stdio, confinement.slave.get());
  if (confinement.slave) step.require(tcsetpgrp(confinement.slave.get(), getpid()) == 0, "foreground");
  close_all_but(step, {step.socket(), confinement.probe.get(), -1, -1});
  step.begin("self-check");
  check_confinement(step, plan, confinement.expected);
  step.begin("helpers serve");
  wait_for_helpers(step, plan);
  step.begin("program");
  signal(SIGPIPE, context.ignore_pipe ? SIG_IGN : SIG_DFL);
  step.require(sigprocmask(SIG_SETMASK, &context.program_mask, nullptr) == 0, "signal mask");
  std::vector<char*> arguments = pointers(plan.argv), environment = pointers(plan.environment);
  // Said before the program can be heard: a signal that answers its first word is for it.
  step.require(send_message(step.socket(), MessageKind::started, 0), "start");
  execve(plan.program.c_str(), arguments.data(), environment.data());
  step.fail(plan.program, errno, errno == ENOENT ? kNotFound : kNotExecutable);
}

int exit_status(const siginfo_t& info) { return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status; }

void obey(int socket, pid_t program) {
  Message command;
  // The supervisor is gone: so is this sandbox. The end of process 1 ends every other; that of a guest's keeper, what
  // is in the guest's group.
  if (!receive_message(socket, command)) {
    kill(-program, SIGKILL);
    _exit(kFailure);
  }
  int signal_number = static_cast<int>(command.value);
  if (command.is(CommandKind::signal)) kill(program, signal_number);
  if (command.is(CommandKind::signal_group)) kill(-program, signal_number);
}

void reap(int socket, pid_t program) {
  for (;;) {
    siginfo_t info{};
    // Without a child there is no program.
    if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG) != 0) _exit(kFailure);
    if (info.si_pid == 0) return;
    if (info.si_pid != program) continue;
    if (info.si_code == CLD_STOPPED || info.si_code == CLD_TRAPPED) {
      send_message(socket, MessageKind::stopped, info.si_status);
      continue;
    }
    send_message(socket, MessageKind::ended, exit_status(info));
    _exit(0);
  }
}

// Process 1 is under the program's filters, which may keep away or even punish what only saves memory.
bool may_give_back_memory(const Plan& plan) {
#ifdef __x86_64__
  constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
  constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
  return are_allowing(plan.filters, {.nr = SYS_madvise, .arch = kArchitecture, .instruction_pointer = 0, .args = {}});
}

// `door`: where others ask to join; `let_in` takes who does, in a process of its own. `gives_back`: memory, once the
// program has run for a moment.
template <typename LetIn>
[[noreturn]] void watch(const Step& step, pid_t program, UniqueFd& door, bool gives_back, LetIn let_in) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  UniqueFd children(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  step.require(children.ok(), "signalfd");
  reap(step.socket(), program);
  for (int patience = gives_back ? kSettledAfterMs : -1;;) {
    pollfd polled[] = {{step.socket(), POLLIN, 0}, {children.get(), POLLIN, 0}, {door.get(), POLLIN, 0}};
    int happenings = poll(polled, 3, patience);
    if (happenings < 0 && errno != EINTR) _exit(kFailure);
    if (happenings == 0) {
      forget_code();
      patience = -1;
    }
    if (polled[0].revents != 0) obey(step.socket(), program);
    if (polled[1].revents != 0) {
      // Before and after: a signal that is taken away must not be the only hint of a child's end.
      reap(step.socket(), program);
      signalfd_siginfo ignored;
      while (read(children.get(), &ignored, sizeof ignored) > 0) continue;
      reap(step.socket(), program);
    }
    if (polled[2].revents != 0) let_in();
  }
}

// What init keeps of the caller's streams would hold pipes open that the program has closed. The pty it does keep: a
// program may close its terminal and open it again. `lock`: of the overlay, or -1.
void let_go_of_streams(const Step& step, const UniqueFd& slave, const UniqueFd& door, int lock) {
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  step.require(null.ok(), "/dev/null");
  for (int fd = 0; fd <= 2; ++fd) step.require(put_at(null.get(), fd), "standard descriptors");
  close_all_but(step, {step.socket(), slave.get(), door.get(), lock});
}

[[noreturn]] void run_guest_program(const Step& step, const Plan& plan, const Guest& guest, const Expected& expected) {
  step.require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "parent death signal");
  if (getppid() != expected.session) _exit(kFailure);  // it had ended before
  step.require(setpgid(0, 0) == 0, "process group");
  connect_stdio(step, guest.stdio, guest.slave.get());
  if (guest.slave) step.require(tcsetpgrp(guest.slave.get(), getpid()) == 0, "foreground");
  close_all_but(step, {step.socket(), -1, -1, -1});
  check_guest(step, plan, expected);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  step.require(sigprocmask(SIG_SETMASK, &none, nullptr) == 0, "signal mask");
  std::vector<char*> arguments = pointers(guest.argv), environment = pointers(guest.environment);
  environ = environment.data();  // which holds the PATH
  execvp(arguments[0], arguments.data());
  step.fail(guest.argv[0], errno, errno == ENOENT ? kNotFound : kNotExecutable);
}

// Process 1 for a guest: a session of its own, whose leader sees to it that the program ends with its client.
[[noreturn]] void run_guest(Step step, Plan& plan, Expected expected) {
  step.begin("join");
  UniqueFd no_door;
  let_go_of_streams(step, no_door, no_door, -1);
  Guest guest = receive_guest(step, plan);
  expected.also = step.socket();
  expected.session = getpid();
  pid_t program = fork();
  step.require(program >= 0, "fork");
  if (program == 0) run_guest_program(step, plan, guest, expected);
  let_go_of_streams(step, guest.slave, no_door, -1);
  send_message(step.socket(), MessageKind::started, program);
  watch(step, program, no_door, false, [] {});
}

// The listener must not stay here: who has it decides what is denied.
void load_plan_filters(const Step& step, const Plan& plan) {
  if (!plan.log) return load_filters(step, plan.filters);
  UniqueFd listener = load_notifying_filter(step, plan.filters);
  if (!listener) return;
  step.require(send_message(step.socket(), MessageKind::listener, 0, {}, listener.get()), "listener");
}

}  // namespace

void forget(Plan& plan) {
  plan = Plan();
  malloc_trim(0);
}

void forget_code() {
  auto forget_segments = [](dl_phdr_info* program, size_t, void*) {
    for (int i = 0; i < program->dlpi_phnum; ++i) {
      const ElfW(Phdr)& segment = program->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      uintptr_t page = static_cast<uintptr_t>(getpagesize());
      uintptr_t begin = (program->dlpi_addr + segment.p_vaddr) / page * page;
      uintptr_t end = program->dlpi_addr + segment.p_vaddr + segment.p_memsz;
      madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 1;  // of this one alone: the kernel's own part has no file
  };
  dl_iterate_phdr(forget_segments, nullptr);
}

void run_init(const InitContext& context, int socket) {
  const Plan& plan = context.plan;
  Step step(socket, plan.verbose);
  step.begin("ids");
  die_with_supervisor(step);
  mode_t callers_umask = 0, none = 0;
  step.require(set_umask(0, callers_umask), "umask");
  if (!context.is_granted) map_ids(step, plan.uid, plan.gid);
  OpenFiles open_files(step);
  Prepared prepared = begin_mounts(step, plan);
  close_user_namespaces(step, plan, prepared);

  step.begin("root");
  Root root = enter_new_root(step);
  step.begin("file tree");
  Confinement confinement;
  confinement.door = open_door(step, root);
  confinement.probe = build_tree(step, {plan.nodes, plan.helpers}, root, std::move(prepared));
  confinement.expected = {.host = context.host,
                          .is_granted = context.is_granted,
                          .root_mount_id = root.mount_id,
                          .probe = confinement.probe.get(),
                          .also = socket,
                          .session = getpid()};
  show_tree(step, plan, root);
  root.fd.reset();
  open_files.restore(step);

  step.begin("identity");
  step.require(setsid() > 0, "session");
  set_hostname(step, plan);
  if (plan.own_network) raise_loopback(step);
  confinement.slave = open_terminal(step, context.stdio);
  step.require(chdir(plan.directory.c_str()) == 0, plan.directory);
  step.require(set_umask(callers_umask, none), "umask");

  step.begin("limits");
  set_limits(step, plan);
  step.begin("Landlock");
  set_no_new_privs(step);
  restrict_files(step, plan);
  step.begin("capabilities");
  drop_capabilities(step);
  step.require(prctl(PR_SET_DUMPABLE, 0) == 0, "dumpable");
  die_with_supervisor(step);
  step.begin("system call filter");
  load_plan_filters(step, plan);

  step.begin("start");
  // The memory is shared until the program replaces it: nothing is copied for a process that will not need it.
  pid_t program = vfork();
  step.require(program >= 0, "fork");
  if (program == 0) run_program(context, step, confinement);
  let_go_of_streams(step, confinement.slave, confinement.door, plan.overlay.lower.empty() ? -1 : kLockDescriptor);
  Plan kept = keep_for_guests(context.plan);
  bool gives_back = may_give_back_memory(plan);
  if (gives_back) forget(context.plan);
  watch(step, program, confinement.door, gives_back, [&] {
    UniqueFd client = answer_door(confinement.door, kept.uid);
    // Whom it cannot serve now sees the end of the connection.
    if (client && fork() == 0) run_guest(Step(client.get(), false), kept, confinement.expected);
  });
}

}  // namespace sbox
