"""What is hidden or read-only stays so when a program outside replaces it: editors, git, daemons that start anew."""

from __future__ import annotations

import contextlib
import ctypes
import pathlib
import shutil
import socket
import subprocess
import time
from typing import Iterator

from harness import SystemTest, status_field, wait_for

SECRET = "secret"
NEW = "new secret"


class Conversation:
    """A shell inside, which answers one line at a time."""

    def __init__(self, test: SystemTest, *options: str, **more: object) -> None:
        script = 'while IFS= read -r line; do eval "$line" 2>&1; printf "\\nends with %s\\n" $?; done'
        argv = ("-p", "agent", "-s", "network.mode=none", *options, "--", "sh", "-c", script)
        self.child = test.start(*argv, cwd=test.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **more)  # fmt: skip
        self.ask("true")

    def ask(self, line: str) -> tuple[str, int]:
        assert self.child.stdin and self.child.stdout
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()
        said = ""
        for part in iter(self.child.stdout.readline, b""):
            if part.startswith(b"ends with "):
                return said.strip(), int(part.split()[-1])
            said += part.decode()
        raise EOFError(self.ended()[1])

    def ended(self) -> tuple[int, str]:
        assert self.child.stderr
        return self.child.wait(timeout=20), self.child.stderr.read().decode()


