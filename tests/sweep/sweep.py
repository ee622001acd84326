#!/usr/bin/python3
"""Every system call of a start fails once, and once only seems to succeed: does the program ever run with less than its
plan?

A run without any fault is recorded first. Then there is one run for each call of each process (front end and
supervisor, init, helpers, program before its exec, who joins) and each kind of fault: an error; the result that the call had
without its effect; zero. What runs inside reports what it can tell of its confinement, and that is compared with the
run without fault:

  refused   the program did not run
  same      it ran, confined as always
  narrower  it ran with less to see or use than always
  open      it ran with a part of its confinement missing
  hang      it was not over in time
  residue   something of it is left
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import errno
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from common import Clock, Worker, evenly, processors, say, share_out, tally

from account import SBOX, Result  # noqa: E402
from attack_stage import own_addresses  # noqa: E402
from desktop import session_bus  # noqa: E402
from harness import probe  # noqa: E402
from residue import files_of, tree  # noqa: E402

OVER_AFTER_SECONDS = 25
TIMEOUT = 2 * OVER_AFTER_SECONDS
# Not ENOENT: that something does not exist is an answer, and a plan may depend on it.
ERRORS = ("EPERM", "ENOMEM", "EIO", "EINVAL")
# They do not return, or make no sense but where the kernel puts them.
NOT_CALLS = ("exit", "exit_group", "rt_sigreturn", "restart_syscall")
VERDICTS = ("refused", "same", "narrower", "open", "hang", "residue")
BAD = ("open", "hang", "residue")
MOST_MISSED = 0.05
KINDS = ("error", "faked", "zero")


class Fault(NamedTuple):
    profile: str
    role: str
    call: str
    number: int
    occurrence: int
    kind: str
    value: int

    def __str__(self) -> str:
        value = errno.errorcode[-self.value] if self.value < 0 else self.value
        return f"{self.profile}: {self.role} {self.call}#{self.occurrence} -> {value}"


class Verdict(NamedTuple):
    word: str
    detail: str = ""
    is_silent: bool = False


def numbers_of_calls() -> dict[int, str]:
    compiler = os.environ.get("CC", "cc")
    argv = [compiler, "-E", "-dM", "-include", "sys/syscall.h", "-"]
    done = subprocess.run(argv, input="", text=True, check=True, capture_output=True)
    return {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)$", done.stdout, re.MULTILINE)}


# --- what is run -----------------------------------------------------------------------------------------------------


def sbox(worker: Worker, *options: str) -> list[str]:
    grants = ["-s", f"files.read-only+={pathlib.Path(worker.probe).parent}", "-s", f"files.read-write+={worker.marker}"]
    return [str(SBOX), *options, *grants, "--", worker.probe, f"{worker.marker}/ran"]


def default(worker: Worker) -> list[str]:
    return sbox(worker)


def firefox(worker: Worker) -> list[str]:
    return sbox(worker, "-p", "firefox", "-s", "profile.optional+=display")


def agent(worker: Worker) -> list[str]:
    """A project with a hidden and a read-only part, no network, and a filtered session bus."""
    masks = ["-s", f"files.hide+={worker.project}/secret", "-s", f"files.read-only+={worker.project}/kept"]
    bus = ["-s", "dbus.session=filtered", "-s", "dbus.talk+=org.freedesktop.Notifications"]
    return sbox(worker, "-p", "agent", "-s", "network.mode=none", *masks, *bus)


def terminal(worker: Worker) -> list[str]:
    """The default on a terminal: a pty inside, and the process that guards the caller's modes."""
    return sbox(worker)


def ephemeral(worker: Worker) -> list[str]:
    """The default in an overlay that is thrown away, by a front end that stays."""
    return sbox(worker, "--ephemeral")


def network(worker: Worker) -> list[str]:
    """A private network, which reaches nothing of the host, and carries no more than it may."""
    address, port = worker.state["server"]
    rules = ["-s", "network.mode=private", "-s", "network.connect=198.51.100.1", "-s", "network.bandwidth=2M down, 500K up"]
    return [*sbox(worker, *rules), address, str(port)]


def overlay(worker: Worker) -> list[str]:
    """A home that is copied on write, and somebody who will offer files of it."""
    return sbox(worker, "-s", "home.mode=overlay", "-s", "home.recover=~/project")


