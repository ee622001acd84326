"""A hundred thousand files in one overlay: listed, taken over, copied, set back and thrown away. make check-overlay."""

from __future__ import annotations

import json
import os
import time
import unittest

from test_overlay import OverlayTest

FILES, DIRECTORIES = 100_000, 100
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


class Large(OverlayTest):
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
        self.account.directory(self.home / "new")
        for directory in range(DIRECTORIES):
            self.account.directory(self.home / f"old/{directory}")
            for number in range(FILES // DIRECTORIES // 2):
                self.put(f"old/{directory}/{number}")
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


if __name__ == "__main__":
    unittest.main()