class Guards(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.place = self.directory("place")

    @contextlib.contextmanager
    def talk(self, *options: str, **more: object) -> Iterator[Conversation]:
        settings = [word for option in options for word in ("-s", option)]
        conversation = Conversation(self, *settings, **more)
        try:
            yield conversation
        finally:
            self.account.end(conversation.child)

    def put(self, path: pathlib.Path, content: str) -> None:
        """As programs save: a new file that takes the name."""
        self.account.file(path.with_name("saved"), content)
        path.with_name("saved").rename(path)

    def put_anew(self, path: pathlib.Path, content: str) -> None:
        """As other programs save: the old one is moved away first, and stays."""
        path.rename(path.with_name(path.name + "~"))
        self.account.file(path, content)

    def sees_nothing(self, inside: Conversation, path: pathlib.Path) -> bool:
        return SECRET not in inside.ask(f"cat {path}")[0] and inside.ask(f"test -s {path}")[1] != 0

    def cannot_write(self, inside: Conversation, path: pathlib.Path) -> bool:
        return "Read-only file system" in inside.ask(f"(: >>{path})")[0]

    def test_a_hidden_file_that_is_replaced_is_hidden_again(self) -> None:
        key = self.file("place/key", SECRET)
        with self.talk(f"files.hide={key}") as inside:
            self.assertTrue(self.sees_nothing(inside, key))
            for put in (self.put, self.put_anew, self.put):
                with self.subTest(how=put.__name__):
                    put(key, NEW)
                    wait_for(lambda: self.sees_nothing(inside, key), what="the cover")
            self.assertEqual(inside.ask(f"cat {key}~")[0].count(SECRET), 0, "what was moved away keeps its cover")
        self.assertEqual(key.read_text(), NEW)

    def test_the_control_a_sandbox_that_does_not_look(self) -> None:
        key = self.file("place/key", SECRET)
        script = f"cat {key}; echo up; read line; cat {key}"
        child = self.account.start(["bwrap", "--bind", "/", "/", "--ro-bind", "/dev/null", str(key), "sh", "-c", script],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        assert child.stdin and child.stdout
        self.assertEqual(child.stdout.readline(), b"up\n")
        self.put(key, NEW)
        self.assertEqual(child.communicate(b"go on\n")[0].decode(), NEW)

    def test_a_read_only_file_that_is_replaced_is_read_only_again(self) -> None:
        rules = self.file("place/rules", "old")
        with self.talk(f"files.read-only={rules}") as inside:
            self.assertTrue(self.cannot_write(inside, rules))
            for put in (self.put, self.put_anew):
                with self.subTest(how=put.__name__):
                    put(rules, f"by {put.__name__}")
                    wait_for(lambda: self.cannot_write(inside, rules), what="the cover")
                    self.assertEqual(inside.ask(f"cat {rules}"), (f"by {put.__name__}", 0))
                    self.assertNotEqual(inside.ask(f"mv {rules} {self.place}/away")[1], 0)

    def test_a_file_that_is_replaced_again_and_again(self) -> None:
        """Some saves in a row, as of `git config`: each takes the cover away that the one before has had renewed."""
        key = self.file("place/key", SECRET)
        with self.talk(f"files.hide={key}") as inside:
            self.put(key, NEW)
            wait_for(lambda: self.sees_nothing(inside, key), what="the supervisor, which looks by then")
            for pause in [0, 0.0003, 0.001, 0.003] * 5:
                for _ in range(10):
                    self.put(key, NEW)
                    time.sleep(pause)
                wait_for(lambda: self.sees_nothing(inside, key), what="the cover")

    def test_directories_above_that_are_replaced(self) -> None:
        key = self.file("place/a/b/key", SECRET)
        rules = self.file("place/a/c/rules", "old")
        with self.talk(f"files.hide={key}", f"files.read-only={rules}") as inside:
            (self.place / "a").rename(self.place / "before")
            self.file("place/a/b/key", NEW)
            self.file("place/a/c/rules", "new")
            wait_for(lambda: self.sees_nothing(inside, key) and self.cannot_write(inside, rules), what="the covers")
            self.assertEqual(inside.ask(f"cat {rules}"), ("new", 0))
            for name in ("a", "a/b", "a/c"):
                rename = f"python3 -c 'import os; os.rename(\"{self.place}/{name}\", \"{self.place}/{name}-x\")'"
                self.assertIn("busy", inside.ask(rename)[0], "it is pinned again")
            self.assertTrue(self.sees_nothing(inside, self.place / "before/b/key"))

    def test_a_hidden_directory_that_is_replaced(self) -> None:
        key = self.file("place/keys/key", SECRET)
        with self.talk(f"files.hide={key.parent}") as inside:
            key.parent.rename(self.place / "before")
            self.file("place/keys/key", NEW)
            wait_for(lambda: inside.ask(f"ls {key.parent}")[1] != 0, what="the cover")
            self.assertTrue(self.sees_nothing(inside, key))

    def test_a_directory_in_place_of_a_hidden_file(self) -> None:
        path = self.file("place/thing", SECRET)
        with self.talk(f"files.hide={path}") as inside:
            path.unlink()
            other = self.directory("other")
            self.account.file(other / "key", NEW)
            other.rename(path)
            wait_for(lambda: inside.ask(f"ls {path}")[1] != 0, what="the cover")

    def test_below_a_directory_that_is_only_read_what_is_gone_may_come_back(self) -> None:
        granted = self.directory("granted")
        key = self.account.file(granted / "key", SECRET)
        with self.talk(f"files.read-only={granted}", f"files.hide={key}") as inside:
            key.unlink()
            time.sleep(1.5)  # longer than where the program could make it
            self.assertEqual(inside.ask(f"test -e {key}")[1], 1)
            self.account.file(key, NEW)
            wait_for(lambda: self.sees_nothing(inside, key), what="the cover")

    def test_a_daemon_that_starts_anew(self) -> None:
        path = self.place / "socket"

        def serve() -> socket.socket:
            server = socket.socket(socket.AF_UNIX)
            server.bind(str(path))
            server.listen()
            self.account.own(path)
            self.addCleanup(server.close)
            return server

        serve().close()
        path.unlink()
        serve()
        connect = f"python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{path}\")'"
        with self.talk() as inside:
            self.assertIn("Error", inside.ask(connect)[0])
            path.unlink()
            time.sleep(1.5)
            serve()
            wait_for(lambda: "Error" in inside.ask(connect)[0], what="the cover")

    def test_a_tmpfs_that_is_uncovered(self) -> None:
        cache = self.directory("place/cache")
        self.account.file(cache / "key", SECRET)
        with self.talk(f"files.tmpfs={cache}") as inside:
            cache.rename(self.place / "before")
            self.directory("place/cache")
            self.account.file(cache / "key", NEW)
            wait_for(lambda: inside.ask(f"ls -A {cache}") == ("", 0), what="the cover")
            inside.ask(f"echo inside >{cache}/file")
        self.assertFalse((cache / "file").exists())

    def test_what_could_be_made_inside_ends_the_sandbox(self) -> None:
        for option in ("hide", "read-only"):
            with self.subTest(option=option):
                path = self.file("place/rules", "old")
                with self.talk(f"files.{option}={path}") as inside:
                    path.unlink()
                    status, err = inside.ended()
                self.assertEqual(status, 137)
                self.assertIn(f"{path}: a program outside took it away", err)
                self.assertIn("command line", err)

    def test_a_link_in_its_place_ends_the_sandbox(self) -> None:
        rules = self.file("place/rules", "old")
        self.file("place/real", "new")
        (self.place / "link").symlink_to("real")
        with self.talk(f"files.read-only={rules}") as inside:
            (self.place / "link").rename(rules)
            status, err = inside.ended()
        self.assertEqual(status, 137)
        self.assertIn(f"{rules}: a program outside replaced it", err)

    def test_a_link_on_the_way_ends_the_sandbox(self) -> None:
        granted = self.directory("granted")
        key = self.file("granted/a/key", SECRET)
        self.file("granted/b/key", NEW)
        with self.talk(f"files.read-only={granted}", f"files.hide={key}") as inside:
            key.parent.rename(granted / "c")
            key.parent.symlink_to("b")
            status, err = inside.ended()
        self.assertEqual(status, 137)
        self.assertIn(f"{key}: a program outside replaced it", err)

    def test_where_copies_of_the_tree_may_be_it_ends(self) -> None:
        key = self.file("place/key", SECRET)
        with self.talk(f"files.hide={key}", "process.nested-sandbox=yes") as inside:
            self.put(key, NEW)
            status, err = inside.ended()
        self.assertEqual(status, 137)
        self.assertIn(f"{key}: a program outside replaced it", err)

    def test_a_kernel_that_watches_no_more(self) -> None:
        key = self.file("place/key", SECRET)
        hog = self.account.start(["python3", "-c", "import ctypes, time\nlibc = ctypes.CDLL(None)\n"
            "while libc.inotify_init() >= 0: pass\nprint('full', flush=True)\ntime.sleep(100)"], stdout=subprocess.PIPE)  # fmt: skip
        try:
            assert hog.stdout and hog.stdout.readline() == b"full\n"
            with self.talk(f"files.hide={key}") as inside:
                for _ in range(2):  # the first is found when the supervisor begins to look
                    self.put(key, NEW)
                    wait_for(lambda: self.sees_nothing(inside, key), what="the cover")
        finally:
            self.account.end(hog)

    def test_what_goes_on_while_the_program_is_stopped(self) -> None:
        key = self.file("place/key", SECRET)
        state = self.place / "state"
        script = f"(while sleep 0.02; do cat {key} >/dev/null 2>&1; echo $? >{state}~; mv {state}~ {state}; done) & "
        with self.talk(f"files.hide={key}") as inside:
            inside.ask(script + "sleep 0.3")
            assert inside.child.stdin
            inside.child.stdin.write(b"kill -STOP $$\n")
            inside.child.stdin.flush()
            wait_for(lambda: status_field(inside.child.pid, "State").startswith("T"), what="the stop")
            self.put(key, NEW)
            later = time.time() + 0.2  # what is written then was looked at since
            wait_for(lambda: state.stat().st_mtime > later and state.read_text() == "1\n", what="the cover")
            self.assertTrue(status_field(inside.child.pid, "State").startswith("T"))
            key.unlink()
            status, err = inside.ended()
        self.assertEqual((status, err.count("\n"), err.count("took it away")), (137, 1, 1), err)

    def test_in_an_overlay_the_cover_stays(self) -> None:
        self.account.directory(self.account.home / ".local/share/sbox")
        key = self.file("place/key", SECRET)
        with self.talk("home.mode=overlay", "files.read-write=", f"files.hide={key}") as inside:
            for put in (self.put, self.put_anew):
                put(key, NEW)
                for _ in range(20):
                    self.assertTrue(self.sees_nothing(inside, key))

    def test_sbox_s_own_directories(self) -> None:
        own = self.account.home / ".config/sbox"
        self.account.directory(own)
        self.account.directory(self.account.home / ".local/share/sbox")
        with self.talk("home.mode=host") as inside:
            away = own.with_name("sbox-before")
            own.rename(away)
            try:
                self.account.directory(own)
                wait_for(lambda: inside.ask(f"ls {own}")[1] != 0, what="the cover")
                self.assertNotEqual(inside.ask(f"mkdir {own}/profiles")[1], 0)
            finally:
                shutil.rmtree(own)
                away.rename(own)
