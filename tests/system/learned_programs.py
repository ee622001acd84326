"""Real programs without a shipped profile: learned, they do the same by what was proposed, and see nothing else."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import wave

from desktop import display, monitored, sound
from harness import wait_for
from learning import LearnTest


class Programs(LearnTest):
    def setUp(self) -> None:
        super().setUp()
        self.other = self.file("other", "other\n")

    def assert_blind(self, **options: object) -> None:
        """Nothing else of the home is there."""
        self.assertEqual(self.again("sh", "-c", f"cat {self.other} || echo none", **options).out, "none\n")

    def test_sqlite_changes_its_database(self) -> None:
        base = self.directory("base") / "base.db"
        program = ("sqlite3", str(base), "create table if not exists t(n); insert into t values(7); select count(*) from t")
        self.assertEqual(self.learn(*program).out, "1\n")
        self.assertFalse(base.exists())
        self.assertEqual(self.lines(), [f"home.keep = {self.in_home(base.parent)}"])
        self.assertEqual([self.again(*program).out for _ in range(2)], ["1\n", "2\n"])
        with sqlite3.connect(base) as database:
            self.assertEqual(database.execute("select n from t").fetchall(), [(7,), (7,)])
        self.assert_blind()

    def test_notify_send_is_heard(self) -> None:
        with monitored(self.account) as (bus, heard):
            self.learn("notify-send", "first", env=bus)
            self.assertEqual(self.lines(), ["profile.include = lib/notifications"])
            wait_for(lambda: 'string "first"' in heard.read_text(), what="the first")
            self.assertEqual(self.again("notify-send", "second", env=bus).status, 0)
            wait_for(lambda: 'string "second"' in heard.read_text(), what="the second")
            call = ("gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/", "-m")
            method = "org.freedesktop.DBus.NameHasOwner"
            names = self.account.run([*call, "org.freedesktop.DBus.ListNames"], bus).out
            self.assertIn("org.freedesktop.Notifications", names, "the control")
            owned = self.again(*call, method, "org.knopwob.dunst", env=bus)
            self.assertNotIn("true", owned.out)
            self.assert_blind(env=bus)

    def test_paplay_is_heard(self) -> None:
        tone = self.file("tone.wav")
        with wave.open(str(tone), "wb") as file:
            file.setparams((1, 2, 44100, 0, "NONE", ""))
            file.writeframes(b"".join((20000 if i // 50 % 2 else -20000).to_bytes(2, "little", signed=True) for i in range(44100)))
        with sound(self.account) as speaker:
            self.learn("paplay", str(tone))
            self.assertEqual(self.lines()[:1], ["profile.include = lib/audio"])
            self.assertIn("files.arguments = read-only", self.lines())
            self.assertFalse([line for line in self.lines() if "display" in line or "network" in line or "gui" in line])
        with sound(self.account) as speaker:
            self.assertLess(speaker.peak(), 100)
            self.assertEqual(self.again("paplay", str(tone)).status, 0)
            speaker.wait_for_sound()
        self.assert_blind()

    def test_an_editor_changes_the_file_that_it_is_given(self) -> None:
        if not shutil.which("l3afpad"):
            self.skipTest("l3afpad is not installed")
        text = self.file("text.txt", "text\n")
        with display(self.account) as screen:

            def edit(*words: str) -> None:
                child = self.start(*words, "l3afpad", str(text), env=screen.env, stdout=subprocess.DEVNULL)
                window = screen.wait_for_window("text.txt")
                screen.tool("xdotool", "windowfocus", "--sync", window)
                screen.tool("xdotool", "type", "x")
                wait_for(lambda: any("*text.txt" in title for _, title in screen.windows()), what="a change")
                screen.tool("xdotool", "key", "ctrl+s")
                wait_for(lambda: not any("*text.txt" in title for _, title in screen.windows()), what="it is saved")
                screen.tool("xdotool", "key", "ctrl+q")
                self.assertEqual(child.wait(20), 0)

            edit("learn", "--yes", "--output", str(self.proposed))
            self.assertEqual(text.read_text(), "text\n")
            self.assertEqual(self.lines(), ["profile.include = lib/editor"])
            edit("-p", str(self.proposed))
            self.assertEqual(text.read_text(), "xtext\n")
            self.assert_blind(env=screen.env)
            plain = self.again("sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1; id -u", env=screen.env)
            self.assertEqual(plain.out, f"    lo\n{self.account.uid}\n")

    def test_what_a_program_of_the_command_line_sees_of_a_desktop_is_nothing(self) -> None:
        with display(self.account) as screen:
            self.learn("cat", str(self.other), env=screen.env)
            self.assertEqual(self.lines(), ["files.arguments = read-only"])
            self.assertNotEqual(self.again("xwininfo", "-root", env=screen.env).status, 0)
            self.assertEqual(self.sbox("xwininfo", "-root", env=screen.env).status, 0, "the control")
