#!/usr/bin/env python3
"""Starts a thousand sandboxes, and says how long `sbox list` takes and what the next start costs beside the first.

Started as root, sbox runs as --user. The kernel itself takes longer where many processes are: pivot_root(2) looks at each
of them. So a bare program that makes the same mounts, and bubblewrap with them, start beside the same thousand, in turn
with sbox; what the bare one takes longer there is no part of the figure that is held. Starts with and without the others
cannot take turns, so what is held is the processor's time: what passes on a machine that does nothing else. `join` is told
as well; nothing is promised of it.
"""

import argparse
import json
import os
import pathlib
import pwd
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
import nodes

LIST_MS = 50
START_RATIO = 1.25  # what differs from run to run without any difference
TRUE = "/usr/bin/true"


class User:
    def __init__(self, name, build):
        entry = pwd.getpwnam(name) if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.build = pathlib.Path(build).resolve()
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": entry.pw_dir, "LANG": "C.UTF-8"}
        self.identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        self.identity |= {"cwd": "/", "env": self.environment}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sbox-instances-", dir="/var/tmp"))
        self.directory.chmod(0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def sbox(self, *arguments):
        return [str(self.build / "bin/sbox"), *arguments]

    def start(self, command):
        null = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, **self.identity)

    def output(self, command):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
                              **self.identity).stdout

    def instances(self):
        return json.loads(self.output(self.sbox("list", "--json")))

    def starts(self):
        """The commands that are compared, by what they are called."""
        plan = json.loads(self.output(self.sbox("--dry-run", "--", TRUE)))
        tree = self.directory / "floor.list"
        tree.write_text(nodes.floor_list(plan))
        network = "own-net" if plan["own_network"] else "host-net"
        commands = {"sbox": self.sbox("--", TRUE), "bare": [str(self.build / "bench/floor"), str(tree), network, TRUE]}
        if os.path.exists("/usr/bin/bwrap"):
            commands["bubblewrap"] = nodes.bwrap(plan, TRUE)
        return commands

    def race(self, rounds, commands):
        """Medians of the time that passed and of the processor's, in milliseconds, by name; they take turns."""
        files = []
        for name, command in commands.items():
            files.append(self.directory / name)
            files[-1].write_text("".join(f"{word}\n" for word in command))
        times = {name: ([], []) for name in commands}
        for line in self.output([str(self.build / "bench/driver"), str(rounds), *map(str, files)]).splitlines():
            index, elapsed, processor = map(int, line.split())
            of_both = times[list(commands)[index]]
            of_both[0].append(elapsed / 1e6)
            of_both[1].append(processor / 1e6)
        return {name: tuple(map(statistics.median, both)) for name, both in times.items()}


def wait_for(user, children, number):
    while len(user.instances()) < number:
        if ended := [child for child in children if child.poll() is not None]:
            raise RuntimeError(f"{len(ended)} did not start, one with status {ended[0].returncode}")
        time.sleep(0.1)


def measure(user, options):
    """Times of starts alone, times of starts beside the others, and times of the commands beside them."""
    others, starts = len(user.instances()), user.starts()
    first = user.race(options.rounds, starts)
    children = [user.start(user.sbox("--", "sleep", "86400")) for _ in range(options.number)]
    try:
        wait_for(user, children, others + options.number)
        last = user.race(options.rounds, starts)
        name = user.instances()[-1]["name"]
        commands = {"list": ["list"], "version": ["--version"], "join": ["join", name, "--", TRUE]}
        told = user.race(options.rounds, {each: user.sbox(*words) for each, words in commands.items()})
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()
    return first, last, told


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--user", default="sboxtest")
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--check", action="store_true", help="fail where a figure does not hold")
    options = parser.parse_args()
    with User(options.user, options.build) as user:
        first, last, told = measure(user, options)
    for name, (passed, worked) in told.items():
        print(f"sbox {name} with {options.number} running: {passed:.1f} ms, processor {worked:.1f} ms")
    for name in first:
        (passed, worked), (passed_then, worked_then) = last[name], first[name]
        line = f"{name}: start beside them against alone: {passed:.1f} / {passed_then:.1f} ms = {passed / passed_then:.2f}"
        if name != "bubblewrap":  # waits for none of its processes, so nothing is known of their time
            line += f"; processor {worked:.1f} / {worked_then:.1f} ms = {worked / worked_then:.2f}"
        print(line)
    listed = told["list"][1]
    own = (last["sbox"][1] - (last["bare"][1] - first["bare"][1])) / first["sbox"][1]
    print(f"processor's time of sbox list: {listed:.1f} ms; hold {LIST_MS}")
    print(f"processor's time of a start, without what the bare program takes longer there: {own:.2f}; hold {START_RATIO}")
    holds = listed <= LIST_MS and own <= START_RATIO
    return 1 if options.check and not holds else 0


if __name__ == "__main__":
    sys.exit(main())
