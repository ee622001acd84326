#!/usr/bin/env python3
"""Starts a thousand sandboxes, and says how long `sbox list` takes and what the next start costs beside the first.

Started as root, sbox runs as --user. Starts with and without the others beside them cannot take turns, so each figure is
the median of many. `top` and `join` are told as well; nothing is promised of them.
"""

import argparse
import json
import os
import pathlib
import pwd
import statistics
import subprocess
import sys
import time

LIST_MS = 50
START_RATIO = 1.25  # what differs from run to run without any difference


class User:
    def __init__(self, name, build):
        entry = pwd.getpwnam(name) if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.sbox = str(pathlib.Path(build).resolve() / "bin/sbox")
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": entry.pw_dir, "LANG": "C.UTF-8"}
        self.identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        self.identity |= {"cwd": "/", "env": self.environment}

    def start(self, *arguments):
        null = subprocess.DEVNULL
        return subprocess.Popen([self.sbox, *arguments], stdin=null, stdout=null, stderr=null, **self.identity)

    def run(self, *arguments):
        return subprocess.run([self.sbox, *arguments], capture_output=True, text=True, check=True, **self.identity).stdout

    def milliseconds(self, rounds, *arguments):
        """Medians of the time that passed, and of the processor's."""
        elapsed, processor = [], []
        for _ in range(rounds):
            began, before = time.monotonic(), os.times()
            self.run(*arguments)
            after = os.times()
            elapsed.append((time.monotonic() - began) * 1000)
            processor.append((after.children_user + after.children_system - before.children_user - before.children_system) * 1000)
        return statistics.median(elapsed), statistics.fmean(processor)

    def count(self):
        return len(json.loads(self.run("list", "--json")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--user", default="sboxtest")
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--check", action="store_true", help="fail where a figure does not hold")
    options = parser.parse_args()
    user = User(options.user, options.build)
    others = user.count()
    first = user.milliseconds(options.rounds, "--", "true")
    children = [user.start("--", "sleep", "86400") for _ in range(options.number)]
    try:
        while user.count() < others + options.number:
            if ended := [child for child in children if child.poll() is not None]:
                raise RuntimeError(f"{len(ended)} did not start, one with status {ended[0].returncode}")
            time.sleep(0.1)
        listed = user.milliseconds(options.rounds, "list")
        bare = user.milliseconds(options.rounds, "--version")
        name = json.loads(user.run("list", "--json"))[-1]["name"]
        joined = user.milliseconds(options.rounds, "join", name, "--", "true")
        last = user.milliseconds(options.rounds, "--", "true")
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()
    ratio = last[0] / first[0]
    print(f"sbox list with {options.number} running: {listed[0]:.1f} ms (sbox --version: {bare[0]:.1f} ms); hold {LIST_MS}")
    print(f"start beside them against alone: {last[0]:.1f} / {first[0]:.1f} ms = {ratio:.2f}; processor {last[1]:.1f} / {first[1]:.1f}"
          f" ms; hold {START_RATIO}")
    print(f"sbox join: {joined[0]:.1f} ms")
    holds = listed[0] <= LIST_MS and ratio <= START_RATIO
    return 1 if options.check and not holds else 0


if __name__ == "__main__":
    sys.exit(main())