# The calls of the shell are nobody's set-up, and the one who ends the first sandbox comes after all.
JOIN_ROLES = ("0.0.0", "0.1")
JOIN = """
exec 3<>"$1"
{ %s; echo gone >&3; } &
read -r first <&3
%s
status=$?
%s 2>/dev/null
wait
exit $status
"""


def join(worker: Worker) -> list[str]:
    """Who joins a running sandbox, whose own start may fail as well."""
    started = worker.marker / "started"  # not by its output, which is sbox's to pass on
    if not started.exists():
        os.mkfifo(started)
        worker.account.own(started)
    name = worker.account.base.name
    options, program = sbox(worker, "--name", name)[:-2], [worker.probe, f"{worker.marker}/ran"]
    first = [*options, "sh", "-c", f"echo up >{started} && exec sleep 15"]
    others = [[str(SBOX), "join", name, "--", *program], [str(SBOX), "stop", name]]
    return ["sh", "-c", JOIN % tuple(shlex.join(argv) for argv in (first, *others)), "sh", str(started)]


def bwrap(worker: Worker) -> list[str]:
    """The rival, with all that it offers without a program for seccomp."""
    home, probes = str(worker.account.home), str(pathlib.Path(worker.probe).parent)
    argv = ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    argv += ["--cap-drop", "ALL", "--clearenv", "--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"]
    argv += ["--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    argv += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", home]
    argv += ["--ro-bind", probes, probes, "--bind", str(worker.marker), str(worker.marker), "--chdir", home]
    return [*argv, worker.probe, f"{worker.marker}/ran"]


PROFILES: dict[str, Callable[[Worker], list[str]]] = {"default": default, "firefox": firefox, "agent": agent}
PROFILES |= {"terminal": terminal, "ephemeral": ephemeral, "overlay": overlay, "network": network}
PROFILES |= {"join": join, "bwrap": bwrap}


class Run(NamedTuple):
    """What one run of the tracer told."""

    report: list[list[str]]
    out: str
    err: str
    seen: str

    def field(self, name: str) -> str:
        return next((" ".join(words[1:]) for words in self.report if words[0] == name), "")


def run_on_terminal(worker: Worker, argv: list[str]) -> Result:
    """The same as Account.run, but on a new terminal, whose modes must be as before at the end."""
    leader, follower = os.openpty()
    if os.getuid() == 0:
        os.fchown(follower, worker.account.uid, -1)
    before, said = termios.tcgetattr(leader), bytearray()
    child = worker.account.start(
        ["setsid", "--ctty", "--wait", *argv], worker.environment, stdin=follower, stdout=follower, stderr=follower,
        cwd=str(worker.project), umask=0o022,
    )  # fmt: skip

    def read() -> None:
        with contextlib.suppress(OSError):  # EIO: nobody has it open any more
            while part := os.read(leader, 65536):
                said.extend(part)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        status = child.wait(TIMEOUT)
        is_as_before = termios.tcgetattr(leader) == before
    finally:
        worker.account.end(child)
        os.close(follower)
        reader.join()
        os.close(leader)
    worker.state["terminal"] = is_as_before
    return Result(status, b"", bytes(said).replace(b"\r\n", b"\n"))


def run_traced(worker: Worker, command: list[str], *what: str, on_terminal: bool = False) -> Run:
    """`what` is that of tests/cases/inject.c."""
    report, marker = worker.reports / "report", worker.marker / "ran"
    for path in (report, marker):
        path.unlink(missing_ok=True)
    # A private home is made anew each time.
    shutil.rmtree(worker.account.home / ".local", ignore_errors=True)
    argv = [probe("inject"), str(report), str(OVER_AFTER_SECONDS), *what, "--", *command]
    if on_terminal:
        result = run_on_terminal(worker, argv)
    else:
        result = worker.account.run(argv, worker.environment, timeout=TIMEOUT, cwd=str(worker.project), umask=0o022)
    if not report.exists() or result.status != 0:
        raise RuntimeError(f"{what}: {result}")
    lines = [line.split() for line in report.read_text().splitlines()]
    seen = marker.read_text() if marker.exists() else ""
    marker.unlink(missing_ok=True)
    return Run(lines, result.out, result.err, seen or result.out)


# --- what was seen inside --------------------------------------------------------------------------------------------

