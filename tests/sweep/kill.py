#!/usr/bin/python3
"""Signals at random moments of start, run and exit, to each of sbox's processes: is anything left two seconds later?

Two of three starts run on a terminal of their own, one of three with the helper of the session bus, one of five
with a private network. Nothing may be left: no process, mount, file, socket or cgroup, and the terminal has its modes again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import termios
import time
from typing import NamedTuple

from common import SEED, Clock, Worker, evenly, processors, say, share_out, tally

from account import SBOX  # noqa: E402
from desktop import session_bus  # noqa: E402
from harness import descendants, read_process, wait_for  # noqa: E402
from residue import files_of  # noqa: E402

GONE_AFTER_SECONDS = 2
OVER_AFTER_SECONDS = 10
TARGETS = ("supervisor", "init", "helper", "network", "pasta", "program", "guard")
# By the names of their programs.
HELPERS = {"xdg-dbus-proxy": "helper", "sbox-network": "network", "pasta": "pasta"}
SIGNALS = ("KILL", "TERM", "INT", "STOP")  # after STOP comes KILL
# The longest moment: a start takes about 10 ms here, with a network 60 ms, and this program ends 30 ms after its begin.
LATEST_MS, LATEST_WITH_NETWORK_MS = 60.0, 130.0
PROGRAM = ("/bin/sh", "-c", "echo begun; sleep 0.03; echo over")


class Attempt(NamedTuple):
    number: int
    target: str
    name: str
    moment: float  # milliseconds
    on_terminal: bool
    with_bus: bool
    with_network: bool

    def __str__(self) -> str:
        extra = " on a terminal" * self.on_terminal + " with a bus" * self.with_bus + " with a network" * self.with_network
        return f"#{self.number}: SIG{self.name} to {self.target} after {self.moment:.2f} ms{extra}"


def attempts(seed: int, count: int) -> list[Attempt]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        target, name = chance.choice(TARGETS), chance.choice(SIGNALS)
        # On a terminal where the guard is the target; with a bus where the helper is.
        on_terminal = target == "guard" or chance.random() < 0.66
        with_bus = target == "helper" or chance.random() < 0.33
        with_network = target in ("network", "pasta") or chance.random() < 0.2
        moment = chance.uniform(0, LATEST_WITH_NETWORK_MS if with_network else LATEST_MS)
        made.append(Attempt(number, target, name, moment, on_terminal, with_bus, with_network))
    return made


def roles(supervisor: int) -> dict[str, int]:
    """Sbox's processes by what they are; those that do not exist (yet, any more) are missing."""
    found = {"supervisor": supervisor}
    for pid in descendants(supervisor):
        fields = dict(line.split(":\t", 1) for line in read_process(pid, "status").splitlines() if ":\t" in line)
        depth = len(fields.get("NSpid", "").split())
        command = read_process(pid, "cmdline")
        name = command.split("\0")[0].rpartition("/")[2]
        helper = HELPERS.get(name, "")
        if helper:
            role = helper
        elif depth > 1:
            role = "init" if fields["NSpid"].split()[1] == "1" else "program"
        else:
            role = "guard"
        found.setdefault(role, pid)
    return found


def send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def alive(pids: list[int]) -> list[int]:
    """Zombies are not: this machine's first process may be slow to take orphans away."""
    states = {pid: read_process(pid, "stat").rpartition(")")[2].split()[:1] for pid in pids}
    return [pid for pid, state in states.items() if state and state != ["Z"]]


def names(pids: list[int]) -> list[tuple[int, str]]:
    return [(pid, read_process(pid, "cmdline").replace("\0", " ")) for pid in pids]


