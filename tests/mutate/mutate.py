#!/usr/bin/env python3
"""make mutate: takes one protection out of sbox at a time and shows that a test turns red for each.

Works on a copy of the tree and of the build directory, so that neither is touched. MUTATION words choose those whose
name holds one of them.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from mutations import MUTATIONS, Mutation

ROOT = pathlib.Path(__file__).resolve().parents[2]
PARTS = ("src", "profiles", "man", "tests", "contrib", "Makefile")
TIMEOUT = 300
ACCOUNT = "sboxmutate"  # an account of its own: all its processes are killed after each test


class Workshop:
    """A copy of the tree in which a mutation is made, built, tested and taken back."""

    def __init__(self, build: pathlib.Path, directory: pathlib.Path) -> None:
        self.tree, self.build = directory / "tree", directory / "build"
        self.tree.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, self.tree / part)
        # With the times of the originals, so that make has nothing to do.
        shutil.copytree(build, self.build, copy_function=shutil.copy2)
        # What includes a header that changes must be built again here, too: each rule names an object of the original.
        for rule in self.build.rglob("*.d"):
            rule.write_text(f"{rule.with_suffix('.o')}:{rule.read_text().partition(':')[2]}")

    def run(self, command: list[str]) -> tuple[int, str]:
        """Status and output. By a file, because what a mutation leaves running may hold a pipe open for ever."""
        env = {"SBOX_TEST_USER": ACCOUNT} | os.environ | {"BUILD": str(self.build)}
        with tempfile.TemporaryFile("w+") as log:
            status = subprocess.run(command, cwd=self.tree, env=env, stdout=log, stderr=log, timeout=TIMEOUT).returncode
            log.seek(0)
            return status, log.read()

    def make(self, tests: list[str]) -> None:
        targets = ["all", str(self.build / "tests/unit")] if "unit" in tests else ["all"]
        # What a mutation leaves unused is no fault here.
        flags = "-Wno-error -w"
        status, log = self.run(["make", f"-j{os.cpu_count()}", f"BUILD={self.build}", f"WARNINGS={flags}", *targets])
        if status != 0:
            raise RuntimeError(f"does not build:\n{log[-2000:]}")

    def edit(self, mutation: Mutation) -> None:
        for edit in mutation.edits:
            path = self.tree / edit.file
            text = path.read_text()
            if text.count(edit.old) != 1:
                raise RuntimeError(f"{edit.file} holds {text.count(edit.old)} times: {edit.old}")
            path.write_text(text.replace(edit.old, edit.new))

    def restore(self, mutation: Mutation) -> None:
        for edit in mutation.edits:
            shutil.copyfile(ROOT / edit.file, self.tree / edit.file)  # with the time of now: it is built again

    def reds(self, tests: list[str]) -> str:
        """The first test that fails; "" when all pass."""
        for name in tests:
            if name != "unit" and not (self.tree / "tests/system" / f"{name.split('.')[0]}.py").exists():
                continue
            status, log = self.run([sys.executable, "tests/run", name])
            self.end_leftovers()
            if status != 0:
                lines = [line for line in log.splitlines() if line.startswith("FAILED")]
                return lines[0] if lines else log[-300:]
        return ""

    def end_leftovers(self) -> None:
        """Without a protection, sandboxes may outlive their test."""
        if os.getuid() == 0:
            subprocess.run(["pkill", "-KILL", "-u", os.environ.get("SBOX_TEST_USER", ACCOUNT)], stderr=subprocess.DEVNULL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--sample", type=int, metavar="N", help="every Nth mutation only")
    parser.add_argument("word", nargs="*", help="only mutations whose name holds one of these")
    arguments = parser.parse_args()
    chosen = [m for m in MUTATIONS if not arguments.word or any(word in m.name for word in arguments.word)]
    chosen = chosen[:: arguments.sample or 1]
    green: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sbox-mutate-", dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        workshop = Workshop(pathlib.Path(arguments.build).resolve(), pathlib.Path(directory))
        for mutation in chosen:
            began = time.monotonic()
            try:
                workshop.edit(mutation)
                workshop.make(mutation.tests)
                red = workshop.reds(mutation.tests)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                red = ""
                print(error)
            finally:
                workshop.restore(mutation)
            if not red:
                green.append(mutation.name)
            took = time.monotonic() - began
            print(f"{'red  ' if red else 'GREEN'} {took:4.0f} s  without {mutation.name}: {red or 'no test failed'}", flush=True)
    print(f"{len(chosen) - len(green)} passed, {len(green)} failed, 0 skipped")
    return 1 if green or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
