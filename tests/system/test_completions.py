"""Completions in real shells, and "Open in sandbox" of file managers."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import unittest

from account import ROOT, SBOX
from harness import SystemTest, namespace

SCRIPTS = ROOT / "contrib" / "completions"


class CompletionTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.home = self.directory("home", 0o700)
        share = self.directory("share")
        entry = "[Desktop Entry]\nType=Application\nExec=thing\n"
        self.account.file(share / "applications/org.test.Thing.desktop", entry)
        self.account.file(self.home / "profile-file.txt")
        path = f"{SBOX.parent}:/usr/bin:/bin"
        self.env = {"HOME": str(self.home), "XDG_DATA_DIRS": str(share), "PATH": path, "TERM": "dumb"}

    def complete(self, *words: str) -> list[str]:
        result = self.sbox("complete", *words, env=self.env)
        self.assertEqual(result.status, 0, result)
        return [line.split("\t")[0] for line in result.out.splitlines()]


class Candidates(CompletionTest):
    def test_the_first_word_is_a_command_an_option_or_a_program(self) -> None:
        found = self.complete("")
        self.assertTrue({"run", "explain", "enable", "--profile", ":program 0"} <= set(found), found)
        self.assertEqual(self.complete("expl"), ["explain", ":program 0"])
        self.assertEqual(self.complete("--dry"), ["--dry-run"])

    def test_options_and_their_values(self) -> None:
        self.assertIn("firefox", self.complete("-p", ""))
        self.assertEqual(self.complete("--profile=fire"), ["--profile=firefox"])
        self.assertEqual(self.complete("--profile=lib/view"), ["--profile=lib/viewer"])
        self.assertEqual(self.complete("run", "-s", "network.mo"), ["network.mode="])
        self.assertEqual(self.complete("-s", "network.mode=p"), ["network.mode=private"])
        self.assertEqual(self.complete("--set=devices.gpu="), ["--set=devices.gpu=yes", "--set=devices.gpu=no"])
        self.assertNotIn("profile.include=", self.complete("-s", "profile."))

    def test_the_program_s_words_are_its_own(self) -> None:
        for words in (["firefox", ""], ["-v", "firefox", "--pro"], ["-p", "x", "--", ""], ["run", "--", "list", ""]):
            with self.subTest(words=words):
                last = self.complete(*words)
                self.assertEqual(len(last), 1, last)
                self.assertRegex(last[0], r"\A:program \d\Z")

    def test_arguments_of_commands(self) -> None:
        self.assertIn("evince", self.complete("explain", ""))
        self.assertTrue({":files", "camera", "microphone"} <= set(self.complete("explain", "evince", "")))
        self.assertEqual(self.complete("explain", "evince", "@deb"), ["@debug", ":files"])
        self.assertEqual(self.complete("doctor", "--"), ["--json"])
        self.assertEqual(self.complete("enable", "org"), ["org.test.Thing"])
        self.assertIn("--system", self.complete("disable", "-"))

    def test_export_takes_the_options_of_a_run_and_its_own(self) -> None:
        self.assertEqual(self.complete("export", "--o"), ["--oci"])
        self.assertEqual(self.complete("--o"), [])
        self.assertEqual(self.complete("export", "--oci", ""), [":files"])
        self.assertEqual(self.complete("export", "--oci", "x", "-s", "network.mo"), ["network.mode="])
        self.assertEqual(self.complete("export", "--oci=x", "cat", ""), [":program 2"])
        self.assertEqual(self.complete("export", "--oci", "x", "cat", ""), [":program 3"])


class Shells(CompletionTest):
    """Each case: what is typed before the tabulator key, and what must then be on the line."""

    CASES = [
        ("sbox expl", "sbox explain "),
        ("sbox enable org.te", "sbox enable org.test.Thing "),
        ("sbox -p keepassxc-c", "sbox -p keepassxc-cli "),
        ("sbox -s network.mo", "sbox -s network.mode="),
        ("sbox run -s network.mode=pri", "sbox run -s network.mode=private "),
        ("sbox -- /usr/bin/readlin", "sbox -- /usr/bin/readlink "),
        ("sbox -v cat profile-fi", "sbox -v cat profile-file.txt "),
    ]

    def interactive(self, shell: list[str], setup: str, cases: list[tuple[str, str]]) -> None:
        """Types each case and the tabulator key into the shell on a terminal, and has it print what that gives."""
        terminal, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 200, 0, 0))
        child = self.account.start(shell, self.env, stdin=slave, stdout=slave, stderr=slave, cwd=str(self.home))
        os.close(slave)
        self.addCleanup(os.close, terminal)
        os.write(terminal, f"{setup}; printf '[%s]' ready\n".encode())
        self.read_until(terminal, "[ready]")
        begin_of_line, end_of_line = b"\x01", b"\x05"
        for typed, expected in cases:
            with self.subTest(shell=shell[0], typed=typed):
                os.write(terminal, typed.encode() + b"\t" + begin_of_line + b"printf '[%s].' '" + end_of_line + b"'\n")
                self.assertIn(f"[{expected}].", self.read_until(terminal, "]."))
        self.account.end(child)

    def read_until(self, terminal: int, end: str) -> str:
        text = ""
        while end not in text.replace("[%s]", ""):
            if not select.select([terminal], [], [], 20)[0]:
                self.fail(f"no {end!r} in {text!r}")
            text += os.read(terminal, 65536).decode(errors="replace")
        return text

    def test_bash(self) -> None:
        self.interactive(["bash", "--norc", "--noprofile", "-i"], f"PS1=; . {SCRIPTS}/sbox.bash", self.CASES)

    def test_zsh(self) -> None:
        setup = f"PS1=; fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -D; bindkey -e"
        # It takes the space after a whole word away again when the cursor is moved.
        self.interactive(["zsh", "-f", "-i"], setup, [(typed, expected.rstrip(" ")) for typed, expected in self.CASES])

    def test_fish(self) -> None:
        for typed, expected in self.CASES:
            with self.subTest(typed=typed):
                script = f"source {SCRIPTS}/sbox.fish; complete -C {typed!r}"
                result = self.account.run(["fish", "--no-config", "-c", script], self.env, cwd=str(self.home))
                last = expected.strip().split(" ")[-1]
                self.assertIn(last, [line.split("\t")[0] for line in result.out.splitlines()], result)


class FileManagers(SystemTest):
    def test_a_file_is_opened_by_the_program_for_its_type_in_a_sandbox(self) -> None:
        home, share, tools = self.directory("home", 0o700), self.directory("share"), self.directory("tools")
        program = '#!/bin/sh\nreadlink /proc/self/ns/mnt\nfile=$1\n[ $# = 1 ] || { echo "$1|$2|$4" && file=$3; }\ncat "$file"\necho x >>"$file"\n'
        viewer = self.account.file(tools / "viewer-x", program, 0o755)
        document = self.account.file(home / "a b;$(touch x).txt", "the text\n")
        env = {"HOME": str(home), "XDG_DATA_DIRS": f"{share}:/usr/share", "PATH": f"{SBOX.parent}:/usr/bin:/bin"}
        defaults = "[Default Applications]\ntext/plain=org.test.Viewer.desktop\n"
        self.account.file(home / ".config/mimeapps.list", defaults)
        words = r'"{viewer}" --x "a \\\\\\\\ \\$b" %u %i 100%%'
        for command, said in (
            (f"{viewer} %f", []),
            ("env A=1 B=2 " + words.format(viewer=viewer), [r"--x|a \ $b|100%"]),
            (f"{SBOX} run --notify -- {viewer}", []),
        ):
            with self.subTest(command=command):
                entry = f"[Desktop Entry]\nType=Application\nName=x\nExec={command}\nMimeType=text/plain;\n"
                self.account.file(share / "applications/org.test.Viewer.desktop", entry)
                script = str(ROOT / "contrib/file-managers/sbox-open")
                result = self.account.run([script, document.name], env, cwd=str(home))
                lines = result.out.splitlines()
                self.assertEqual(lines[1:], [*said, "the text"], result)
                self.assertNotEqual(lines[0], namespace("self", "mnt"))
                self.assertEqual(document.read_text(), "the text\n")

    def test_a_type_without_a_program_is_told(self) -> None:
        home = self.directory("home", 0o700)
        # Whoever names the file does not write to the terminal, nor markup into the notification.
        document = self.account.file(home / "a\x1b[2K\nsbox: \\074b>&.txt", "the text\n")
        shown, tools = self.work / "shown", self.directory("tools")
        self.account.file(tools / "notify-send", f"#!/bin/sh\nshift 4\nprintf %s \"$1\" >{shown}\n", 0o755)
        env = {"HOME": str(home), "XDG_DATA_DIRS": str(home), "PATH": f"{tools}:{SBOX.parent}:/usr/bin:/bin"}
        result = self.account.run([str(ROOT / "contrib/file-managers/sbox-open"), str(document)], env)
        said = rf"{home}/a?[2K?sbox: \074b>&.txt: no program is known for text/plain"
        self.assertEqual(result.err, f"sbox-open: {said}\n")
        # notify-send makes one of two backslashes.
        self.assertEqual(shown.read_text(), said.replace("\\", r"\\").replace("&", "&amp;").replace(">", "&gt;"))


if __name__ == "__main__":
    unittest.main()