STATUS = ("Umask", "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
STATUS += ("Seccomp_filters",)
EQUAL = ("uid_map", "gid_map", "setgroups", "hostname", "user_namespaces", "securebits", "session", "truncate")
EQUAL += ("layers",)


class View(NamedTuple):
    """A report of the probe without what differs by nature."""

    facts: dict[str, Any]
    mounts: dict[str, tuple[str, frozenset[str]]]  # by target: what is mounted, and its flags
    paths: dict[str, tuple[str, int]]  # mode, and what may be done there
    limits: dict[str, tuple[float, ...]]
    environment: frozenset[str]
    directory: str
    interfaces: dict[str, int]  # by name: whether it is up
    held: dict[str, int]  # by interface: bytes in a second


def view(worker: Worker, text: str) -> View:
    told = json.loads(worker.normal(text))
    fields = dict(re.findall(r"^(\w+):\t(.*)$", told["status"], re.MULTILINE))
    facts = {name: fields.get(name) for name in STATUS} | {name: told[name] for name in EQUAL}
    # A pipe to the supervisor, the sandbox's own null device and its own first terminal are of one kind.
    own = re.compile(r"pipe:\[\d+\]|/dev/null|/dev/pts/0( \(deleted\))?")
    facts["reached"] = told.get("reached")
    facts["descriptors"] = {number: bool(own.fullmatch(target)) for number, target in told["descriptors"].items()}
    for kind, name in told["namespaces"].items():
        host = "pid" if kind == "pid_for_children" else "time" if kind == "time_for_children" else kind
        facts[f"namespace {kind}"] = "the host's" if name == os.readlink(f"/proc/self/ns/{host}") else "own"
    mounts = {}
    for line in told["mounts"].splitlines():
        before, after = line.split(" - ")
        _, _, _, root, target, flags = before.split()[:6]
        kind, _, options = after.split()[:3]
        # A later line for the same target lies above.
        root = re.sub(r"^/follow-\d+", "/follow", root)
        options = re.sub(r"/proc/self/fd/\d+", "/proc/self/fd/N", options)
        mounts[target] = (f"{kind} {root} {options}", frozenset(flags.split(",")) & {"ro", "nosuid", "nodev", "noexec"})
    paths = {}
    for line in told["tree"]:
        mode, rights, path = line.split(" ", 2)
        # Terminals and processes come and go.
        if not re.match(r"/dev/pts/\d", path):
            paths[path] = (mode, int(rights))
    rows = re.findall(r"^(Max [a-z ]+?) {2,}(\w+) +(\w+)", told["limits"], re.MULTILINE)
    limits = {name: tuple(float("inf" if word == "unlimited" else word) for word in words) for name, *words in rows}
    environment, held = frozenset(told["environment"]), told.get("held", {})
    return View(facts, mounts, paths, limits, environment, told["directory"], told["interfaces"], held)


def mount_above(mounts: dict[str, Any], path: str) -> str:
    while path not in mounts and path != "/":
        path = os.path.dirname(path)
    return path


def compare(usual: View, seen: View) -> Verdict:
    """A verdict on confinement: less to see is no weakness, more is."""
    changed = [name for name, value in usual.facts.items() if seen.facts.get(name) != value]
    # Where no log can be kept, the filters of the plan stand for the one that tells of what it denies.
    if (usual.facts["Seccomp_filters"], seen.facts.get("Seccomp_filters")) == ("1", "2"):
        changed.remove("Seccomp_filters")
    more = [f"{name} is {seen.facts.get(name)!r}, not {usual.facts[name]!r}" for name in changed]
    names = {variable.split("=")[0] for variable in usual.environment}
    more += [f"variable {variable}" for variable in seen.environment if variable.split("=")[0] not in names]
    for name, values in usual.limits.items():
        if any(now > before for now, before in zip(seen.limits.get(name, values), values)):
            more.append(f"{name} is {seen.limits[name]}, not {values}")
    more += [f"interface {name}" for name, up in seen.interfaces.items() if up > usual.interfaces.get(name, -1)]
    for name, rate in usual.held.items():
        if name in seen.interfaces and seen.held.get(name) != rate:
            more.append(f"{name} is held to {seen.held.get(name)}, not {rate}")
    for path, (mode, rights) in seen.paths.items():
        usual_mode, usual_rights = usual.paths.get(path, ("none", 0))
        was_link = usual_mode.startswith("120")
        if (mode != usual_mode and not was_link) or rights & ~usual_rights:
            more.append(f"path {path} is {mode} {rights}, not {usual_mode} {usual_rights}")
    for target, (source, flags) in usual.mounts.items():
        above = mount_above(seen.mounts, target)
        if target not in seen.paths and target not in seen.mounts and not target.startswith("/proc/"):
            continue
        seen_source, seen_flags = seen.mounts.get(above, ("none", frozenset()))
        if above == target and seen_source != source:
            more.append(f"mount {target} is {seen_source}, not {source}")
        if flags - seen_flags:
            more.append(f"mount {target} lacks {sorted(flags - seen_flags)}")
    more += [f"mount {target}" for target in seen.mounts.keys() - usual.mounts.keys()]
    if more:
        return Verdict("open", "; ".join(more[:4]))
    if usual == seen:
        return Verdict("same")
    less = sorted(usual.paths.keys() - seen.paths.keys()) or sorted(usual.mounts.keys() - seen.mounts.keys())
    less = less or sorted(usual.environment - seen.environment) or [seen.directory, str(seen.interfaces)]
    return Verdict("narrower", ", ".join(less[:3]))


# --- one fault -------------------------------------------------------------------------------------------------------


def prepare(worker: Worker, profile: str) -> None:
    """The run without fault, twice: what the second one sees and leaves is the measure."""
    command = PROFILES[profile](worker)
    for attempt in range(2):
        done = run_traced(worker, command, "0", "-1", "1", "0", on_terminal=profile == "terminal")
        if done.field("status") != "0" or not done.seen:
            raise RuntimeError(f"{profile} does not start: {done}")
        if attempt == 1:
            worker.state["usual"] = view(worker, done.seen)
            worker.state["files"] = files(worker)


def files(worker: Worker) -> dict[str, object]:
    """What a run may not change. The private homes are made by the first start of a profile."""
    homes = str(worker.account.home / ".local")
    found = files_of(worker.account)
    home = [line for line in tree(worker.account.home) if not line.startswith(homes)]
    # Other workers make and remove their own.
    return found | {"home": home, "tmp": [], "run": []}


def judge(worker: Worker, fault: Fault) -> Verdict | None:
    """None when the call was not made this time."""
    what = (fault.role, str(fault.number), str(fault.occurrence), str(fault.value))
    for _ in range(3):
        done = run_traced(worker, PROFILES[fault.profile](worker), *what, on_terminal=fault.profile == "terminal")
        if done.field("injected") == "1":
            break
    else:
        return None
    if hang := done.field("hang"):
        return Verdict("hang", hang)
    if done.field("left") != "0":
        return Verdict("residue", f"{done.field('left')} processes")
    after = files(worker)
    if after != worker.state["files"]:
        changed = [name for name, value in after.items() if value != worker.state["files"][name]]
        worker.state["files"] = after
        return Verdict("residue", f"changed: {changed}")
    if fault.profile == "terminal" and not worker.state["terminal"]:
        return Verdict("residue", "the terminal has other modes than before")
    if not done.seen:
        if done.field("status") == "0":
            return Verdict("open", "it did not run, and the status says that it did")
        is_one_line = re.fullmatch(r"[^\n]+\n", done.err) is not None
        return Verdict("refused", f"status {done.field('status')}: {done.err.strip()}", not is_one_line)
    if done.field("status") == "125" and done.seen == done.out and not done.out.startswith("{"):
        return Verdict("refused", f"status 125: {done.err.strip()}, and said {done.out!r}", True)  # not by the program
    try:
        seen = view(worker, done.seen)
    except ValueError as error:
        return Verdict("open", f"no report but {done.seen[:200]!r}: {error}")
    if fault.profile == "bwrap" and seen.facts["Uid"] is None:
        return Verdict("narrower", "no /proc, so the rest cannot be told: counted in the rival's favour")
    return compare(worker.state["usual"], seen)


def recorded(worker: Worker, profile: str, names: dict[int, str]) -> list[Fault]:
    """All faults of a profile."""
    run = run_traced(worker, PROFILES[profile](worker), "record", on_terminal=profile == "terminal")
    counts: dict[tuple[str, int], int] = collections.Counter()
    faults = []
    for words in run.report:
        if not re.fullmatch(r"0(\.\d+)*", words[0]):
            continue
        role, number, result = words[0], int(words[1]), int(words[2])
        counts[role, number] += 1
        call, occurrence = names.get(number, str(number)), counts[role, number]
        if call in NOT_CALLS or (profile == "join" and not role.startswith(JOIN_ROLES)):
            continue
        error = -getattr(errno, ERRORS[len(faults) // 3 % len(ERRORS)])
        values = {"error": error, "faked": max(result, 0), "zero": 0}
        if result <= 0:
            del values["zero"]
        if profile in ("ephemeral", "overlay") and call == "getdents64":
            # Over entries that the kernel never wrote libc's readdir(3) turns for ever; what looks after a run has no
            # deadline, for a large one takes long.
            values = {"error": error}
        faults += [Fault(profile, role, call, number, occurrence, kind, value) for kind, value in values.items()]
    return faults


def outward_address() -> str:
    return next((each for each in own_addresses() if "." in each and each != "127.0.0.1"), "127.0.0.1")


def sweep(workers: list[Worker], profile: str, options: argparse.Namespace, names: dict[int, str]) -> dict[str, int]:
    for worker in workers:
        prepare(worker, profile)
        if profile == "network":
            socket.create_connection(worker.state["server"]).close()  # from the outside somebody answers
            if sorted(worker.state["usual"].held.values()) != [500 << 10, 2 << 20]:
                raise RuntimeError(f"not the rates that were asked for: {worker.state['usual'].held}")
    faults = recorded(workers[0], profile, names)
    if options.only:
        faults = [fault for fault in faults if fault.call in options.only]
    if options.role:
        faults = [fault for fault in faults if fault.role == options.role]
    faults = evenly(faults, options.sample)
    counts: dict[str, int] = collections.Counter()
    clock = Clock(profile, len(faults))
    for fault, verdict in share_out(workers, faults, judge):
        clock.tick()
        if verdict is None:
            counts["missed"] += 1
            continue
        counts["injected"] += 1
        counts[verdict.word] += 1
        counts["silent"] += verdict.is_silent
        if options.verbose or verdict.word in BAD and (profile != "bwrap" or options.rival):
            say(f"{verdict.word} {fault}: {'(silent) ' if verdict.is_silent else ''}{verdict.detail}")
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="at most so many faults for each profile, evenly spread")
    parser.add_argument("--profile", action="append", choices=list(PROFILES), help="only this one (repeatable)")
    parser.add_argument("--only", action="append", metavar="CALL", help="only this system call (repeatable)")
    parser.add_argument("--role", help="only this process: 0, 0.0, ...")
    parser.add_argument("--verbose", action="store_true", help="say each verdict")
    parser.add_argument("--rival", action="store_true", help="say what goes wrong with bwrap, too")
    options = parser.parse_args()
    if os.uname().machine != "x86_64":
        say("skipped: tests/cases/inject.c knows the registers of x86_64 only")
        return tally(0, 0, 1)
    began, names = time.monotonic(), numbers_of_calls()
    table = {}
    with contextlib.ExitStack() as stack:
        # Of the host, for those who are to reach nothing of it. The kernel itself answers, as long as there is room.
        server = stack.enter_context(socket.create_server(("0.0.0.0", 0), backlog=socket.SOMAXCONN))
        workers = []
        for _ in range(processors()):
            worker = Worker()
            stack.callback(worker.account.close)
            for name in ("secret/key", "kept/file", "free/file"):
                worker.account.file(worker.project / name, "text")
            worker.state["server"] = outward_address(), server.getsockname()[1]
            worker.environment = stack.enter_context(session_bus(worker.account))
            workers.append(worker)
        for profile in options.profile or PROFILES:
            table[profile] = sweep(workers, profile, options, names)
    say(f"{'profile':10}" + "".join(f"{word:>10}" for word in ("injected", *VERDICTS, "silent", "missed")))
    for profile, counts in table.items():
        say(f"{profile:10}" + "".join(f"{counts[word]:10}" for word in ("injected", *VERDICTS, "silent", "missed")))
    own = [counts for profile, counts in table.items() if profile != "bwrap"]
    total, bad = sum(c["injected"] for c in own), sum(c[word] for c in own for word in BAD)
    if rival := table.get("bwrap"):
        rate = sum(rival[word] for word in BAD)
        share = 100 * rate / max(rival["injected"], 1)
        say(f"bad outcomes: sbox {bad} of {total}, bwrap {rate} of {rival['injected']} ({share:.1f} %)")
    say(f"in {time.monotonic() - began:.0f} s")
    # Two runs are never quite the same: a call of one may be missing in the next. Many would mean that nothing is shown.
    missed = sum(c["missed"] for c in own)
    if too_many := missed > MOST_MISSED * total:
        say(f"FAILED {missed} faults were not met")
    return tally(total - bad, bad + too_many, 0)


if __name__ == "__main__":
    sys.exit(main())
