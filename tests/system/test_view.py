"""The mount view as a property: random lines over random trees, and what a program sees against a small oracle.

SBOX_VIEWS says how many (default: a short run). The seed of a case is its number, so a failure can be run again.
"""

from __future__ import annotations

import os
import pathlib
import random
import shutil

from harness import SystemTest

VIEWS = int(os.environ.get("SBOX_VIEWS", "60"))
KEYS = ("hide", "read-only", "read-write", "tmpfs")  # in the order in which they decide for the same path
SIGHTS = {"hide": "none", "read-only": "ro", "read-write": "rw", "tmpfs": "none"}
NAMES = ("a", "a b", "a-c", ".d", "é")
# For each path on standard input, what its first line is, and whether it may be written.
LOOK = """
while IFS= read -r path; do
  line=; sight=none
  { IFS= read -r line <"$path"; } 2>/dev/null
  if [ "$line" = "canary of $path" ]; then sight=ro; ( : >>"$path" ) 2>/dev/null && sight=rw; fi
  printf '%s %s\\n' "$sight" "$path"
done
"""
# Why sbox refuses lines that it understands: links and things to come. Anything else is a fault.
KNOWN_REFUSALS = ("which the program could replace", "the program could make it", "is also something else")


class Case:
    """A tree with a few links in it, and the lines of a profile about it."""

    def __init__(self, seed: int, root: pathlib.Path) -> None:
        self.random, self.root = random.Random(seed), root
        self.directories, self.files, self.links = [root], [], []
        for _ in range(self.random.randint(4, 14)):
            self.directories.append(self.new_name(self.random.choice(self.directories)))
        for directory in self.directories:
            directory.mkdir(parents=True, exist_ok=True)
            self.files.append(directory / "f")
        for file in self.files:
            file.write_text(f"canary of {file}\n")
        for _ in range(self.random.choice((0, 0, 1, 3))):
            self.make_link()
        self.lines = [self.line() for _ in range(self.random.randint(1, 8))]

    def new_name(self, directory: pathlib.Path) -> pathlib.Path:
        return directory / (self.random.choice(NAMES) + str(self.random.randint(0, 99)))

    def make_link(self) -> None:
        target = self.random.choice(self.directories[1:] + self.files)
        link = self.new_name(self.random.choice(self.directories))
        if not os.path.lexists(link):
            link.symlink_to(target if self.random.random() < 0.5 else os.path.relpath(target, link.parent))
            self.links.append(link)

    def line(self) -> tuple[str, str]:
        path = str(self.random.choice(self.directories * 3 + self.files * 2 + self.links * 2))
        keys = KEYS if os.path.isdir(path) else KEYS[:3]
        return self.random.choice(keys), path

    def profile(self) -> str:
        lists = {key: [path for chosen, path in self.lines if chosen == key] for key in KEYS}
        return "[files]\n" + "".join(f"{key} =\n" + "".join(f"  {p}\n" for p in paths) for key, paths in lists.items() if paths)

    def expected(self, file: pathlib.Path) -> str:
        """The rule: the longest path decides; for the same one the first of KEYS."""
        holding = [
            (-len(canonical), KEYS.index(key))
            for key, path in self.lines
            if (canonical := os.path.realpath(path)) == str(file) or str(file).startswith(canonical + "/")
        ]
        return SIGHTS[KEYS[min(holding)[1]]] if holding else "none"


class View(SystemTest):
    timeout = 60 + VIEWS

    def test_what_a_program_sees_is_what_the_rule_says(self) -> None:
        refused = 0
        for seed in range(VIEWS):
            with self.subTest(seed=seed):
                refused += self.look(seed)
        # Most cases must be real ones.
        self.assertLess(refused, VIEWS / 2)

    def look(self, seed: int) -> int:
        """1 when sbox refused the case for a reason that it may have, else 0."""
        root = self.work / f"case {seed}"
        case = Case(seed, root)
        for path in (root, *root.rglob("*")):
            self.account.own(path)
        profile = self.profile(case.profile(), f"view-{seed}")
        wanted = {str(file): case.expected(file) for file in case.files}
        result = self.sbox("-p", profile, "--", "/bin/sh", "-c", LOOK, data="".join(f"{path}\n" for path in wanted).encode())
        shutil.rmtree(root)
        if result.status == 125:
            self.assertTrue(any(why in result.err for why in KNOWN_REFUSALS), f"{case.lines}\n{result}")
            return 1
        seen = {path: sight for sight, path in (line.split(" ", 1) for line in result.out.splitlines())}
        self.assertEqual(seen, wanted, f"{case.lines}\n{result}")
        return 0
