"""The protections that `make mutate` removes, one at a time, and the tests of which one must turn red for it.

A mutation is a list of edits (file, text, text instead). Those of the launcher come in two kinds: with the self-check at
work (then the start itself is refused), and without it (then a test must see the effect).
"""

from __future__ import annotations

from typing import NamedTuple

INIT = "src/launcher/init.cc"
TREE = "src/launcher/tree.cc"
MOUNTS = "src/launcher/mounts.cc"
LOCKDOWN = "src/launcher/lockdown.cc"
GROUPS = "src/plan/syscall_groups.cc"
VIEW = "src/plan/view.cc"
PLAN_TREE = "src/plan/tree.cc"
SYSTEM = "src/plan/system.cc"
PRIVATE = "src/plan/private_network.cc"
FIREWALL = "src/network/firewall.cc"
NETWORK = "src/network/main.cc"
BANDWIDTH = "src/network/bandwidth.cc"


class Edit(NamedTuple):
    file: str
    old: str
    new: str


class Mutation(NamedTuple):
    name: str
    edits: list[Edit]
    tests: list[str]


NO_SELF_CHECK = Edit(INIT, "  check_confinement(step, plan, confinement.expected);\n", "")


def unchecked(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    """In the launcher; the self-check, which would refuse the start, is taken out too."""
    return Mutation(name, [Edit(file, old, new), NO_SELF_CHECK], list(tests))


def plain(name: str, file: str, old: str, new: str, *tests: str) -> Mutation:
    return Mutation(name, [Edit(file, old, new)], list(tests))


def group(name: str, *tests: str) -> Mutation:
    """A group of system calls that is off by default, on."""
    return plain(f"system calls {name}", GROUPS, f'{{"{name}", false', f'{{"{name}", true', *tests)


LEARN, WATCH = "src/cli/learn.cc", "src/cli/learn_watch.cc"
PROPOSAL, PROPOSAL_FILES = "src/cli/proposal.cc", "src/cli/proposal_files.cc"
GUEST, REGISTRY = "src/launcher/guest.cc", "src/instance/registry.cc"

MUTATIONS = [
    plain("the pid namespace of who asks to join", GUEST, "peer.pid == 0 && ", "", "test_instances.Forged"),
    plain("the user of who asks to join", GUEST, " && peer.uid == uid;", ";", "test_instances.Forged"),
    plain("the files that must be the same for who joins", GUEST, "    if (!is_here(file)) step.fail(", "    if (false) step.fail(",
          "test_instances.Single"),
    plain("the end of a joined program with its client", INIT, "    kill(-program, SIGKILL);\n", "", "test_instances.Join"),
    plain("the end of a joined program with its keeper", INIT, 'step.require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "parent death signal");\n  if (getppid()',
          "if (getppid()", "test_instances.Join"),
    plain("the name of who holds it", REGISTRY, " || place_of(instance.name) != place", "", "test_instances.Forged"),
    plain("the file of a name", REGISTRY, "if (number_of_file(lock.l_start) != number)", "if (false)", "test_instances.Forged"),
    plain("the caller's limit of open files", INIT, "  open_files.restore(step);\n", "", "test_command_line"),
    plain("the mode of the registry", REGISTRY, "if (status.st_mode & kOthers)", "if (false)", "test_instances.Forged"),
    plain("one sandbox for a name", REGISTRY, "if (errno == EAGAIN || errno == EACCES) return false;", "if (errno == EAGAIN || errno == EACCES) return true;",
          "test_instances.Names"),
    plain("the registry's home in the rules of the view", "src/plan/places.cc", "{places.home, places.home_canonical, host.home()}",
          "{places.home, places.home_canonical}", "test_instances.Names"),
    plain("control characters of a program that is listed", "src/cli/list.cc", "duration(seconds_of(instance)), escape_control(instance.program)",
          "duration(seconds_of(instance)), instance.program", "test_instances.Names"),
    plain("the supervisor's capabilities in a granted namespace", "src/launcher/supervisor.cc",
          "if (is_granted_) drop_capabilities(Step(-1, false));", "", "test_userns.Granted"),
    plain("no plan with namespaces in a granted namespace", "src/launcher/supervisor.cc",
          "if (is_granted_ && plan_.nested_sandbox)", "if (false)", "test_userns.Granted"),
    plain("the launcher's place is root's", "src/userns/main.cc", "status.st_uid == 0 &&", "", "test_userns.Places"),
    plain("the launcher's place is written by root alone", "src/userns/main.cc", "(S_IWGRP | S_IWOTH)", "0", "test_userns.Places"),
    plain("no portals in a granted namespace", "src/cli/grant.cc", "if (profile.flag(Key::desktop_portals))", "if (false)",
          "test_userns.Granted"),
    plain("the self-check", INIT, NO_SELF_CHECK.old, "", "test_launcher.SelfCheck"),
    unchecked("the bounding set", LOCKDOWN, "capability < cap_max_bits()", "capability < 0", "test_confinement.Processes"),
    unchecked("the capability sets", LOCKDOWN, "kept == 0 ? clear_capabilities() : capset(&header, sets) == 0", "true",
              "test_confinement.Processes"),
    unchecked("the securebits", LOCKDOWN, "cap_set_secbits(kSecurebits) == 0", "true", "test_confinement.Processes"),
    unchecked("Landlock", LOCKDOWN, "if (landlock.abi == 0) return;", "return;", "test_confinement.Sockets", "test_attack_kernel"),
    plain("Landlock's scopes", "src/plan/landlock.cc", "if (landlock.abi >= kFirstAbiWithScopes)", "if (false)",
          "test_confinement.Sockets", "test_attack_kernel"),
    plain("an answer to denied calls", "src/launcher/watch.cc", "  response.error = -errno_of(filters_, call.data);",
          "  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;", "test_log.Denials", "test_syscalls"),
    plain("an errno in answers to denied calls", "src/launcher/watch.cc", "response.error = -errno_of(filters_, call.data);",
          "response.error = 0;", "test_log.Denials", "test_syscalls"),
    plain("the errno of the filters in answers", "src/launcher/watch.cc", "response.error = -errno_of(filters_, call.data);",
          "response.error = 0;",
          "test_log.Denials"),
    plain("the limit of a log", "src/launcher/watch.cc", "records_.size() < kMostRecords && ", "", "test_log.Hostile"),
    plain("the limit of one call in a log", "src/launcher/watch.cc",
          "of_call < static_cast<ptrdiff_t>(kMostRecordsOfCall)", "true", "test_log.Hostile"),
    plain("the place of a helper's note", "src/launcher/watch.cc", " || note.place >= kMostNotes", "", "test_log_bus.Hostile"),
    plain("the size of a helper's note", "src/launcher/helper.cc", "return size == sizeof note ? HelperNews::told",
          "return size > 0 ? HelperNews::told", "test_log_bus.Hostile"),
    plain("how long a helper's last word may take", "src/launcher/supervisor.cc", "milliseconds_until(deadline)) <= 0) return;",
          "-1) <= 0) return;", "test_log_bus.Hostile"),
    plain("the end of the proxies' way to the log", "src/bus/main.cc", 'fcntl(ready, F_SETFD, FD_CLOEXEC) == 0', "true",
          "test_log_bus.Hostile"),
    plain("the limit of what a helper notes", "src/log/notebook.cc", "entries_.size() >= kMostNotes || ", "",
          "test_log_bus.Hostile", "unit"),
    plain("lines that no profile takes", "src/log/words.cc", "    check_value(row, {text, {\"log\", 0}});\n", "",
          "unit"),
    plain("the refusal of what is told", FIREWALL, "    if (log_) tell(wall);\n", "    if (log_) return tell(wall);\n",
          "test_log_network.Connections", "test_network"),
    plain("the end of pasta's way to the log", NETWORK, 'fcntl(ready, F_SETFD, FD_CLOEXEC) == 0', "true",
          "test_network.Helpers"),
    plain("the ENOSYS of calls that nobody answers", "src/launcher/watch.cc",
          "if (errno != ENOENT && errno != EINTR) listener_.reset();", "", "test_log.Hostile"),
    # Each of both is enough.
    Mutation("the mode of a log", [
        Edit("src/log/store.cc", "O_NOFOLLOW | O_CLOEXEC, 0600", "O_NOFOLLOW | O_CLOEXEC, 0644"),
        Edit("src/cli/run.cc", "mode_t callers_umask = change_umask(077);  // what", "mode_t callers_umask = change_umask(022);  // what"),
    ], ["test_log.Files"]),
    plain("no symlinks on the way to a log", "src/log/store.cc", "O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW",
          "O_RDONLY | O_DIRECTORY | O_CLOEXEC", "test_log.Files"),
    unchecked("the system call filters", INIT, "if (!plan.log) return load_filters(step, plan.filters);", "if (true) return;",
              "test_syscalls"),
    plain("the argument filter", "src/plan/seccomp.cc", "      if (rule->call == call) next", "      if (false) next",
          "test_syscalls", "unit"),
    plain("no device files", "src/plan/seccomp_arguments.cc", "  add_devices(rules);\n", "", "unit", "test_attack_files.Leftovers"),
    plain("the end of x32", "src/plan/seccomp.cc", 'if (architecture == "x86_64") kill_x32(program, places);', "",
          "unit"),
    plain("the end of foreign architectures", "src/plan/seccomp.cc",
          "Place start = program.answer(SCMP_ACT_KILL_PROCESS);", "Place start = program.answer(SCMP_ACT_ALLOW);",
          "test_syscalls", "unit"),
    *(group(name, "test_syscalls", "test_attack_kernel", "unit") for name in (
        "@namespace", "@debug", "@opaque", "@mount-query", "@other-memory", "@handle", "@watch", "@io-uring",
        "@userfault", "@keyring", "@bpf", "@perf", "@module", "@kexec", "@clock-set", "@reboot", "@swap", "@raw-io",
        "@privileged", "@obsolete", "@old-processor", "@socketcall")),
    # Each of the three is a second wall for the others.
    Mutation("the sweeps of descriptors", [
        Edit("src/cli/main.cc", "if (close_range(3, ~0U, 0) != 0)", "if (false)"),
        Edit("src/launcher/main.cc", "if (close_range(kLastDescriptor + 1, ~0U, 0) != 0)", "if (false)"),
        Edit(INIT, '  close_all_but(step, {step.socket(), confinement.probe.get(), -1, -1});\n  step.begin("self-check");\n',
             '  step.begin("self-check");\n'),
        NO_SELF_CHECK,
    ], ["test_stdio", "test_attack_processes"]),
    plain("the sweep of process 1's descriptors", INIT,
          "  close_all_but(step, {step.socket(), slave.get(), door.get(), lock});\n", "",
          "test_stdio", "test_attack_processes"),
    plain("the relay of files", "src/launcher/stdio.cc", "    stream.kind = StreamKind::pipe;\n", "    continue;\n",
          "test_stdio"),
    plain("process 1 that cannot be traced", INIT, "prctl(PR_SET_DUMPABLE, 0) == 0", "true", "test_confinement.Processes",
          "test_attack_processes"),
    # While the program runs, the end of the socket says the same as the signal.
    Mutation("the death with the supervisor", [
        Edit("src/launcher/identity.cc", "prctl(PR_SET_PDEATHSIG, SIGKILL) == 0", "true"),
        Edit(INIT, "    kill(-program, SIGKILL);\n    _exit(kFailure);\n", "    return;\n"),
    ], ["test_lifetime"]),
    *(plain(f"pasta without {name}", PRIVATE, old, new, "test_network.Host", "unit") for name, old, new in (
        ("--no-map-gw", '"--no-map-gw",', ""),
        ("none for what it does not lead out", '  if (merged.empty()) argv.insert(argv.end(), {option, "none"});\n', ""))),
    plain("no TCP Fast Open past the limit of ports", "src/plan/seccomp_arguments.cc", "if (policy.tcp_by_port)", "if (false)",
          "test_attack_network.Ports", "unit"),
    plain("no limit of ports without a filter", "src/plan/network.cc", 'profile.text(Key::seccomp_mode) == "none"', "false",
          "test_attack_network.Ports"),
    plain("no calls that hide their flags from a limit of ports", "src/plan/seccomp.cc",
          "if (policy.tcp_by_port) refuse_ways", "if (false) refuse_ways", "test_attack_network.Ports", "unit"),
    unchecked("the limit of ports", LOCKDOWN, "landlock.handled_ports, landlock.scoped}", "0, landlock.scoped}",
              "test_network.Ports"),
    plain("the rules of the network", FIREWALL, "  if (int error = commit(socket_.get(), batch)) return error;\n  return check(count);\n",
          "  return 0;\n", "test_network.Host", "test_network.Helpers"),
    # Without the rules themselves, the look at what the kernel has refuses.
    plain("the drop of the network's chains", FIREWALL, "NFTA_CHAIN_POLICY, NF_DROP", "NFTA_CHAIN_POLICY, NF_ACCEPT",
          "test_network.Outward"),
    plain("the host's own addresses", FIREWALL, "    writer.destination_in(set_name(\"host\", is_six), is_six);\n    writer.reject(Wall::host);\n",
          "    writer.destination_in(set_name(\"host\", is_six), is_six);\n    writer.accept();\n", "test_network.Host"),
    plain("the host's later addresses", NETWORK, "if (polled[3].revents != 0) host.update();", "", "test_network.Host"),
    plain("the end with pasta", NETWORK, "if (polled[0].revents != 0 || polled[1].revents != 0) return;",
          "if (polled[0].revents != 0) return;", "test_network.Helpers"),
    # Without a queue itself, the look at what the kernel has refuses.
    *(plain(f"the limit of {name}, which is looked for", BANDWIDTH, old, "", "test_bandwidth.Rates", "test_bandwidth.Queues") for name, old in (
        ("what goes out", '    if (int error = add_queue(socket, interface, limits_.up, out_queue_of(limits_))) return {"tbf", error, true};\n'),
        ("what comes in", '    if (int error = add_redirection(socket, interface, device)) return {"u32 and mirred", error, true};\n'))),
    *(Mutation(f"the limit of {name}", [Edit(BANDWIDTH, old, new), Edit(BANDWIDTH, "  return check();\n", "  return {};\n"),
                                        Edit(NETWORK, " && !bandwidth.still_holds()", " && false")],
               ["test_bandwidth.Rates"]) for name, old, new in (
        ("what goes out", "add_queue(socket, interface, limits_.up, out", "add_queue(socket, interface, 8 * limits_.up, out"),
        ("what comes in", "add_queue(socket, device, limits_.down, in", "add_queue(socket, device, 8 * limits_.down, in"),
        ("all that comes in", "  all[offsetof(tc_u32_sel, flags)] = TC_U32_TERMINAL;\n", ""))),
    plain("the look at limits at the start", BANDWIDTH, "  return check();\n", "  return {};\n", "test_bandwidth.Refused"),
    plain("the look at limits while the program runs", BANDWIDTH, " == interface_ && !check();", " == interface_;", "test_bandwidth.Queues"),
    plain("the look at interfaces while the program runs", BANDWIDTH, "return outward_interface(socket_.get()) == interface_ && !check();",
          "return !check();", "test_bandwidth.Queues"),
    plain("the look at limits that change", NETWORK, "    if (polled[5].revents != 0 && !bandwidth.still_holds()) return;\n", "",
          "test_bandwidth.Queues"),
    plain("no way by the device of what comes in", NETWORK, 'disable_ipv6", "1")', 'disable_ipv6", "0")',
          "test_bandwidth.Queues"),
    plain("the capabilities of the network's helper", NETWORK, "  keep_only_network_admin(step);\n", "",
          "test_network.Helpers"),
    unchecked("read-only mounts", MOUNTS, "if (!node.writable) attributes |= MOUNT_ATTR_RDONLY;", "", "test_files.Grants"),
    unchecked("noexec", MOUNTS, "if (!node.executable) attributes |= MOUNT_ATTR_NOEXEC;", "", "test_files",
              "test_attack_kernel"),
    unchecked("nosuid", MOUNTS, "uint64_t attributes = MOUNT_ATTR_NOSUID;", "uint64_t attributes = 0;",
              "test_confinement.Proc"),
    unchecked("nodev", MOUNTS, "if (!node.device) attributes |= MOUNT_ATTR_NODEV;", "", "test_confinement.Proc",
              "test_attack_kernel"),
    plain("the check of devices", MOUNTS, "if (node.device && !is_expected_device(node.target, status)) {", "if (false) {",
          "test_attack_processes.Proc"),
    plain("links below a source", MOUNTS, "O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);", "O_PATH, 0);",
          "test_launcher"),
    unchecked("the read-only root", TREE, '  set_read_only(root_, "the root");\n', "", "test_files", "test_confinement"),
    unchecked("letting go of the host's tree", "src/launcher/root.cc", 'step.require(umount2(".", MNT_DETACH) == 0',
              "step.require(true", "test_confinement"),
    plain("no further user namespaces", INIT, "close_user_namespaces(step, plan, prepared);", "", "test_confinement",
          "test_attack_kernel", "test_attack_processes"),
    plain("no wait in a write for others", "src/launcher/relay.cc", "is_shared ? RWF_NOWAIT : 0", "0", "test_stdio.Relay"),
    plain("no memory given back where the filter kills for it", "src/launcher/init.cc", "bool gives_back = may_give_back_memory(plan);",
          "bool gives_back = true;", "test_lifetime.Lifetime"),
    plain("the supervisor's code goes from memory", "src/launcher/supervisor.cc", "  forget_code();\n", "", "test_lifetime.Lifetime"),
    plain("process 1's code goes from memory", "src/launcher/init.cc", "      forget_code();\n", "", "test_lifetime.Lifetime"),
    plain("files of the host are followed", "src/launcher/supervisor.cc", "if (has_come(settled_)) settle();", "", "test_resolver"),
    plain("the limit of time", "src/launcher/supervisor.cc", "if (has_come(end_)) end_the_time();", "", "test_limits"),
    plain("the grace for readers beyond it", "src/launcher/supervisor.cc", "if (has_come(grace_)) gives_up_ = true;", "", "test_limits"),
    plain("the clock of a program that stops", "src/launcher/supervisor.cc", "if (end_ && !continue_at(*end_))", "if (false)", "test_limits"),
    plain("the end of a run that has stopped", "src/cli/ephemeral.cc", "  continue_at_end(waiting, run);\n", "", "test_ephemeral.Runs"),
    plain("no second stop when the time is over", "src/launcher/supervisor.cc", "  if (status_ || has_come(end_)) return;\n", "", "test_limits"),
    plain("the escapes of names in failures", "src/launcher/supervisor.cc", "text = escape_control(what)", "text = what",
          "test_attack_processes.Terminals"),
    plain("the limit of tasks", "src/plan/limits.cc", 'limit(in, plan, Key::limits_tasks,', 'if (false) limit(in, plan, Key::limits_tasks,',
          "test_limits"),
    plain("the priority at the disk for good", "src/plan/seccomp.cc", 'policy.deny.push_back("ioprio_set")', "(void)0", "test_limits"),
    plain("the limits", INIT, "  set_limits(step, plan);\n", "", "test_files.Sizes", "test_confinement.Processes"),
    plain("the umask of the tree", INIT, "set_umask(0, callers_umask)", "set_umask(077, callers_umask)",
          "test_hostile", "test_files"),
    plain("the launcher's empty environment", "src/cli/run.cc", "char* environment[] = {nullptr};",
          "char** environment = environ;", "test_launcher"),
    plain("the owner of the plan", "src/launcher/main.cc", "if (plan.uid != getuid() || plan.gid != getgid())",
          "if (false)", "test_launcher"),
    plain("the claim of the name", "src/launcher/main.cc", "if (plan.listed != claim.ok())", "if (false)", "test_launcher.Plans"),
    plain("the seals of the plan", "src/launcher/main.cc", "if (seals < 0 || (seals & kSeals) != kSeals) return false;", "", "test_launcher"),
    plain("no set-id sbox", "src/cli/main.cc",
          "if (getauxval(AT_SECURE) != 0 || geteuid() != getuid() || getegid() != getgid()) {", "if (false) {",
          "test_hostile"),
    plain("the pins of ancestors", PLAN_TREE, "between = pins(node, *around);", "{}", "test_files.Grants"),
    plain("sockets of the host below what is granted", "src/plan/real_host.cc", "1U << TCP_LISTEN | 1U << TCP_CLOSE", "1U << TCP_CLOSE",
          "test_files.Grants", "unit"),
    plain("the same where the kernel lists them all", "src/plan/sockets.cc", "if (!names) names = listed_sockets(in.host);",
          "if (!names) return;", "test_files.Grants", "unit"),
    Mutation("what could be made later", [
        Edit(PLAN_TREE, "    if (around->writable && !is_of_overlay()) throw could_be_made(entry, *around);\n    // Who", "    // Who"),
        Edit(PLAN_TREE, "if (is_written && kind == FileKind::missing) throw could_appear(entry, *around);", ""),
    ], ["test_files.Grants"]),
    unchecked("the overlay", MOUNTS, "return open_in_overlay(step, copy.get(), overlay, path);",
              "return open_canonical(step, path);", "test_overlay.Isolation"),
    plain("the lock of an overlay", "src/overlay/directory.cc", "if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;", "return lock;",
          "test_overlay.Isolation"),
    plain("links on the way to what is taken over", "src/overlay/files.cc", "flags, kBeneath);", "flags, 0);",
          "test_overlay.Hostile"),
    plain("set-id bits of what is taken over", "src/overlay/files.h", "return mode & 0777;", "return mode & 07777;",
          "test_overlay.Hostile"),
    plain("sbox's own in an overlay", "src/overlay/scan.cc", "if (is_at_or_below_any(change.path, layers_.own))", "if (false)",
          "test_overlay.Hostile"),
    plain("what changed on the host", "src/overlay/commit.cc", "change.is_conflict && !force_", "false", "test_overlay.Taking"),
    plain("a restore that was cut short", "src/overlay/snapshot.cc", "  finish_restore(directory);\n  if", "  if",
          "test_overlay_snapshots.Crash"),
    plain("what an overlay was before a restore", "src/overlay/snapshot.cc", "move(restoring, kBefore, snapshots.get(), kBeforeRestore);",
          "", "test_overlay_snapshots.Snapshots"),
    plain("devices in a snapshot", "src/overlay/copy.cc", "if (!is_whiteout(status)) throw", "if (false) throw",
          "test_overlay_snapshots.Hostile"),
    plain("opaque directories in a snapshot", "src/overlay/copy.cc", "if (is_opaque(from)) require", "if (false) require",
          "test_overlay_snapshots.Snapshots"),
    plain("foreign marks in a snapshot", "src/overlay/files.cc",
          'bool is_user = name.starts_with("user.") && !name.starts_with(kOverlayPrefix);', 'bool is_user = name.starts_with("user.");',
          "test_overlay_snapshots.Hostile"),
    plain("a layer that was set back since it was looked at", "src/overlay/store.cc", "  settle(directory());\n  if (!load())", "  if (false)",
          "unit"),
    plain("an empty home in a throw-away run", "src/plan/home.cc",
          'bool begins_empty = mode == "empty" || mode == "private";', "bool begins_empty = false;", "test_ephemeral.Runs"),
    plain("what a throw-away run never saw", "src/overlay/scan.cc", "|| layers_.blank) return;", ") return;", "test_ephemeral.Runs"),
    plain("who ends a throw-away run that nobody waits for", "src/cli/ephemeral.cc", "  remove_stale_throw_aways(context.host, places);\n  } catch (const Error&) {\n    _exit(kExitFailure);\n  }\n  _exit(0);\n}\n\npid_t", "  } catch (const Error&) {\n    _exit(kExitFailure);\n  }\n  _exit(0);\n}\n\npid_t",
          "test_ephemeral.Killed"),
    plain("files that changed after they were offered", "src/cli/recover.cc",
          "now.status.st_ino == offered.status.st_ino &&\n         is_same_time(now.status.st_ctim, offered.status.st_ctim);", "true;",
          "test_recover.Overlay"),
    plain("files of the host when others are recovered", "src/cli/recover.cc", "with_directories(changes, files), false);",
          "with_directories(changes, files), true);", "test_recover.Overlay", "test_recover.ThrowAway"),
    plain("escapes in notifications", "src/cli/notify.cc", 'c == \'\\\\\' ? "\\\\\\\\" : std::string(1, c);', "std::string(1, c);",
          "test_recover.Overlay"),
    plain("leftovers of throw-away runs", "src/cli/run.cc", "  clean_up_throw_aways(context, places);\n", "", "test_ephemeral.Killed"),
    plain("the owner of a throw-away run", "src/overlay/throw_away.cc", "bool is_ours = owner && flock(owner.get(), LOCK_EX | LOCK_NB) == 0 &&",
          "bool is_ours = owner &&", "test_ephemeral.Runs"),
    plain("one mask of /proc", SYSTEM, '"interrupts",    "iomem",        "ioports", ', '', "test_confinement.Proc"),
    plain("a read-only /proc/sys", SYSTEM, "sysctl.writable = false;", "sysctl.writable = true;", "test_confinement.Proc"),
    plain("the environment's allow-list", "src/plan/environment.cc", '    "COLORFGBG",\n', '    "*",\n',
          "test_confinement.Environment"),
    plain("sbox's own directories", VIEW, "  protect_policy(entries);\n", "", "test_files.Grants"),
    plain("explicit grants of sbox's directories", VIEW,
          "if (is_at_or_below(path, policy) && grant.access != Access::hide) {", "if (false) {", "test_command_line"),
    plain("links that a sandbox could replace", VIEW, "if (is_visible && around->node.writable) {", "if (false) {",
          "test_files.Homes"),
    plain("links of other users", VIEW, "if (link.uid != 0 && link.uid != host_.uid())", "if (false)",
          "test_attack_files", "unit"),
    plain("the quotation of command lines in desktop entries", "src/desktop/exec.cc",
          "if (!word.empty() && word.find_first_of(kReserved) == std::string::npos) return word;",
          "if (!word.empty()) return word;", "test_enable.Launchers"),
    plain("desktop entries through links", "src/desktop/store.cc", "kBelow = kDirectory | O_NOFOLLOW", "kBelow = kDirectory",
          "test_enable.Files"),
    plain("shims in the search of PATH", "src/plan/program.cc", "is_shim(in.host, found.path)", "false", "test_enable.Shims"),
    plain("profiles that others could write", "src/profile/trusted_file.cc",
          "if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return;", "return;", "test_command_line.Refusals"),
    plain("profiles of other users", "src/profile/trusted_file.cc",
          "if (status.st_uid == 0 || status.st_uid == getuid()) return;", "return;", "unit", "test_attack_starts"),
    plain("the version of the proxy", "src/cli/run.cc", "  require_sound_proxy(context, places, plan);\n", "",
          "test_attack_starts.Libraries"),
    plain("the package of another proxy", "src/cli/bus_proxy.cc", "*path == kDBusProxy ? ", "true ? ",
          "test_attack_starts.Libraries"),
    plain("the proxy that was found sound", "src/cli/bus_proxy.cc", "kRemembered, kLargest) == identity;",
          "kRemembered, kLargest).has_value();", "test_attack_starts.Libraries"),
    plain("the filter of the bus", "src/plan/dbus.cc", '    helper.argv.push_back("--filter");\n', "", "test_faults.Helpers"),
    plain("the rules of the accessibility bus", "src/plan/dbus.cc",
          "Rules rules(std::begin(kAccessibilityRules), std::end(kAccessibilityRules));",
          'Rules rules{"--talk=org.a11y.atspi.Registry"};', "test_words.OtherBuses"),
    plain("the commands of sound", "src/sound/protocol.cc", "if (row == std::end(kAllowed)) return Verdict::refuse;",
          "if (row == std::end(kAllowed)) row = kAllowed;", "test_words.Sound"),
    plain("the properties of sound", "src/sound/protocol.cc", "== std::end(kHarmless)) continue;", "== std::end(kHarmless)) {}",
          "test_words.Sound"),
    plain("the restricted socket of gpg-agent", "src/plan/agents.cc", '"S.gpg-agent.extra"', '"S.gpg-agent"', "test_words.Agents"),
    plain("one cookie only", "src/plan/display.cc", "return find_cookie(*entries, in.host.hostname(), number);",
          "return entries->back();", "test_faults.Cookie"),
    plain("the own network", "src/plan/network.cc", 'plan.own_network = mode.text != "host";', "plan.own_network = false;",
          "test_confinement"),
    # The helper's own check would refuse the start.
    Mutation("the capabilities of helpers", [
        Edit("src/launcher/helper.cc", "  drop_capabilities(step, capabilities_of(helper));\n", ""),
        Edit("src/launcher/helper.cc", "  check(step, helper, root.mount_id);\n", ""),
    ], ["test_nested_x11"]),
    Mutation("the filter of helpers", [
        Edit("src/launcher/helper.cc", "  load_filters(step, helper.filters);\n", ""),
        Edit("src/launcher/helper.cc", "  check(step, helper, root.mount_id);\n", ""),
    ], ["test_nested_x11"]),
    plain("the identity for portals", "src/plan/dbus.cc", "view.place(identity_for_portals(in));", "{}", "test_portals"),
    plain("the security context", "src/plan/display.cc", "if (*confines) {", "if (false) {", "unit"),
    plain("the nested server", "src/plan/display.cc", 'x11.text == "nested" && place_nested_x11(in, draft)',
          'x11.text == "nested" && place_x11(in, draft)', "test_nested_x11", "unit"),
    plain("the secrets that are hidden while sbox learns", LEARN, 'words.push_back("files.hide+=" + secret);', "continue;",
          "test_learn.Files"),
    plain("the secrets that are never proposed", PROPOSAL_FILES, "if (!is_at_or_below(name, secret)) continue;", "continue;",
          "unit"),
    plain("what is dangerous to give is not proposed", PROPOSAL_FILES, "return std::string(danger_of_path(value, want.writes));",
          'return "";', "unit"),
    plain("directories that secrets are below are not proposed", PROPOSAL_FILES, "return is_below(secret, value); });",
          "return false; });", "unit"),
    plain("settings that give more than a denied call", "src/cli/proposal_things.cc", "element->key != Key::seccomp_allow || ", "",
          "unit"),
    plain("blocks that are not backed by evidence", PROPOSAL, "if (!is_backed || fresh < 2) continue;", "if (fresh < 2) continue;",
          "unit"),
    plain("values that a profile cannot hold", PROPOSAL, "    check_value(setting(key), {value, {\"evidence\", 0}});\n", "", "unit"),
    plain("changed files below a directory that is only read", PROPOSAL_FILES, "(above->second.writes || !entry.second.writes)", "true", "unit"),
    plain("escapes in proposals", "src/cli/proposal_text.cc", "return escape_control(text);", "return text;", "unit"),
    plain("the end of the overlay in which was learned", WATCH, "      store->discard();\n    } catch", "    } catch", "test_learn.Isolation"),
    plain("overlays of others where sbox learns", WATCH, "if (!is_ours) {", "if (false) {", "test_learn.Isolation"),
    plain("the end of the program with who learns", WATCH, "  prctl(PR_SET_PDEATHSIG, SIGKILL);\n", "", "test_learn.Isolation"),
    plain("a trace that is no file", WATCH, "open_regular(store->upper(), kTraceName)",
          "UniqueFd(openat(store->upper(), kTraceName, O_RDONLY | O_NONBLOCK))", "test_learn.Isolation"),
    plain("answers to other questions", "src/learn/evidence.cc", "network::parse_reply(*reply, *query)",
          "network::parse_reply(*reply, *reply)", "unit"),
    plain("the end of the rules of a network", "src/network/rules.cc", "return false;\n  }\n  return false;\n}\n\n}  // namespace",
          "return false;\n  }\n  return true;\n}\n\n}  // namespace", "unit"),
    plain("files of the tree are as long as planned", "src/launcher/mounts.cc", "status.st_size) != content.size()", "status.st_size) > content.size()",
          "test_faults.Lies"),
    plain("no word is none of the supervisor's", "src/launcher/step.h", "go = 1,", "go,", "test_faults.Lies"),
    plain("a process that was never made", "src/launcher/helper.cc", "between == 0 && getpid() == caller", "false", "test_faults.Lies"),
    plain("the number of another descriptor for that of signals", "src/launcher/supervisor.cc",
          "return read(signals_.get(), nullptr, 0) < 0 && errno == EINVAL;", "return signals_.ok();", "test_faults.Lies"),
    plain("an overlay with attributes of another kind", "src/launcher/self_check.cc", 'has_option(seen->options, "userxattr")', "true",
          "test_faults.Lies"),
    # Names are quoted besides.
    Mutation("escapes in messages", [
        Edit("src/base/error.cc", "return escape_control(text);", "return text;"),
        Edit("src/base/strings.cc", 'return "\'" + escape_control(bytes) + "\'";',
             'return "\'" + std::string(bytes) + "\'";'),
    ], ["test_command_line.Refusals"]),
]
