"""What the tests of `sbox learn` share: learns a program, and runs it by what was proposed."""

from __future__ import annotations

import json
import pathlib
import pwd
import re
from collections.abc import Iterator
from typing import Any

from account import Result
from harness import SystemTest


class LearnTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.proposed = self.work / "proposed.profile"

    def run_sbox(self, *arguments: str, **options: Any) -> Result:
        return self.sbox(*arguments, **options)

    def learn(self, *arguments: str, status: int = 0, **options: Any) -> Result:
        """Learns, and writes the proposal to a file of this test."""
        result = self.run_sbox("learn", "--yes", "--output", str(self.proposed), "--force", *arguments, **options)
        self.assertEqual(result.status, status, result)
        return result

    def lines(self) -> list[str]:
        """The proposal without its comments: "SECTION.KEY = VALUE", each element of a list by itself."""
        return list(lines_of(self.proposed.read_text()))

    def again(self, *program: str, **options: Any) -> Result:
        """Runs the program by the proposal."""
        return self.run_sbox("-p", str(self.proposed), "--", *program, **options)

    def told(self, *arguments: str, **options: Any) -> dict[str, Any]:
        result = self.run_sbox("learn", "--json", *arguments, **options)
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)  # type: ignore[no-any-return]

    def in_home(self, path: pathlib.Path) -> str:
        return f"~/{path.relative_to(self.account.home)}"

    @property
    def folder(self) -> pathlib.Path:
        """Where the user's own profiles are."""
        return pathlib.Path(pwd.getpwuid(self.account.uid).pw_dir) / ".config" / "sbox" / "profiles"


def lines_of(text: str) -> Iterator[str]:
    section = key = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if found := re.fullmatch(r"\[(\S+)\]", line):
            section = found[1]
        elif line.startswith(" "):
            yield f"{section}.{key} = {line.strip()}"
        else:
            key, _, value = line.partition(" =")
            if value and key != "description":
                yield f"{section}.{key} ={value}"
