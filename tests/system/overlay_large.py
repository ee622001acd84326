"""A hundred thousand files in one overlay: listed, taken over, copied, set back and thrown away. make check-overlay."""

from __future__ import annotations

import json
import os
import time
import unittest

import test_overlay

FILES, DIRECTORIES = 100_000, 100
HOME = f"""
import os
os.mkdir("new")
for directory in range({DIRECTORIES}):
    os.makedirs(f"old/{{directory}}")
    for number in range({FILES // DIRECTORIES // 2}):
        with open(f"old/{{directory}}/{{number}}", "w") as file: file.write("old")
"""
# Half of the host's files are changed or gone, and as many are new.
CHANGE = f"""
import os
for directory in range({DIRECTORIES}):
    os.mkdir(f"new/{{directory}}")
    for number in range({FILES // DIRECTORIES // 4}):
        with open(f"old/{{directory}}/{{number}}", "w") as file: file.write("new")
        os.unlink(f"old/{{directory}}/{{number + {FILES // DIRECTORIES // 4}}}")
    for number in range({FILES // DIRECTORIES // 2}):
        with open(f"new/{{directory}}/{{number}}", "w") as file: file.write("new")
"""


class Large(test_overlay.OverlayTest):
    timeout = 3600

    def timed(self, name: str, *arguments: str) -> str:
        began = time.monotonic()
        result = self.sbox(*arguments, timeout=1800, **self.at_home({}))
        self.assertEqual(result.status, 0, result)
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
        return result.out

    def counts(self) -> tuple[int, int, int]:
        listed = json.loads(self.command("diff", "--json").out)
        return listed[0]["added"], listed[0]["changed"], listed[0]["deleted"]

    def test_a_hundred_thousand_files_are_no_special_case(self) -> None:
        quarter = FILES // 4
        made = self.account.run(["/usr/bin/python3", "-c", HOME], cwd=str(self.home), timeout=600)
        self.assertEqual(made.status, 0, made)
        self.assertEqual(self.python_in(CHANGE, timeout=600).status, 0)
        changes = (2 * quarter + DIRECTORIES, quarter, quarter)
        self.assertEqual(self.counts(), changes)
        self.timed("diff", "diff", "--no-pager", "o")
        self.timed("snapshot", "snapshot", "o", "all")
        self.timed("commit of half", "commit", "-q", "o", *(f"old/{each}" for each in range(DIRECTORIES // 2)))
        self.assertEqual(self.counts(), (changes[0], quarter // 2, quarter // 2))
        self.timed("commit of the rest", "commit", "-q", "o")
        self.assertEqual(self.counts(), (0, 0, 0))
        contents = {(self.home / f"{name}/{DIRECTORIES - 1}/0").read_text() for name in ("old", "new")}
        self.assertEqual(contents, {"new"})
        left = [len(os.listdir(self.home / f"{name}/7")) for name in ("old", "new")]
        self.assertEqual(left, [FILES // DIRECTORIES // 4, FILES // DIRECTORIES // 2])
        self.timed("restore", "restore", "o")
        # What was taken over is there by now: only the host's own changes since would be told.
        self.assertEqual(self.counts(), (0, 0, 0))
        self.assertEqual(sum(len(files) for _, _, files in os.walk(self.upper)), 4 * quarter)
        self.timed("discard", "discard", "o")
        self.timed("deletion of the snapshot", "snapshot", "--delete", "o", "all")
        self.assertEqual(os.listdir(self.upper.parent), ["lock"])


class Crash(test_overlay.Crash):
    """The same as with few files, where hundreds wait for their names or to leave the overlay, and with several flushes."""

    FILES = 400
    STRACE = ("prlimit", "--nofile=500:500", "strace")
    POINTS = (("openat", 1000), ("linkat", 1), ("linkat", 600), ("renameat", 200), ("syncfs", 2), ("syncfs", 4), ("unlinkat", 600),
              ("unlinkat", 1100))
    timeout = 600


if __name__ == "__main__":
    unittest.main()
