"""Snapshots of overlay homes: an overlay is set back to exactly what it was, or it is what it is."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
from typing import Any

from account import SBOX
from test_overlay import OverlayTest

# Makes one of each kind of change that an overlay can hold.
ALL_KINDS = """
import os, subprocess
for name in ("gone", "directory/file"): os.unlink(name)
subprocess.run(["rm", "-r", "anew"], check=True); os.mkdir("anew"); open("anew/other", "w").write("new")
open("changed", "w").write("changed"); os.symlink("changed", "link"); os.mkfifo("pipe")
open("one", "w").write("several names"); os.link("one", "two"); os.link("one", "anew/three")
os.setxattr("one", "user.note", b"kept"); os.setxattr("anew", "user.note", b"of a directory")
fd = os.open("sparse", os.O_WRONLY | os.O_CREAT); os.pwrite(fd, b"end", 64 << 20); os.close(fd)
os.mkdir("closed"); open("closed/file", "w").close(); os.chmod("closed", 0o500); os.chmod("one", 0o751)
for name in ("closed", "one", "changed", "anew/other"): os.utime(name, (1000000000, 1000000000))
for number in range(3): os.unlink(f"many/{number}")
"""

# What the kernel writes anew where it is missing, and which says nothing of what is seen.
KERNELS_OWN = ("user.overlay.impure", "user.overlay.uuid", "user.overlay.origin")


def layer(root: pathlib.Path) -> dict[str, Any]:
    """All that is in a directory, as the kernel and its overlays see it; which names are of one file, too."""
    found: dict[str, Any] = {}
    first: dict[int, str] = {}
    for base, directories, files in os.walk(root):
        for name in sorted([*directories, *files, "."]):
            path = os.path.join(base, name)
            status = os.lstat(path)
            entry: list[Any] = [oct(status.st_mode), status.st_mtime_ns]
            if stat.S_ISREG(status.st_mode):
                entry += [status.st_size, status.st_blocks, status.st_nlink, first.setdefault(status.st_ino, path[len(str(root)):])]
                entry.append(pathlib.Path(path).read_bytes() if status.st_size < 1 << 20 else b"")
            if stat.S_ISLNK(status.st_mode):
                entry.append(os.readlink(path))
            if stat.S_ISCHR(status.st_mode):
                entry = [oct(status.st_mode & stat.S_IFMT(status.st_mode)), status.st_rdev]
            else:
                names = [each for each in os.listxattr(path, follow_symlinks=False) if each not in KERNELS_OWN]
                entry.append({each: os.getxattr(path, each, follow_symlinks=False) for each in names})
            found[os.path.relpath(path, root)] = entry
    return found


class SnapshotTest(OverlayTest):
    @property
    def place(self) -> pathlib.Path:
        return self.upper.parent

    def labels(self, overlay: str = "o") -> list[str]:
        return [each["label"] for each in json.loads(self.command("snapshot", "--list", "--json", overlay).out)]

    def snapshot(self, label: str) -> pathlib.Path:
        return self.place / "snapshots" / label / "upper"


class Snapshots(SnapshotTest):
    def test_an_overlay_is_set_back_to_all_that_it_held(self) -> None:
        for name in ("gone", "directory/file", "anew/a", "anew/b", "changed", *(f"many/{each}" for each in range(3))):
            self.put(name)
        self.assertEqual(self.python_in(ALL_KINDS).status, 0)
        held, changes = layer(self.upper), self.changes()
        self.assertIn("user.overlay.opaque", str(held["anew"]), "the control: there is an opaque directory")
        self.command("snapshot", "o", "good")
        self.assertEqual(layer(self.snapshot("good")), held)
        self.changed("chmod 700 closed; rm -rf * ; echo bad > changed; echo bad > worse; mkdir many; echo > many/n")
        self.assertNotEqual(layer(self.upper), held)
        self.command("restore", "o", "good")
        self.assertEqual(layer(self.upper), held)
        self.assertEqual(self.changes(), changes)
        result = self.run_in("cat changed one anew/three; ls anew many; test ! -e gone && test ! -e anew/a; echo $?")
        self.assertEqual(result.out, "changedseveral namesseveral namesanew:\nother\nthree\n\nmany:\n0\n", result)
        os.chmod(self.upper / "closed", 0o700)

    def test_without_a_name_it_is_the_time_and_the_last_one(self) -> None:
        for content in ("one", "two", "three"):
            self.changed(f"printf {content} > file")
            self.command("snapshot", "o")
        labels = self.labels()
        self.assertEqual(len(labels), 3)
        self.changed("printf four > file")
        self.command("restore", "o")
        self.assertEqual(self.run_in("cat file").out, "three")
        self.command("restore", "o", labels[0])
        self.assertEqual(self.run_in("cat file").out, "one")
        self.assertEqual(self.labels(), [*labels, "before-restore"])
        self.command("restore", "o")
        self.assertEqual(self.run_in("cat file").out, "three", "the last that somebody made")

    def test_what_was_there_before_is_kept(self) -> None:
        self.changed("printf one > file")
        self.command("snapshot", "o", "first")
        self.changed("printf two > file; printf more > other")
        two = layer(self.upper)
        self.command("restore", "o", "first")
        self.command("restore", "o", "before-restore")
        self.assertEqual(layer(self.upper), two)
        self.assertEqual(self.run_in("cat file other").out, "twomore")
        self.command("restore", "o", "before-restore")
        self.assertEqual(self.run_in("cat file; ls").out, "onefile\n")

    def test_the_list_says_what_they_hold_and_snapshots_outlive_a_discard(self) -> None:
        self.changed("printf 12345 > file; mkdir dir; printf 123 > dir/more")
        self.command("snapshot", "o", "first")
        self.sbox("-s", "home.mode=overlay", "-s", "home.overlay=p", "--", "touch", "x", **self.at_home({}))
        self.command("snapshot", "p", "other")
        listed = json.loads(self.command("snapshot", "--list", "--json").out)
        facts = [(each["overlay"], each["label"], each["files"], each["bytes"]) for each in listed]
        self.assertEqual(facts, [("o", "first", 2, 8), ("p", "other", 1, 0)])
        self.command("discard", "o")
        self.assertEqual(self.run_in("ls").out, "")
        self.command("discard", "o")
        self.assertEqual(self.labels(), ["first"])
        self.command("restore", "o", "first")
        self.assertEqual(self.run_in("cat dir/more").out, "123")
        self.assertEqual(self.labels(), ["first"], "there was nothing to keep")
        self.command("snapshot", "o", "--delete", "first")
        self.assertEqual(self.labels(), [])
        self.assertFalse((self.place / "snapshots").exists())
        self.command("snapshot", "--delete", "p", "other")
        self.assertEqual(json.loads(self.command("snapshot", "--json").out), [])

    def test_what_changed_on_the_host_since_the_snapshot_is_a_conflict(self) -> None:
        self.put("file")
        self.put("other")
        self.changed("echo one > file; echo one > other")
        self.command("snapshot", "o", "first")
        self.changed("echo two > file")
        self.command("commit", "o")
        self.assertEqual((self.home / "file").read_text(), "two\n")
        self.command("restore", "o", "first")
        self.assertEqual({name: each["conflict"] for name, each in self.changes().items()}, {"file": True})
        self.command("commit", "o", status=1)
        self.assertEqual((self.home / "file").read_text(), "two\n")

    def test_mistakes_are_told(self) -> None:
        self.changed("echo > file")
        self.command("snapshot", "o", "first")
        for arguments, words in (
            (["snapshot", "o", "first"], "there is one of that name"),
            (["snapshot", "o", "before-restore"], "not a name"),
            (["snapshot", "o", "../x"], "not a name"),
            (["snapshot", "o", ".x"], "not a name"),
            (["restore", "o", "frist"], "did you mean 'first'"),
            (["restore", "o", ".."], "none of that name"),
            (["restore", "none"], "none of that name"),
            (["snapshot", "none"], "none of that name"),
            (["snapshot", "../overlays/o"], "none of that name"),
            (["snapshot", "--delete", "o"], "which one"),
            (["snapshot", "--delete", "o", "none"], "none of that name"),
            (["snapshot", "--json", "o"], "goes with --list"),
            (["restore"], "needs the name"),
            (["snapshot"], "needs the name"),
        ):
            with self.subTest(arguments=arguments):
                self.assertIn(words, self.refused(*arguments, **self.at_home({})).err)
        self.command("discard", "o")
        self.changed("true")
        self.assertIn("nothing is changed", self.refused("snapshot", "o", "second", **self.at_home({})).err)

    def test_an_overlay_in_use_is_neither_copied_nor_set_back(self) -> None:
        self.changed("echo one > file")
        self.command("snapshot", "o", "first")
        first = self.start("-s", "home.mode=overlay", "--name", "o", "--", "/bin/sh", "-c",
                           "echo two > file; echo ready; exec cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           **self.at_home({}))
        assert first.stdout and first.stdin
        self.assertEqual(first.stdout.readline(), b"ready\n")
        for arguments in (["snapshot", "o", "second"], ["restore", "o"], ["snapshot", "--delete", "o", "first"]):
            with self.subTest(arguments=arguments):
                self.assertIn("in use", self.refused(*arguments, **self.at_home({})).err)
        self.assertEqual(self.labels(), ["first"], "looking is allowed")
        self.assertEqual((self.upper / "file").read_text(), "two\n")
        first.stdin.close()
        self.assertEqual(first.wait(20), 0)
        first.stdout.close()
        self.command("restore", "o")
        self.assertEqual(self.run_in("cat file").out, "one\n")

    def test_words_of_snapshots_are_completed(self) -> None:
        self.changed("echo > file")
        self.command("snapshot", "o", "first")
        for words, expected in ((["snapshot", ""], "o"), (["restore", "o", "f"], "first"), (["restore", "x", ""], "o")):
            lines = [line.split("\t")[0] for line in self.command("complete", *words).out.splitlines()]
            self.assertIn(expected, lines, words)


class Hostile(SnapshotTest):
    def test_nothing_is_read_or_written_through_what_a_program_left(self) -> None:
        secret = self.file("secret", "secret")
        self.changed("echo > file; mkdir dir; echo > dir/file")
        os.symlink(secret, self.upper / "link")
        os.symlink(secret.parent, self.upper / "way")
        self.command("snapshot", "o", "first")
        copy = self.snapshot("first")
        self.assertTrue((copy / "link").is_symlink() and (copy / "way").is_symlink())
        everything = self.account.run(["grep", "-rl", "secret", str(copy)])
        self.assertEqual(everything.out, "")

    def test_no_right_and_no_foreign_mark_is_copied(self) -> None:
        self.changed("echo > plain; mkdir dir")
        self.plant("set-id", mode=0o6755)
        os.chmod(self.upper / "dir", 0o3777)
        for name in ("redirect", "metacopy", "origin"):
            os.setxattr(self.upper / "dir", f"user.overlay.{name}", b"/")
        self.command("snapshot", "o", "first")
        copy = self.snapshot("first")
        self.assertEqual(oct(os.stat(copy / "set-id").st_mode), oct(0o100755))
        self.assertEqual(oct(os.stat(copy / "dir").st_mode), oct(0o40777))
        self.assertEqual(os.listxattr(copy / "dir"), [])

    def test_a_device_that_is_no_mark_refuses(self) -> None:
        self.root_only()
        self.changed("echo > plain; rm -f plain2")
        os.mknod(self.upper / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        result = self.refused("snapshot", "o", "first", **self.at_home({}))
        self.assertIn("'~/device': it is a device", result.err)
        self.assertEqual(os.listdir(self.place / "snapshots"), [])

    def test_what_cannot_be_copied_is_named_and_leaves_nothing(self) -> None:
        deep = "import os\nfor i in range(800): os.mkdir('deeper'); os.chdir('deeper')"
        for make, words in ((lambda: self.changed("echo x > closed; chmod 0 closed"), "~/closed': it cannot be read"),
                            (lambda: self.changed("rm -f closed; mkdir in; chmod 0 in"), "~/in': it cannot be looked"),
                            (lambda: self.python_in("import os; os.rmdir('in')\n" + deep), "it lies too deep")):
            make()
            result = self.refused("snapshot", "o", "first", **self.at_home({}))
            self.assertIn(words, result.err)
            self.assertEqual((self.labels(), os.listdir(self.place / "snapshots")), ([], []))
        self.changed("rm -r deeper; echo > file")
        self.command("snapshot", "o", "first")

    def test_names_with_control_characters_are_escaped(self) -> None:
        self.changed("echo > file")
        for arguments in (["snapshot", "o", "a\x1b[2J"], ["restore", "o", "a\x1b[2J"], ["snapshot", "\x1b[2J"]):
            self.assertNotIn("\x1b", self.refused(*arguments, **self.at_home({})).err)
        self.command("snapshot", "o", "\u202ename")
        out = self.command("snapshot", "--list", "o").out
        self.assertIn("\\u{202e}name", out)


class Crash(SnapshotTest):
    SNAPSHOT_POINTS = (("mkdirat", 2), ("mkdirat", 4), ("openat", 60), ("copy_file_range", 2), ("linkat", 1), ("mknodat", 1),
                       ("symlinkat", 1), ("fchmod", 3), ("renameat", 1), ("renameat", 3), ("syncfs", 1), ("syncfs", 2))
    RESTORE_POINTS = (("mkdirat", 2), ("mkdirat", 5), ("copy_file_range", 2), ("mknodat", 1), ("syncfs", 1),
                      *(("renameat", number) for number in range(1, 12)), ("unlinkat", 2), ("unlinkat", 3),
                      ("syncfs", 2), ("unlinkat", 5))

    def killed_at(self, call: str, when: int, *arguments: str) -> bool:
        """Whether it came that far."""
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}"]
        argv = ["strace", "-qq", "-o", "/dev/null", *inject, str(SBOX), *arguments]
        result = self.account.run(argv, **self.at_home({}))
        self.assertIn(result.status, (0, -signal.SIGKILL), result)
        return result.status != 0

    def fill(self, number: int) -> None:
        self.home = self.directory(f"home-{number}", 0o700)
        for name in ("gone", "anew/file"):
            self.put(name)
        self.changed("rm -r gone anew; mkdir anew; echo one > anew/one; echo one > file; ln file too; ln -s file link")

    def test_a_snapshot_that_is_killed_is_there_or_not_and_leaves_nothing(self) -> None:
        killed = 0
        for number, (call, when) in enumerate(self.SNAPSHOT_POINTS):
            with self.subTest(call=call, when=when):
                self.fill(number)
                held = layer(self.upper)
                killed += self.killed_at(call, when, "snapshot", "o", "first")
                self.assertEqual(layer(self.upper), held)
                for label in self.labels():
                    self.assertEqual(layer(self.snapshot(label)), held)
                self.command("snapshot", "o", "second")
                self.assertEqual(layer(self.snapshot("second")), held)
                self.assertEqual([name for name in os.listdir(self.place / "snapshots") if name.startswith(".")], [])
        self.assertGreater(killed, len(self.SNAPSHOT_POINTS) - 2, "the control")

    def test_a_restore_that_is_killed_leaves_the_one_or_the_other_and_is_gone_on_with(self) -> None:
        killed, outcomes = 0, set()
        for number, (call, when) in enumerate(self.RESTORE_POINTS):
            with self.subTest(call=call, when=when):
                self.fill(100 + number)
                one = layer(self.upper)
                self.command("snapshot", "o", "first")
                self.changed("rm anew/one link; echo two > file; echo two > more")
                two = layer(self.upper)
                killed += self.killed_at(call, when, "restore", "o", "first")
                # Whoever comes next sees one of the two, a command or a sandbox.
                seen = self.run_in("cat file") if number % 2 else self.command("diff", "o")
                content = (self.upper / "file").read_text()
                self.assertEqual(layer(self.upper), {"one\n": one, "two\n": two}[content], seen)
                outcomes.add(content)
                if content == "one\n":
                    self.assertEqual(layer(self.snapshot("before-restore")), two)
                self.command("restore", "o", "first")
                self.assertEqual(layer(self.upper), one)
                left = {"lock", "record", "taken", "snapshots", "upper"}
                self.assertEqual(set(os.listdir(self.place)) - {"work"}, left)
        self.assertGreater(killed, len(self.RESTORE_POINTS) - 3, "the control")
        self.assertEqual(outcomes, {"one\n", "two\n"})

    def test_a_restore_takes_away_what_a_commit_that_was_killed_left(self) -> None:
        self.put("file", "old")
        self.changed("printf one > file")
        self.command("snapshot", "o", "first")
        self.assertTrue(self.killed_at("renameat", 2, "commit", "o"))
        self.assertEqual([path.name for path in self.home.glob(".sbox*")], [".sbox-commit.new"], "the control")
        self.command("restore", "o")
        self.assertEqual(list(self.home.glob(".sbox*")), [])
        self.assertNotIn("cut short", self.command("diff", "o").err)
        self.command("commit", "o")
        self.assertEqual((self.home / "file").read_text(), "one")

    def test_a_deletion_that_is_killed_is_gone_on_with(self) -> None:
        self.fill(0)
        self.command("snapshot", "o", "first")
        self.assertTrue(self.killed_at("unlinkat", 2, "snapshot", "--delete", "o", "first"))
        self.assertEqual(self.labels(), [])
        self.command("snapshot", "o", "first")
        self.assertEqual(os.listdir(self.place / "snapshots"), ["first"])


if __name__ == "__main__":
    import unittest

    unittest.main()
