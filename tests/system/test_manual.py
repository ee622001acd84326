"""Every field of every answer as JSON is in sbox(1)."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import unittest
from collections.abc import Iterator
from typing import Any

from harness import wait_for
from test_instances import InstanceTest

MANUAL = pathlib.Path(__file__).parents[2] / "man/sbox.1"


def fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from fields(each)


def documented() -> set[str]:
    """The words that the manual marks as such."""
    lines = re.findall(r"^\.(?:It |Pq )?Cm (.*)$", MANUAL.read_text(), re.MULTILINE)
    return {word for line in lines for word in re.findall(r"[a-z][a-z0-9_]*", line)}


class Json(InstanceTest):
    def assert_documented(self, least: int, *arguments: str, **settings: Any) -> None:
        result = self.sbox(*arguments, **settings)
        self.assertIn(result.out[:1], ("{", "["), result)
        found = set(fields(json.loads(result.out)))
        self.assertGreaterEqual(len(found), least, result)
        self.assertEqual(sorted(found - documented()), [], arguments)

    def test_of_a_plan(self) -> None:
        network = ["-s", "network.mode=private", "-s", "network.connect=example.org", "-s", "limits.nice=5"]
        self.assert_documented(50, "--dry-run", *network, "--", "true")
        self.assert_documented(50, "--dry-run", "-s", "home.mode=overlay", "-s", "home.recover=~/Downloads", "--", "true")

    def test_of_what_needs_no_sandbox(self) -> None:
        for words in (["doctor"], ["audit"], ["explain", "viewer"], ["explain", "viewer", "/etc/passwd"], ["enable", "--list"]):
            self.assert_documented(7, words[0], "--json", *words[1:])

    def test_of_running_sandboxes_and_what_they_did(self) -> None:
        home = self.directory("home", 0o700)
        shutil.rmtree(self.account.home / ".config", ignore_errors=True)
        settings: dict[str, Any] = {"env": {"HOME": str(home)}, "cwd": str(home)}
        script = "echo > a; unshare -U true; sleep 999"
        sandbox = self.start("-s", "home.mode=overlay", "--name", self.name, "--", "/bin/sh", "-c", script, **settings)
        self.addCleanup(self.account.end, sandbox)
        wait_for(lambda: "unshare" in self.sbox("log", "--json", self.name, **settings).out, what="a denied call")
        for words in (["list"], ["top"], ["log", self.name]):
            self.assert_documented(6, words[0], "--json", *words[1:], **settings)
        self.account.end(sandbox)
        self.assert_documented(6, "diff", "--json", self.name, **settings)
        self.assertEqual(self.sbox("snapshot", self.name, **settings).status, 0)
        self.assert_documented(3, "snapshot", "--list", "--json", **settings)


if __name__ == "__main__":
    unittest.main()
