"""What `sbox explain PROFILE THING` says is what happens, before and after the line that it tells to write."""

from __future__ import annotations

import json
import pathlib
import re
import unittest
from typing import Any

from desktop import session_bus
from harness import SystemTest, probe, wait_for

WIRE = (pathlib.Path(__file__).parent / "dbus_wire.py").read_text()
NAME = "org.example.Notes"
OWN = 'import sys, signal; wire = Wire(sys.argv[1]); wire.ask(BUS, "/", BUS, "RequestName", ("s", sys.argv[2]), ("u", 4))'
SEE = """
import sys
wire = Wire(os.environ["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1])
sys.exit(1 if wire.ask(BUS, "/", BUS, "GetNameOwner", ("s", sys.argv[1]))[0] else 0)
"""


def option(line: str) -> list[str]:
    """The line of a profile as an option of a run."""
    found = re.fullmatch(r"\[(\S+)\] (\S+) = (.+)", line)
    assert found, line
    section, key, value = found.groups()
    is_list = (section, key) in (("seccomp", "allow"), ("environment", "keep")) or section in ("files", "dbus", "home", "devices")
    return ["-s", f"{section}.{key}{'+=' if is_list and key != 'session' else '='}{value}"]


class Explain(SystemTest):
    def answer(self, *arguments: str, **options: Any) -> dict[str, Any]:
        result = self.sbox("explain", "--json", *arguments, **options)
        self.assertEqual(result.status, 0, result)
        answer: dict[str, Any] = json.loads(result.out)
        return answer

    def test_a_display_out_of_reach_is_no_hindrance_and_is_told(self) -> None:
        for env in ({"DISPLAY": "localhost:10.0"}, {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": ""}):
            with self.subTest(env):
                self.assertIn(next(iter(env)), self.answer("firefox", env=env)["missing"])

    def holds(self, thing: str, *command: str, lines: int = 1, env: dict[str, str] | None = None) -> None:
        """`command` succeeds where `thing` is granted. It does so with the first `lines` that the answer offers."""
        profile = self.profile("[profile]\ndescription = x\n")
        shown = ["-s", f"files.read-only+={probe('syscalls')}"]
        before = self.answer(profile, thing, env=env)
        self.assertEqual(before["answer"], "no", before)
        self.assertNotEqual(self.sbox(*shown, "-p", profile, "--", *command, env=env).status, 0, thing)
        changes = [change["line"] for change in before["changes"][:lines]]
        self.assertEqual(len(changes), lines, before)
        options = [word for line in changes for word in option(line)]
        result = self.sbox(*shown, *options, "-p", profile, "--", *command, env=env)
        self.assertEqual(result.status, 0, (changes, result))
        # The same in a profile: now it says yes, and by which line.
        sections: dict[str, str] = {}
        for line in changes:
            section, assignment = line[1:].split("] ", 1)
            sections[section] = sections.get(section, "") + assignment + "\n"
        text = "[profile]\ndescription = x\n" + "".join(f"[{name}]\n{body}" for name, body in sections.items())
        after = self.answer(self.profile(text, "after"), thing, env=env)
        self.assertNotEqual(after["answer"], "no", after)
        self.assertRegex(after["origin"], rf"/after\.profile:{len(text.splitlines())}\Z")

    def test_of_a_path(self) -> None:
        self.holds(str(self.file("notes.txt", "x")), "cat", str(self.work / "notes.txt"))

    def test_of_a_path_that_has_to_be_quoted(self) -> None:
        path = self.account.file(self.account.base / "a, b.txt", "x")
        self.holds(str(path), "cat", str(path))

    def test_of_a_system_call(self) -> None:
        self.holds("keyctl", "/bin/sh", "-c", '[ "$("$1" keyctl)" = ok ]', "sh", probe("syscalls"))

    def test_of_a_group_that_a_setting_grants(self) -> None:
        self.holds("process_vm_readv", "/bin/sh", "-c", '[ "$("$1" process_vm_readv)" = ok ]', "sh", probe("syscalls"))

    def test_of_a_variable(self) -> None:
        self.holds("EDITOR", "/bin/sh", "-c", 'test "$EDITOR" = vi', env={"EDITOR": "vi"})

    def test_of_a_device(self) -> None:
        self.holds("/dev/fuse", "test", "-c", "/dev/fuse")

    def test_of_a_bus_name(self) -> None:
        with session_bus(self.account) as env:
            socket, ready = env["DBUS_SESSION_BUS_ADDRESS"].split("=", 1)[1], self.work / "ready"
            code = WIRE + OWN + '; open(sys.argv[3], "w"); signal.pause()'
            self.account.daemon(["/usr/bin/python3", "-c", code, socket, NAME, str(ready)])
            wait_for(ready.exists, what="the owner of the name")
            self.holds(NAME, "/usr/bin/python3", "-I", "-S", "-c", WIRE + SEE, NAME, lines=2, env=env)

    def test_the_page_as_json_says_what_the_page_says(self) -> None:
        page, data = self.sbox("explain", "agent", cwd=str(self.work)).out, self.answer("agent", cwd=str(self.work))
        shown = re.sub(r"\s+", " ", page)
        self.assertGreaterEqual(len(data["sections"]), 5)
        for section in data["sections"]:
            self.assertIn(section["heading"], shown)
            for entry in section["entries"]:
                self.assertIn(entry["text"], shown)
                for item in entry["items"]:
                    self.assertIn(item["text"], shown)

    def test_mistakes_are_told(self) -> None:
        for arguments in ([], ["default", "a", "b"], ["--yaml", "default"], ["default", "call:nothing"], ["no-such"]):
            with self.subTest(arguments):
                self.refused("explain", *arguments)


if __name__ == "__main__":
    unittest.main()
