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

ROOT = pathlib.Path(__file__).parents[2]
MANUAL = ROOT / "man/sbox.1"

# Of each answer: the part of the manual that has its fields, as its first line and the line behind it, and the sources
# that name them.
PLACES = {
    "list": (".Cm list\nprints", ".Pp", "src/cli/list.cc"),
    "top": (".Cm top\nadds", ".Pp", "src/cli/top.cc"),
    "enable": (".It Fl \\-list\nPrint", ".El", "src/cli/enable.cc"),
    "diff": (".Fl \\-json\nprints a list", ".Sh", "src/cli/diff.cc", "src/cli/snapshot.cc", "src/cli/overlay.cc"),
    "audit": (".It Cm audit ", ".It", "src/cli/audit.cc"),
    "explain": (".Sh ANSWERS AS JSON", ".Sh LEARNING", "src/cli/answer.cc", "src/cli/explain.cc"),
    "learn": (".It Fl \\-json\nWrite nothing", ".It", "src/cli/proposal_text.cc"),
    "log": (".Fl \\-json\nprints an object with\n.Cm runs", ".Sh", "src/cli/log.cc"),
    "--dry-run": (".Sh PLAN AS JSON", ".Sh DOCTOR AS JSON", "src/plan/fields.h"),
    "doctor": (".Sh DOCTOR AS JSON", ".Pp", "src/cli/doctor.cc"),
}
PLACES["snapshot"] = PLACES["diff"]
INSTRUCTION = {"jump_false", "jump_true", "operand"}  # of a filter, printed as digits
COMMANDS = {"audit", "diff", "explain", "learn", "list", "snapshot", "top"}


def fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from fields(each)


def documented(answer: str) -> set[str]:
    """The words that the manual marks as such where it speaks of this answer."""
    begin, end = PLACES[answer][:2]
    _, found, text = MANUAL.read_text().partition(f"\n{begin}")
    assert found, answer
    words: set[str] = set()
    for line in (begin + re.split(rf"\n{re.escape(end)}\b", text)[0]).splitlines():
        macro = ""
        for word in line[1:].split() if line.startswith(".") else []:
            if re.fullmatch("[A-Z][a-z]", word):
                macro = word
            elif macro == "Cm" and re.fullmatch("[a-z][a-z_]*", word):
                words.add(word)
    return words - COMMANDS


def in_the_source(answer: str) -> set[str]:
    text = "\n".join((ROOT / name).read_text() for name in PLACES[answer][2:])
    found = set(re.findall(r"(?:\{|^ +|\},\s+)\{\"([a-z_]+)\", |\[\"([a-z_]+)\"\]|visit\(\"([a-z_]+)\"", text, re.MULTILINE))
    names = {name + end for name in re.findall(r"put_text\(\w+, \"([a-z]+)\"", text) for end in ("", "_hex")}
    return ({word for words in found for word in words if word} | names) - INSTRUCTION


class Pages(unittest.TestCase):
    def test_a_quotation_ends_with_its_line(self) -> None:
        for page in ROOT.glob("man/*.[1-8]*"):
            self.assertEqual(re.findall(r"(?m)^\.(?:Pq )?Ql .* (?:No|Ql) .*", page.read_text()), [], page.name)


class Examples(InstanceTest):
    def test_of_profiles_are_profiles(self) -> None:
        text = (ROOT / "man/sbox-profile.5.in").read_text().replace("\\-", "-")
        examples = [each for each in re.findall(r"^\.Bd -literal -offset indent\n(.*?)\.Ed", text, re.S | re.M) if re.match(r"[\[#]", each)]
        self.assertGreaterEqual(len(examples), 7)
        drop_in = pathlib.Path(f"~{self.account.name}").expanduser() / ".config/sbox/profiles/firefox.profile.d/mine.conf"
        self.addCleanup(shutil.rmtree, drop_in.parent, ignore_errors=True)
        for example in examples:
            with self.subTest(example):
                changes_another = "-=" in example
                file = str(self.account.file(drop_in, example)) if changes_another else self.profile(example)
                result = self.sbox("show", "firefox" if changes_another else file)
                self.assertEqual((result.status, result.err), (0, ""))
                self.assertRegex(result.out, f"(?m)^# {re.escape(file)}:")


class Json(InstanceTest):
    def assert_documented(self, least: int, *arguments: str, **settings: Any) -> None:
        result = self.sbox(*arguments, **settings)
        self.assertIn(result.out[:1], ("{", "["), result)
        found = set(fields(json.loads(result.out)))
        self.assertGreaterEqual(len(found), least, result)
        self.assertEqual(sorted(found - documented(arguments[0])), [], arguments)

    def test_fields_of_the_source_are_documented_where_they_belong_and_no_others_are(self) -> None:
        for answer in PLACES:
            with self.subTest(answer):
                self.assertEqual(in_the_source(answer), documented(answer))

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
