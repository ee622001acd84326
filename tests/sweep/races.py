#!/usr/bin/python3
"""A program in a sandbox swaps every component of its writable directory for links, while other sandboxes start that
are granted the same directory with hidden and read-only parts and a tmpfs in it.

Each start refuses with one line, or shows what was planned. What lies outside is never seen or changed, and nothing is
made there. A part of the starts is slowed down at the calls in question, so that the swaps hit between them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

from common import SEED, Clock, Worker, evenly, processors, say, share_out, tally

from account import SBOX  # noqa: E402
from harness import probe, wait_for  # noqa: E402
from residue import tree  # noqa: E402

CANARY = "canary-outside-7f31"
SLOW_CALLS = ("open_tree", "move_mount", "mkdirat", "openat2", "mknodat", "newfstatat")
# What is looked at and tried inside: every file that can be read, and a new file wherever one can be made. The paths
# are no arguments, because files that are arguments are granted.
INSIDE = """
cd {granted} || exit 9
echo LOOKED
find . -type f -exec cat {{}} + 2>/dev/null
for folder in . hidden kept open deep/hidden deep/kept deep/open; do
  (: >"$folder/made-by-{number}") 2>/dev/null && echo "WROTE $folder"
done
cat {foreign} 2>/dev/null
exit 0
"""
PROTECTED = ("hidden", "kept", "deep/hidden", "deep/kept")


class Start(NamedTuple):
    number: int
    slow: str  # a system call, or none
    microseconds: int


def starts(seed: int, count: int) -> list[Start]:
    chance = random.Random(seed)
    return [
        Start(number, chance.choice(("", *SLOW_CALLS)), chance.choice((100, 500, 2000))) for number in range(count)
    ]


class Field:
    """The directory of a worker, what is outside of it, and who swaps."""

    def __init__(self, worker: Worker) -> None:
        self.worker, account = worker, worker.account
        self.granted = account.directory(account.home / "field")
        self.outside = account.directory(account.home / "outside")
        self.names = [*PROTECTED, "open", "deep/open", "deep", "home"]
        for name in (*PROTECTED, "open", "deep/open"):
            account.file(self.granted / name / "own", f"own {name}\n")
            account.file(self.outside / name / "secret", f"{CANARY}\n")
        account.directory(self.granted / "home")
        account.file(self.outside / "home/secret", f"{CANARY}\n")
        # A file of another user, which this one can read.
        self.foreign = account.file(account.base / "foreign", f"{CANARY}\n")
        if os.getuid() == 0:
            os.chown(self.foreign, 0, 0)
        self.before = self.look()

    def look(self) -> list[str]:
        secrets = [path.read_text() for path in (*sorted(self.outside.rglob("secret")), self.foreign)]
        return [*tree(self.outside), *secrets]

    def is_led_outside(self) -> bool:
        try:
            return CANARY in (self.granted / "deep/hidden/secret").read_text()
        except OSError:
            return False

    @contextlib.contextmanager
    def swapper(self) -> Iterator[None]:
        """The links lie beside what they stand for, so that one call exchanges the two."""
        pairs = []
        for name in self.names:
            link = self.granted / (name + ".link")
            target = self.foreign if name == "open" else self.outside / name
            link.symlink_to(target)
            self.worker.account.own(link)
            pairs += [str(self.granted / name), str(link)]
        program = probe("swap")
        grant = ["-s", f"files.read-write+={self.granted}", "-s", f"files.read-only+={pathlib.Path(program).parent}"]
        argv = [str(SBOX), "-s", "files.arguments=no", *grant, "--", program, *pairs]
        child = self.worker.account.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            assert child.stdout
            if child.stdout.readline() != b"begun\n":
                raise RuntimeError("the swapper does not run")
            # The control: who follows names is led outside.
            wait_for(self.is_led_outside, what="a swapped directory")
            yield
            if child.poll() is not None:
                raise RuntimeError("the swapper has ended")
        finally:
            self.worker.account.end(child)
            if child.stdout:
                child.stdout.close()


def command(field: Field, start: Start) -> list[str]:
    granted = field.granted
    options = ["-s", f"files.read-write+={granted}"]
    for name in ("hidden", "deep/hidden"):
        options += ["-s", f"files.hide+={granted}/{name}"]
    for name in ("kept", "deep/kept"):
        options += ["-s", f"files.read-only+={granted}/{name}"]
    options += ["-s", f"files.tmpfs+={granted}/home"]
    script = INSIDE.format(granted=granted, number=start.number, foreign=field.foreign)
    argv = [str(SBOX), *options, "--", "/bin/sh", "-c", script]
    if not start.slow:
        return argv
    delay = f"inject={start.slow}:delay_enter={start.microseconds}"
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={start.slow}", "-e", delay, *argv]


def judge(field: Field, start: Start) -> tuple[str, bool]:
    """What went wrong, and whether it started."""
    result = field.worker.account.run(command(field, start), timeout=60)
    after = field.look()
    if after != field.before:
        return f"outside has changed: {sorted(set(after) ^ set(field.before))[:5]}", True
    if CANARY in result.out + result.err:
        return f"the canary is inside: {result}", True
    if result.status == 125:
        # The tracer has a word of its own about processes that come to it in an order that it did not expect.
        said = "".join(line for line in result.err.splitlines(keepends=True) if not line.startswith("strace: "))
        is_line = re.fullmatch(r"sbox: [^\n]+\n", said) is not None
        return ("" if is_line and not result.out else f"no clear refusal: {result}"), False
    # Its own swapper may have moved the working directory away, but the mounts at the names are what was planned.
    if "LOOKED" not in result.out:
        return f"neither refused nor started: {result}", False
    wrong = [line for line in result.out.splitlines() if line in [f"WROTE {name}" for name in PROTECTED]]
    wrong += [line for line in result.out.splitlines() if line in ("own hidden", "own deep/hidden")]
    return (f"not as planned: {wrong}" if wrong else ""), True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="at most so many of the starts")
    parser.add_argument("--starts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    jobs = evenly(starts(options.seed, options.starts), options.sample)
    clock, failed, started = Clock("races", len(jobs)), 0, 0
    with contextlib.ExitStack() as stack:
        workers = []
        for _ in range(processors()):
            worker = Worker()
            stack.callback(worker.account.close)
            field = Field(worker)
            # The control: without anybody who swaps, everything starts, and what is planned is what is seen.
            wrong, did_start = judge(field, Start(-1, "", 0))
            if wrong or not did_start:
                raise RuntimeError(f"the control: {wrong or 'refused'}")
            stack.enter_context(field.swapper())
            worker.state["field"] = field
            workers.append(worker)
        outcomes = share_out(workers, jobs, lambda worker, start: judge(worker.state["field"], start))
        for start, (wrong, did_start) in outcomes:
            clock.tick()
            started += did_start
            if wrong:
                failed += 1
                say(f"FAILED {start}: {wrong}")
    say(f"{started} started, {len(jobs) - started} refused, in {clock.seconds():.0f} s")
    return tally(len(jobs) - failed, failed, 0)


if __name__ == "__main__":
    sys.exit(main())
