"""[home] recover: what a program left in an overlay is offered by a notification, and taken over when somebody says so."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shlex
import subprocess
import unittest
from collections.abc import Iterator

import test_terminal
from account import SBOX, Result
from desktop import monitored
from harness import processes, read_process, wait_for
from test_overlay import OverlayTest

RECOVER = ("-s", "home.recover=~/Downloads")
LEAVE = "mkdir -p Downloads/new; echo a > Downloads/a; echo b > Downloads/new/b; ln -s a Downloads/link; echo c > other"


class RecoverTest(OverlayTest):
    @contextlib.contextmanager
    def desktop(self) -> Iterator[None]:
        self.account.directory(self.home / "Downloads")
        with monitored(self.account) as (self.bus, self.heard):
            yield
            self.dunst("close-all")
            self.wait_for_end()

    def dunst(self, *words: str) -> str:
        result = self.account.run(["dunstctl", *words], self.bus)
        self.assertEqual(result.status, 0, result)
        return result.out.strip()

    def leave(self, script: str, *options: str) -> Result:
        result = self.run_in(script, *(options or RECOVER), env={"HOME": str(self.home)} | self.bus)
        self.assertEqual((result.status, result.err), (0, ""), result)
        return result

    def ephemeral(self, script: str, *options: str) -> Result:
        return self.sbox("--ephemeral", *RECOVER, *options, "--", "/bin/sh", "-c", script,
                         env={"HOME": str(self.home)} | self.bus, cwd=str(self.home))

    def told(self, number: int) -> str:
        """What was asked of the desktop by the notification of this number (from 1), when it is there to be answered."""
        def found() -> str:
            calls = self.heard.read_text().split("member=Notify")[1:]
            return calls[number - 1] if len(calls) >= number and "int32" in calls[number - 1] else ""
        said = wait_for(found, what=f"notification {number}")
        wait_for(lambda: self.dunst("count", "displayed") != "0", what="notification on the screen")
        return said

    def press(self) -> None:
        self.dunst("action", "0")

    def waiting(self) -> list[int]:
        """Processes of the front end that are there besides a sandbox."""
        return [pid for pid in processes() if read_process(pid, "comm").strip() in ("sbox", "notify-send")
                and f"HOME={self.home}" in read_process(pid, "environ")]

    def wait_for_end(self) -> None:
        wait_for(lambda: not self.waiting(), what="the one that waits to end")

    def text(self, name: str) -> str:
        return (self.home / name).read_text()


class Overlay(RecoverTest):
    def test_files_are_kept_when_somebody_says_so_and_not_before(self) -> None:
        with self.desktop():
            self.leave(LEAVE)
            said = self.told(1)
            self.assertIn("sh left 2 files", said)
            self.assertIn("Keep all", said)
            self.assertIn("~/Downloads/a  2", said)
            self.assertIn("~/Downloads/new/b", said)
            self.assertNotIn("other", said)
            self.assertNotIn("link", said)
            self.assertEqual(os.listdir(self.home / "Downloads"), [])
            self.assertEqual(self.leave("cat Downloads/a").out, "a\n", "the overlay serves the next run meanwhile")
            self.press()
            wait_for((self.home / "Downloads/new/b").exists, what="the files")
            self.wait_for_end()
            self.assertEqual((self.text("Downloads/a"), self.text("Downloads/new/b")), ("a\n", "b\n"))
            self.assertEqual(self.kinds(), {"other": "added", "Downloads/link": "added"})
            self.assertFalse((self.home / "other").exists())

    def test_what_is_dismissed_stays_in_the_overlay_and_is_not_offered_again(self) -> None:
        with self.desktop():
            self.leave("echo a > Downloads/a")
            self.told(1)
            self.dunst("close")
            self.wait_for_end()
            self.assertEqual(os.listdir(self.home / "Downloads"), [])
            self.assertEqual(self.kinds(), {"Downloads/a": "added"})
            self.leave("cat Downloads/a; echo > elsewhere")
            self.wait_for_end()
            self.leave("echo b > Downloads/b")
            said = self.told(2)
            self.assertIn("~/Downloads/b", said)
            self.assertNotIn("~/Downloads/a", said)

    def test_without_a_desktop_nothing_happens(self) -> None:
        self.account.directory(self.home / "Downloads")
        for bus in ({}, {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}):
            self.bus = bus
            self.leave("echo a > Downloads/a")
            self.wait_for_end()
            self.assertEqual(os.listdir(self.home / "Downloads"), [])
            self.assertEqual(self.kinds(), {"Downloads/a": "added"})

    def test_a_file_that_the_program_did_not_see_is_not_replaced(self) -> None:
        with self.desktop():
            self.leave("echo theirs > 'Downloads/it'\"'\"'s'; echo b > Downloads/b")
            self.told(1)
            self.put("Downloads/it's", "mine\n")
            self.press()
            said = self.told(2)
            self.assertEqual(self.text("Downloads/it's"), "mine\n")
            self.assertEqual(self.text("Downloads/b"), "b\n", "the control: the rest was kept")
            self.assertIn("the host's file changed since", said)
            line = re.search(r"^sbox (commit --force .*?)\"?$", said, re.MULTILINE)
            assert line, said
            self.command(*shlex.split(line[1]))
            self.assertEqual(self.text("Downloads/it's"), "theirs\n")

    def test_what_changed_after_the_question_is_not_kept(self) -> None:
        with self.desktop():
            self.leave("echo shown > Downloads/a")
            self.told(1)
            self.changed("echo other > Downloads/a")
            self.press()
            self.assertIn("it changed after you were asked", self.told(2))
            self.assertEqual(os.listdir(self.home / "Downloads"), [])

    def test_while_the_next_run_has_the_overlay_it_is_told_what_to_do(self) -> None:
        with self.desktop():
            self.leave("echo a > Downloads/a")
            self.told(1)
            run = self.start("-s", "home.mode=overlay", "--name", "o", "--", "/bin/sh", "-c", "echo ready; cat",
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, **self.at_home({}))
            assert run.stdout
            self.assertEqual(run.stdout.readline(), b"ready\n")
            self.press()
            self.assertIn("it is in use (end the sandbox that has it, then sbox commit o)", self.told(2))
            run.communicate(timeout=20)
            self.assertEqual(os.listdir(self.home / "Downloads"), [])

    def test_names_are_text_and_only_some_are_shown(self) -> None:
        name = "<b>x<i>&\\074i\\076\\n\n\x1b[2J\u202e'" + "y" * 150 + ".exe"
        with self.desktop():
            self.leave(f"echo hostile > Downloads/{shlex.quote(name)}; for i in 1 2 3 4 5 6 7 8; do echo > Downloads/z$i; done")
            said = self.told(1)
            self.assertIn("sh left 9 files", said)
            self.assertIn(r"~/Downloads/&lt;b&gt;x&lt;i&gt;&amp;\074i\076\n\x0a\x1b[2J\u{202e}'", said)
            self.assertIn("yyy.exe  8", said)
            self.assertNotIn("y" * 100, said)
            self.assertIn("and 4 more", said)
            self.assertEqual(len(re.findall("~/Downloads/", said)), 5)
            self.press()
            wait_for((self.home / "Downloads/z8").exists, what="the files")
            self.wait_for_end()
            self.assertEqual(self.text(f"Downloads/{name}"), "hostile\n")

    def test_from_a_terminal_nothing_of_it_is_held(self) -> None:
        with self.desktop():
            variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in (self.bus | {"HOME": str(self.home)}).items())
            words = shlex.join([str(SBOX), "-s", "home.mode=overlay", *RECOVER, "--name", "o", "--", "/bin/sh", "-c", "echo a > Downloads/a; tty; exit 3"])
            terminal = test_terminal.Terminal(self, "bash", "-c", f"cd {self.home}; {variables} {words}; echo status $?")
            terminal.expect("/dev/pts/")
            terminal.expect("status 3")
            terminal.child.wait(10)
            self.told(1)
            waiting = self.waiting()
            self.assertTrue(waiting)
            for pid in waiting:
                held = [os.readlink(path) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
                self.assertEqual([name for name in held if name.startswith("/dev/pts") or "overlays" in name], [])
            self.press()
            wait_for((self.home / "Downloads/a").exists, what="the file")

    def test_a_profile_without_an_overlay_is_refused(self) -> None:
        profile = self.file("x.profile", "[profile]\ndescription = x\n[home]\nrecover = ~/Downloads\n")
        result = self.refused("-p", str(profile), "--", "true", **self.at_home({}))
        self.assertIn(f"{profile}:4: recover '~/Downloads': there is no overlay to take files over from", result.err)
        self.assertIn("--ephemeral", result.err)


class ThrowAway(RecoverTest):
    @property
    def runs(self) -> pathlib.Path:
        return self.home / ".local/share/sbox/ephemeral"

    def test_what_is_kept_is_there_and_the_rest_is_gone(self) -> None:
        with self.desktop():
            for number, mode in enumerate(("empty", "overlay", "host"), 1):
                result = self.ephemeral(f"mkdir -p Downloads; echo {mode} > Downloads/{mode}; echo c > other; exit 7", "-s", f"home.mode={mode}")
                self.assertEqual(result.status, 7, result)
                self.assertIn(f"~/Downloads/{mode}", self.told(number))
                self.press()
                wait_for((self.home / "Downloads" / mode).exists, what="the file")
                wait_for(lambda: not self.runs.exists(), what="the overlay to go")
                self.wait_for_end()
                self.assertFalse((self.home / "other").exists())

    def test_what_is_dismissed_is_gone(self) -> None:
        with self.desktop():
            self.assertEqual(self.ephemeral("mkdir -p Downloads; echo a > Downloads/a").status, 0)
            self.told(1)
            self.assertEqual(self.sbox("--", "true", **self.at_home({})).status, 0)
            self.assertTrue(self.runs.exists(), "another start does not take it away")
            self.dunst("close")
            wait_for(lambda: not self.runs.exists(), what="the overlay to go")
            self.assertEqual(os.listdir(self.home / "Downloads"), [])

    def test_a_file_of_the_host_is_replaced_after_a_second_question_alone(self) -> None:
        with self.desktop():
            for number, answer, content in ((1, "close", "mine\n"), (3, "action", "theirs\n")):
                self.put("Downloads/a", "mine\n")
                self.ephemeral("mkdir -p Downloads; echo theirs > Downloads/a")
                self.told(number)
                self.press()
                said = self.told(number + 1)
                self.assertIn("Replace", said)
                self.assertEqual(self.text("Downloads/a"), "mine\n")
                self.press() if answer == "action" else self.dunst("close")
                wait_for(lambda: not self.runs.exists(), what="the overlay to go")
                self.assertEqual(self.text("Downloads/a"), content)


if __name__ == "__main__":
    unittest.main()