class Run:
    """One start, and all processes that have been seen of it."""

    def __init__(self, worker: Worker, attempt: Attempt) -> None:
        options = ["-s", "dbus.session=filtered"] if attempt.with_bus else []
        options += ["-s", "network.mode=private"] if attempt.with_network else []
        argv = [str(SBOX), *options, "--", *PROGRAM]
        self.leader = -1
        if attempt.on_terminal:
            self.leader, follower = os.openpty()
            os.fchown(follower, worker.account.uid, -1)
            self.modes = termios.tcgetattr(self.leader)
            # The terminal stays when its first process goes, as it does below a shell that has no job control.
            argv = ["setsid", "--ctty", "sh", "-c", '"$@"', "sh", *argv]
            self.follower = stream = follower
        else:
            stream = subprocess.DEVNULL
        self.child = worker.account.start(argv, worker.environment, stdin=stream, stdout=stream, stderr=stream)
        self.account = worker.account

    def supervisor(self) -> int:
        """On a terminal a shell is before it."""
        if self.leader < 0:
            return self.child.pid
        for pid in descendants(self.child.pid):
            if read_process(pid, "cmdline").startswith(("sbox", str(SBOX))):
                return pid
        return self.child.pid

    def close(self) -> None:
        if self.leader >= 0:
            os.close(self.leader)
            os.close(self.follower)


def one(worker: Worker, attempt: Attempt) -> str:
    """What went wrong, or nothing."""
    before = worker.state["files"]
    run = Run(worker, attempt)
    try:
        # The moment itself is what is tested.
        time.sleep(attempt.moment / 1000)
        family = [run.child.pid, *descendants(run.child.pid)]
        target = roles(run.supervisor()).get(attempt.target, run.supervisor())
        send(target, getattr(signal, f"SIG{attempt.name}"))
        if attempt.name == "STOP":
            family += descendants(run.child.pid)
            send(target, signal.SIGKILL)
            # The stop of the program is one of the whole job: whoever asked for that continues it.
            if attempt.target == "program":
                send(run.supervisor(), signal.SIGCONT)
        family += descendants(run.child.pid)
        began = time.monotonic()
        try:
            run.child.wait(OVER_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            return f"still there after {OVER_AFTER_SECONDS} s: {names(alive(family))}"
        with contextlib.suppress(TimeoutError):
            wait_for(lambda: not alive(family), GONE_AFTER_SECONDS)
        if left := alive(family):
            return f"left: {names(left)} after {time.monotonic() - began:.1f} s"
        if run.leader >= 0:
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: termios.tcgetattr(run.leader) == run.modes, GONE_AFTER_SECONDS)
            if termios.tcgetattr(run.leader) != run.modes:
                return "the terminal has other modes than before"
    finally:
        run.close()
        worker.account.end(run.child)
    after = own_files(worker)
    if after != before:
        return f"changed: {[name for name in after if after[name] != before[name]]}"
    return ""


def own_files(worker: Worker) -> dict[str, object]:
    found = files_of(worker.account)
    # Other workers make and remove their own. All cgroups of the user would show in /sys/fs/cgroup.
    cgroups = sorted(str(path) for path in pathlib.Path("/sys/fs/cgroup").rglob("*sbox*"))
    return found | {"tmp": [], "run": [], "cgroups": cgroups}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="at most so many of the moments, evenly spread")
    parser.add_argument("--moments", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", type=int, help="the attempt of this number")
    options = parser.parse_args()
    say(f"seed {options.seed}")
    jobs = evenly(attempts(options.seed, options.moments), options.sample)
    if options.only is not None:
        jobs = [attempt for attempt in attempts(options.seed, options.moments) if attempt.number == options.only]
    clock, failed = Clock("kill", len(jobs)), 0
    with contextlib.ExitStack() as stack:
        workers = []
        for _ in range(processors()):
            worker = Worker()
            stack.callback(worker.account.close)
            worker.environment = stack.enter_context(session_bus(worker.account))
            # What the first start remembers is there for good.
            first = [str(SBOX), "-s", "dbus.session=filtered", "--", "true"]
            if worker.account.run(first, worker.environment).status != 0:
                raise RuntimeError("sbox starts nothing")
            worker.state["files"] = own_files(worker)
            workers.append(worker)
        for attempt, wrong in share_out(workers, jobs, one):
            clock.tick()
            if wrong:
                failed += 1
                say(f"FAILED {attempt}: {wrong}")
    say(f"in {clock.seconds():.0f} s")
    return tally(len(jobs) - failed, failed, 0)


if __name__ == "__main__":
    sys.exit(main())
