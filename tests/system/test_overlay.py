"""Overlay homes: nothing reaches the host until it is taken over, and then exactly what was changed."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
from typing import Any

from account import SBOX, Result
from harness import SystemTest, wait_for

LIBC = ctypes.CDLL(None, use_errno=True)
# Everything that changes a file, tried on the files of a home; prints what did not work.
CHANGES = """
import ctypes, mmap, os
def attempt(name, change):
    try: change()
    except OSError as error: print(name, error.strerror)
def mapped():
    with open("map", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory: memory[0:3] = b"NEW"
def written(path, flags):
    fd = os.open(path, flags); os.write(fd, b"changed"); os.close(fd)
attempt("append", lambda: written("append", os.O_WRONLY | os.O_APPEND))
attempt("truncate", lambda: os.truncate("truncate", 1))
attempt("map", mapped)
attempt("chmod", lambda: os.chmod("chmod", 0o600))
attempt("times", lambda: os.utime("times", (1, 1)))
attempt("attribute", lambda: os.setxattr("attribute", "user.note", b"new"))
attempt("unlink", lambda: os.unlink("unlink"))
attempt("rename", lambda: os.rename("rename", "renamed"))
attempt("over", lambda: (written("fresh", os.O_WRONLY | os.O_CREAT), os.rename("fresh", "over")))
attempt("link", lambda: os.link("link", "linked"))
attempt("hole", lambda: os.posix_fallocate(os.open("hole", os.O_RDWR), 1 << 20, 4096))
attempt("symlink", lambda: (os.unlink("symlink"), os.symlink("/etc/passwd", "symlink")))
attempt("directory", lambda: (os.unlink("directory/file"), os.rmdir("directory"), os.mkdir("directory")))
attempt("became", lambda: (os.unlink("became"), os.mkdir("became"), written("became/file", os.O_WRONLY | os.O_CREAT)))
attempt("tree", lambda: (os.unlink("tree/deep/file"), os.rmdir("tree/deep"), os.rmdir("tree"),
                         written("tree", os.O_WRONLY | os.O_CREAT)))
attempt("through", lambda: written("/proc/self/cwd/through", os.O_WRONLY))
"""
NAMES = ("append", "truncate", "map", "chmod", "times", "attribute", "unlink", "rename", "over", "link", "hole",
         "symlink", "became", "directory/file", "tree/deep/file", "through", "untouched")


def picture(root: pathlib.Path, times: bool = True) -> dict[str, Any]:
    """All that can be told of a tree; `.local` and `.config` are sbox's own here."""
    found: dict[str, Any] = {}
    for base, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name not in (".local", ".config") or base != str(root)]
        for name in directories + files:
            path = os.path.join(base, name)
            status = os.lstat(path)
            entry: list[Any] = [oct(status.st_mode)]
            if stat.S_ISLNK(status.st_mode):
                entry.append(os.readlink(path))
            if stat.S_ISREG(status.st_mode):
                content = pathlib.Path(path).read_bytes() if status.st_size < 1 << 24 else status.st_blocks
                attributes = {each: os.getxattr(path, each) for each in os.listxattr(path)}
                entry += [content, attributes, status.st_nlink] + ([status.st_mtime_ns] if times else [])
            found[os.path.relpath(path, root)] = entry
    return found


class OverlayTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        shutil.rmtree(self.account.home / ".config", ignore_errors=True)
        self.home = self.directory("home", 0o700)

    def run_in(self, script: str, *options: str, **settings: Any) -> Result:
        """A shell script in a sandbox whose home is an overlay of this test's own home."""
        return self.sbox("-s", "home.mode=overlay", *options, "--name", "o", "--", "/bin/sh", "-c", script,
                         **self.at_home(settings))

    def python_in(self, code: str, *options: str, **settings: Any) -> Result:
        return self.sbox("-s", "home.mode=overlay", *options, "--name", "o", "--", "/usr/bin/python3", "-I", "-S", "-c",
                         code, **self.at_home(settings))

    def at_home(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {"env": {"HOME": str(self.home)}, "cwd": str(self.home)} | settings

    def changed(self, script: str, *options: str) -> None:
        result = self.run_in(script, *options)
        self.assertEqual((result.status, result.err), (0, ""), result)

    def command(self, *arguments: str, status: int = 0) -> Result:
        result = self.sbox(*arguments, **self.at_home({}))
        self.assertEqual(result.status, status, result)
        return result

    def changes(self, *arguments: str) -> dict[str, dict[str, Any]]:
        listed = json.loads(self.command("diff", "--json", "o", *arguments).out)
        return {each["path"]: each for each in listed}

    def kinds(self) -> dict[str, str]:
        return {path: each["change"] for path, each in self.changes().items()}

    def put(self, name: str, content: str | bytes = "old\n", mode: int = 0o644) -> pathlib.Path:
        return self.account.file(self.home / name, content, mode)

    @property
    def upper(self) -> pathlib.Path:
        return self.home / ".local/share/sbox/overlays/o/upper"

    def plant(self, name: str, content: str = "planted\n", mode: int = 0o644) -> pathlib.Path:
        """A file in the upper directory, as a program could have left it there by means that we do not know."""
        return self.account.file(self.upper / name, content, mode)


class Isolation(OverlayTest):
    def test_no_way_of_changing_a_file_reaches_the_host_before_it_is_taken_over(self) -> None:
        for name in NAMES:
            self.put(name)
        os.link(self.home / "hole", self.home / "hole-too")
        before = picture(self.home)
        result = self.python_in(CHANGES)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertEqual(picture(self.home), before)
        expected = {
            "append": "changed", "truncate": "changed", "map": "changed", "chmod": "changed", "times": "changed",
            "attribute": "changed", "unlink": "deleted", "rename": "deleted", "renamed": "added", "over": "changed",
            "linked": "added", "link": "none", "hole": "changed", "symlink": "changed", "directory/file": "deleted",
            "became": "changed", "became/file": "added", "tree/deep/file": "deleted", "tree/deep": "deleted",
            "tree": "changed", "through": "changed",
        }  # fmt: skip
        expected.pop("link")
        self.assertEqual(self.kinds(), expected)

    def test_a_look_while_the_program_swaps_names_neither_waits_nor_follows(self) -> None:
        self.put("secret", "the secret\n")
        swap = """
import os
os.mkdir("d")
print("up", flush=True)
while True:
    for make in (lambda: open("new", "w").write("plain\\n"), lambda: os.mkfifo("new"), lambda: os.symlink("../../../../../../secret", "new"),
                 lambda: os.symlink("/dev/zero", "new")):
        make()
        os.rename("new", "swapped")
        os.rename("d", "e"), os.symlink("/", "d"), os.unlink("d"), os.rename("e", "d")
"""
        settings = self.at_home({})
        child = self.start("-s", "home.mode=overlay", "--name", "o", "--", "/usr/bin/python3", "-I", "-S", "-c", swap,
                           stdout=subprocess.PIPE, **settings)
        assert child.stdout
        self.assertEqual(child.stdout.readline(), b"up\n")
        seen = set()
        for _ in range(40):
            result = self.sbox("diff", "--text", "--no-pager", "o", timeout=10, **settings)
            self.assertIn(result.status, (0, 125), result)
            self.assertNotIn("the secret", result.out)
            self.assertLessEqual(result.err.count("\n"), 1)
            seen |= {kind for kind in ("+plain", "(fifo", "(symlink") if kind in result.out}
        self.assertGreaterEqual(len(seen), 2, "the control")
        self.account.end(child)
        child.stdout.close()

    def test_a_text_that_becomes_large_after_it_was_listed_is_not_shown(self) -> None:
        swap = """
import ctypes
libc = ctypes.CDLL(None)
open("small", "w").write("small\\n")
open("large", "w").write("large\\n" * (3 << 20))
open("up", "w").close()
while True: libc.renameat2(-100, b"small", -100, b"large", 2)
"""
        settings = self.at_home({})
        child = self.start("-s", "home.mode=overlay", "--name", "o", "--", "/usr/bin/python3", "-I", "-S", "-c", swap, **settings)
        self.wait_for_file(self.upper / "up", child)
        for _ in range(20):
            result = self.sbox("diff", "--text", "--no-pager", "o", timeout=30, **settings)
            self.assertLess(len(result.out), 1 << 20, "all of it")
        self.account.end(child)

    def test_what_is_taken_over_is_what_the_program_saw(self) -> None:
        for name in NAMES:
            self.put(name)
        self.python_in(CHANGES)
        look = "import os, sys; sys.path.insert(0, '/tests'); from test_overlay import picture"
        seen = self.run_in("find . -path ./.local -prune -o -path ./.config -prune -o -type f -printf '%P %m %s %T@\\n' "
                           "| sort; find . -type l -printf '%P %l\\n'; cat append map through renamed")
        self.assertEqual(seen.status, 0, look)
        self.command("commit", "o")
        self.assertEqual(self.kinds(), {})
        now = self.account.run(["/bin/sh", "-c", "find . -path ./.local -prune -o -path ./.config -prune -o -type f "
                                "-printf '%P %m %s %T@\\n' | sort; find . -type l -printf '%P %l\\n'; "
                                "cat append map through renamed"], cwd=str(self.home))
        self.assertEqual(now.out, seen.out)
        self.assertEqual(os.getxattr(self.home / "attribute", "user.note"), b"new")
        self.assertEqual(list(self.upper.iterdir()), [])

    def test_the_rules_of_sbox_and_other_overlays_are_not_seen(self) -> None:
        self.changed("true")
        self.account.file(self.home / ".local/share/sbox/overlays/other/upper/secret", "secret")
        self.account.file(self.home / ".config/sbox/profiles/mine.profile", "[home]\nmode = host\n")
        script = """
        ls -A .config/sbox .local/share/sbox; cat .local/share/sbox/overlays/other/upper/secret
        mv .local/share moved; mv .local moved; mv .config moved; rm -rf .config/sbox .local/share/sbox
        rm -rf moved; mkdir -p .config/sbox/profiles; echo > .config/sbox/profiles/x.profile
        find / -name secret 2>/dev/null; find / -name mine.profile 2>/dev/null; true"""
        result = self.run_in(script)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertEqual(self.kinds(), {})
        control = self.account.run(["/usr/bin/find", str(self.home), "-name", "secret"])
        self.assertIn("overlays/other/upper/secret", control.out)

    def test_with_keep_only_that_is_there_and_single_files_too(self) -> None:
        self.put("kept/file")
        self.put("single")
        self.put("other")
        result = self.run_in("ls -A; echo new >> kept/file; echo new >> single; touch elsewhere",
                             "-s", "home.keep=~/kept,~/single")
        self.assertEqual((result.status, result.out), (0, "kept\nsingle\n"), result)
        self.assertEqual(self.kinds(), {"kept/file": "changed", "single": "changed"})
        self.assertEqual((self.home / "single").read_text(), "old\n")

    def test_what_is_hidden_stays_hidden_and_read_only_read_only(self) -> None:
        self.put("secret/key", "key")
        self.put("library/book", "book")
        result = self.run_in("cat secret/key; cat library/book; echo x > library/book; mv secret s; mv library l; true",
                             "-s", "files.hide=~/secret", "-s", "home.keep-read-only=~/library")
        self.assertEqual((result.status, result.out), (0, "book"), result)
        self.assertEqual(self.kinds(), {})

    def test_an_entry_for_writing_in_an_overlay_is_the_host_s(self) -> None:
        self.put("project/file")
        self.changed("echo new > project/file; echo new > beside", "-s", "files.read-write=~/project")
        self.assertEqual((self.home / "project/file").read_text(), "new\n")
        self.assertEqual(self.kinds(), {"beside": "added"})

    def test_an_overlay_serves_one_sandbox_at_a_time(self) -> None:
        self.put("file")
        first = self.start("-s", "home.mode=overlay", "--name", "o", "--", "/bin/sh", "-c",
                           "echo new > file; echo ready; exec cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           **self.at_home({}))
        assert first.stdout and first.stdin
        self.assertEqual(first.stdout.readline(), b"ready\n")
        for arguments in (["-s", "home.mode=overlay", "-s", "home.overlay=o", "--", "true"], ["commit", "o"],
                          ["commit", "--force", "o"], ["discard", "o"]):
            with self.subTest(arguments=arguments):
                self.assertIn("in use", self.refused(*arguments, **self.at_home({})).err)
        self.assertEqual(self.kinds(), {"file": "changed"}, "looking is allowed")
        another = self.sbox("-s", "home.mode=overlay", "--name", "p", "--", "cat", "file", **self.at_home({}))
        self.assertEqual(another.out, "old\n", another)
        first.stdin.close()
        self.assertEqual(first.wait(20), 0)
        self.command("commit", "o")
        self.assertEqual((self.home / "file").read_text(), "new\n")
        first.stdout.close()

    def test_the_lock_is_held_until_every_process_of_the_sandbox_is_gone(self) -> None:
        first = self.start("-s", "home.mode=overlay", "--name", "o", "--", "/bin/sh", "-c", "echo ready; exec sleep 60",
                           stdout=subprocess.PIPE, **self.at_home({}))
        assert first.stdout
        self.assertEqual(first.stdout.readline(), b"ready\n")
        os.kill(first.pid, signal.SIGKILL)
        first.wait(20)
        wait_for(lambda: self.sbox("commit", "o", **self.at_home({})).status == 0, what="the lock to be let go of")
        first.stdout.close()

    def test_overlays_of_several_names_know_nothing_of_each_other(self) -> None:
        self.put("file")
        self.changed("echo one > file")
        second = self.sbox("-s", "home.mode=overlay", "-s", "home.overlay=p", "--", "/bin/sh", "-c", "cat file; echo two > file",
                           **self.at_home({}))
        self.assertEqual(second.out, "old\n")
        self.assertEqual(self.run_in("cat file").out, "one\n")
        listed = json.loads(self.command("diff", "--json").out)
        self.assertEqual([(each["name"], each["changed"]) for each in listed], [("o", 1), ("p", 1)])
        self.command("discard", "o")
        self.assertEqual([each["name"] for each in json.loads(self.command("diff", "--json").out)], ["p"])
        self.assertEqual(self.run_in("cat file").out, "old\n")

    def test_files_of_other_users_can_be_read_but_not_changed(self) -> None:
        self.root_only()
        theirs = self.put("theirs")
        os.chown(theirs, 0, 0)
        result = self.run_in("cat theirs; echo x >> theirs || echo refused")
        self.assertEqual(result.out, "old\nrefused\n", result)

    def test_of_a_home_that_was_moved_it_is_said_whose_it_is_and_what_to_do(self) -> None:
        home = self.directory("home")
        made = self.sbox("-s", "home.mode=overlay", "--", "touch", f"{home}/file", env={"HOME": str(home)}, cwd=str(home))
        self.assertEqual(made.status, 0, made)
        moved = home.rename(home.with_name("moved"))
        for words in (["diff", "default"], ["commit", "default"], ["discard", "default"]):
            with self.subTest(words=words):
                result = self.refused(*words, env={"HOME": str(moved)}, cwd=str(moved))
                self.assertIn(f"overlay 'default' of the home '{home}'", result.err)
                self.assertIn("remove the overlay's directory", result.err)

    def test_a_mount_in_the_home_refuses_the_start(self) -> None:
        self.root_only()
        self.directory("home/disk")
        user = ["setpriv", f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups"]
        tell = [*user, str(SBOX), "-s", "home.mode=overlay", "--name", "o", "--", "echo", "started"]
        environment = self.account.environment({"HOME": str(self.home)})
        for script, status, out in (('mount -t tmpfs none "$HOME/disk"', 125, b""), ("true", 0, b"started\n")):
            with self.subTest(script=script):
                result = subprocess.run(["unshare", "-m", "sh", "-c", script + ' && exec "$@"', "sh", *tell],
                                        env=environment, cwd=self.home, capture_output=True, check=False, timeout=30)
                self.assertEqual((result.returncode, result.stdout), (status, out), result)
                self.assertEqual(b"is a mount" in result.stderr, status == 125, result)

    def test_doctor_tries_it_and_leaves_nothing_behind(self) -> None:
        before = os.listdir(self.home)
        rows = {row["name"]: row["state"] for row in json.loads(self.command("doctor", "--json").out)["checks"]}
        self.assertEqual(rows["overlay homes"], "ok")
        self.assertEqual(os.listdir(self.home), before)

    def test_a_kept_path_that_a_program_made_a_link_of_refuses_the_start(self) -> None:
        self.put("a/b/file")
        self.put("secret/file", "secret")
        self.changed("rm -r a/b; ln -s ../secret a/b")
        result = self.refused("-s", "home.mode=overlay", "--name", "o", "-s", "home.keep=~/a/b", "--", "cat", "a/b/file",
                              **self.at_home({}))
        self.assertIn("a/b", result.err)


class Taking(OverlayTest):
    def test_an_empty_word_names_nothing_and_makes_no_name_of_the_next(self) -> None:
        self.changed("echo new > a")
        for words in (["discard", "", "o"], ["discard", "o", ""], ["commit", "", "o"], ["commit", "o", ""], ["diff", ""]):
            with self.subTest(words=words):
                self.assertIn("a name or a path is empty", self.refused(*words, **self.at_home({})).err)
        self.assertEqual(self.kinds(), {"a": "added"})
        self.assertFalse((self.home / "a").exists())

    def test_single_paths_are_taken_over_with_the_directories_that_lead_there(self) -> None:
        self.put("a", "old")
        self.changed("echo new > a; mkdir -p x/y; echo n > x/y/n; echo m > x/m")
        self.command("commit", "o", "x/y/n")
        self.assertEqual((self.home / "x/y/n").read_text(), "n\n")
        self.assertEqual(self.kinds(), {"a": "changed", "x/m": "added"})
        self.assertEqual((self.home / "a").read_text(), "old")
        self.assertEqual(self.run_in("cat a x/m x/y/n").out, "new\nm\nn\n")
        self.assertIn("nothing was changed", self.refused("commit", "o", "none", **self.at_home({})).err)
        self.assertIn("does not lie below", self.refused("commit", "o", "/etc/passwd", **self.at_home({})).err)

    def test_a_path_that_is_neither_changed_nor_in_the_home_is_no_empty_list(self) -> None:
        self.put("a", "old")
        self.put("same", "old")
        self.changed("rm a; echo new > b")
        for path, listed in (("a", "D"), ("b", "A"), ("same", "Nothing is changed."), ("~", "A")):
            self.assertIn(listed, self.command("diff", "o", path).out)
        for options in ([], ["--json"]):
            result = self.refused("diff", *options, "o", "none", **self.at_home({}))
            self.assertIn("'~/none': it is neither in the home nor in the overlay", result.err)

    def test_what_changed_on_the_host_meanwhile_is_left_unless_forced(self) -> None:
        for name in ("both", "ours", "gone", "host"):
            self.put(name)
        self.changed("echo new > both; echo new > ours; rm gone; echo new > made")
        for name in ("both", "gone", "made", "host"):
            self.put(name, "host's\n")
        result = self.command("commit", "o", status=1)
        *left, remedy = result.err.splitlines()
        self.assertEqual(sorted(line.split(":")[2].strip() for line in left), ["~/both", "~/gone", "~/made"])
        self.assertIn("--force", remedy)
        contents = {name: (self.home / name).read_text() for name in ("both", "gone", "made", "host", "ours")}
        self.assertEqual(contents, {"both": "host's\n", "gone": "host's\n", "made": "host's\n", "host": "host's\n",
                                    "ours": "new\n"})  # fmt: skip
        self.assertTrue(all(each["conflict"] for each in self.changes().values()))
        self.command("commit", "--force", "o")
        self.assertEqual((self.home / "both").read_text(), "new\n")
        self.assertFalse((self.home / "gone").exists())

    def test_more_files_than_may_be_open_are_taken_over_all_the_same(self) -> None:
        # Some of the descriptors are for other things: of a hundred all, and then it is one file at a time.
        for limit in (150, 100):
            with self.subTest(limit=limit):
                self.changed(f"mkdir {limit}; cd {limit}; for n in $(seq 300); do echo new > $n; done; ln 1 again")
                limited = ["prlimit", f"--nofile={limit}:{limit}", str(SBOX), "commit", "-q", "o"]
                result = self.account.run(limited, **self.at_home({}))
                self.assertEqual((result.status, result.err), (0, ""), result)
                files = list((self.home / str(limit)).iterdir())
                self.assertEqual((len(files), {file.read_text() for file in files}), (301, {"new\n"}))
                self.assertEqual(os.stat(self.home / f"{limit}/again").st_nlink, 2)

    def test_a_file_that_was_taken_over_may_be_changed_again(self) -> None:
        self.put("file")
        self.put("other")
        self.changed("echo one > file; echo one > other")
        self.command("commit", "o", "file")
        self.changed("echo two > file")
        self.command("commit", "o", "file")
        self.assertEqual((self.home / "file").read_text(), "two\n")
        self.put("file", "host's\n")
        self.changed("echo three > file")
        self.put("file", "host's again\n")
        self.command("commit", "o", "file", status=1)

    def test_new_files_of_the_host_in_a_directory_that_is_to_go_stay(self) -> None:
        self.put("dir/a")
        self.changed("rm -r dir")
        self.put("dir/b", "host's\n")
        self.command("commit", "o", status=1)
        self.assertEqual((self.home / "dir/b").read_text(), "host's\n")
        self.changed("test ! -e dir/a", )

    def test_a_directory_that_was_replaced_is_taken_over_in_parts(self) -> None:
        for name in ("dir/a", "dir/b", "dir/sub/c"):
            self.put(name)
        self.changed("rm -r dir; mkdir dir dir/sub; echo new > dir/n; echo new > dir/sub/m")
        self.command("commit", "o", "dir/n")
        self.assertEqual(self.run_in("find dir -type f | sort; cat dir/n").out, "dir/n\ndir/sub/m\nnew\n")
        self.assertEqual(self.kinds(), {"dir/a": "deleted", "dir/b": "deleted", "dir/sub/c": "deleted",
                                        "dir/sub/m": "added"})
        self.command("commit", "o")
        self.assertEqual(sorted(str(path.relative_to(self.home)) for path in (self.home / "dir").rglob("*")),
                         ["dir/n", "dir/sub", "dir/sub/m"])
        self.assertEqual(list(self.upper.iterdir()), [])

    def test_renamed_directories_hard_links_attributes_holes_and_times_arrive(self) -> None:
        self.put("dir/a", "a")
        self.put("dir/sub/b", "b", 0o640)
        code = """
import os, subprocess
try: os.rename("dir", "moved")
except OSError as error: print(error.errno)
subprocess.run(["mv", "dir", "moved"], check=True)
os.link("moved/a", "moved/again"); os.link("moved/a", "third")
fd = os.open("sparse", os.O_WRONLY | os.O_CREAT)
os.pwrite(fd, b"end", 64 << 20); os.close(fd)
os.setxattr("third", "user.note", b"kept")
os.utime("third", (1000000000, 1000000000))
open("run", "w").close(); os.chmod("run", 0o751)
os.mkdir("closed"); open("closed/file", "w").close(); os.chmod("closed", 0o500)
"""
        result = self.python_in(code)
        self.assertEqual((result.status, result.out), (0, "18\n"), result)
        self.command("commit", "o")
        names = [os.stat(self.home / name) for name in ("moved/a", "moved/again", "third")]
        self.assertEqual([(each.st_nlink, each.st_size) for each in names], [(2, 1), (2, 1), (1, 1)])
        self.assertEqual(names[0].st_ino, names[1].st_ino)
        self.assertEqual(os.stat(self.home / "third").st_mtime, 1000000000)
        self.assertEqual(os.getxattr(self.home / "third", "user.note"), b"kept")
        self.assertEqual(oct(os.stat(self.home / "moved/sub/b").st_mode), oct(0o100640))
        self.assertEqual(oct(os.stat(self.home / "run").st_mode), oct(0o100751))
        self.assertEqual(oct(os.stat(self.home / "closed").st_mode), oct(0o40500))
        sparse = os.stat(self.home / "sparse")
        self.assertEqual(sparse.st_size, (64 << 20) + 3)
        self.assertLess(sparse.st_blocks * 512, 1 << 20)
        self.assertFalse((self.home / "dir").exists())
        self.assertEqual(self.kinds(), {})
        self.assertEqual([name for name in os.listdir(self.upper)], [])
        os.chmod(self.home / "closed", 0o700)

    def test_changes_can_be_thrown_away_one_by_one_or_all(self) -> None:
        self.put("a")
        self.put("b")
        self.put("dir/c")
        self.changed("echo new > a; rm b; rm -r dir; mkdir dir; echo new > dir/n; mkdir -p deep/er; chmod 0 deep")
        self.command("discard", "o", "a", "dir/c")
        self.assertEqual(self.run_in("cat a; ls dir").out, "old\nc\nn\n")
        self.assertEqual(self.kinds()["b"], "deleted")
        self.command("discard", "o")
        self.assertIn("none of that name", self.refused("diff", "o", **self.at_home({})).err)
        self.assertEqual(self.run_in("cat a b dir/c; ls dir").out, "old\nold\nold\nc\n")


class Hostile(OverlayTest):
    def test_a_further_name_of_a_file_is_no_way_to_it_for_who_may_write_there(self) -> None:
        """What a program linked into a project would be, for the next that may write there, the file itself."""
        files = [self.put(name) for name in (".ssh/authorized_keys", ".bashrc")]
        self.put("project/file")
        self.changed("ln .ssh/authorized_keys project/a; echo >> .bashrc; ln .bashrc project/b; "
                     "echo > .bash_aliases; ln .bash_aliases project/c; ln project/file project/d; echo >> project/file")
        self.command("commit", "o", "project")
        self.command("commit", "o")
        for path in (*files, self.home / ".bash_aliases", *(self.home / "project" / name for name in ("a", "b", "c", "d", "file"))):
            self.assertEqual(path.stat().st_nlink, 1, path)

    def test_a_link_on_the_host_where_a_directory_was_is_not_followed(self) -> None:
        self.put("dir/file")
        outside = self.directory("outside")
        self.changed("echo new > dir/file; echo new > dir/more")
        shutil.rmtree(self.home / "dir")
        os.symlink(outside, self.home / "dir")
        self.command("commit", "o", status=1)
        self.command("commit", "o", "dir/more", "dir/file", status=1)
        self.assertTrue((self.home / "dir").is_symlink())
        self.command("commit", "o", "--force")
        self.assertEqual((self.home / "dir/more").read_text(), "new\n", "the control")
        self.assertFalse((self.home / "dir").is_symlink())
        self.assertEqual(os.listdir(outside), [])

    def test_links_are_taken_over_as_links_and_nothing_is_written_through_them(self) -> None:
        target = self.file("target", "old\n")
        os.symlink(target, self.put("x").with_name("link"))
        self.changed(f"rm link; echo new > link; ln -s {target} other; ln -s {self.work}/outside way")
        self.plant("way2/file")
        self.command("commit", "o")
        self.assertEqual(target.read_text(), "old\n")
        self.assertFalse((self.home / "link").is_symlink())
        self.assertEqual(os.readlink(self.home / "other"), str(target))

    def test_nothing_that_gives_rights_or_is_no_file_is_taken_over(self) -> None:
        self.changed("mkfifo pipe; echo > plain")
        self.plant("set-id", mode=0o6755)
        self.plant("directory/file")
        os.chmod(self.upper / "directory", 0o3777)
        result = self.command("commit", "o", status=1)
        self.assertIn("~/pipe", result.err)
        self.assertFalse((self.home / "pipe").exists())
        self.assertEqual(oct(os.stat(self.home / "set-id").st_mode), oct(0o100755))
        self.assertEqual(oct(os.stat(self.home / "directory").st_mode), oct(0o40777))

    def test_what_belongs_to_sbox_is_never_taken_over(self) -> None:
        self.changed("echo > plain")
        self.plant(".config/sbox/profiles/default.profile", "[home]\nmode = host\n")
        self.plant(".local/share/sbox/overlays/p/record", "{}")
        self.plant(".sbox-commit.new")
        result = self.command("commit", "o", "--force", status=1)
        self.assertTrue((self.home / "plain").exists(), "the control")
        self.assertFalse((self.home / ".config/sbox/profiles").exists(), result)
        self.assertFalse((self.home / ".local/share/sbox/overlays/p").exists())
        self.assertFalse((self.home / ".sbox-commit.new").exists())

    def test_names_and_contents_with_control_characters_are_escaped(self) -> None:
        self.changed("mkdir \"$(printf 'a\\033[2J\\nb')\"; printf 'x\\033]0;title\\007\\n' > text; "
                     "ln -s \"$(printf '\\033c')\" link; printf x > \"$(printf '\\377')\"")
        for arguments in (["--text", "o"], ["--text", "--color=always", "o"], ["--json", "o"], []):
            out = self.command("diff", *arguments).out
            allowed = out.replace("\033[1m", "").replace("\033[0m", "").replace("\033[3", "")
            if "--color=always" not in arguments:
                allowed = out
            self.assertNotRegex(allowed, r"[\x00-\x08\x0b-\x1f\x7f]", arguments)
        self.assertIn("x\\x1b]0;title\\x07", self.command("diff", "--text", "o").out)
        result = self.command("commit", "o")
        self.assertNotRegex(result.out + result.err, r"[\x00-\x08\x0b-\x1f\x7f]")
        self.assertIn(b"\xff", os.listdir(os.fsencode(self.home)))

    def test_a_tree_deeper_than_any_path_is_named_and_thrown_away(self) -> None:
        code = "import os\nfor i in range(800): os.mkdir('deeper'); os.chdir('deeper')\nopen('end', 'w').close()"
        self.assertEqual(self.python_in(code).status, 0)
        result = self.command("commit", "o", status=1)
        self.assertIn("too deep", result.err)
        self.command("discard", "o")
        self.assertEqual(os.listdir(self.upper.parent), ["lock"])
        shutil.rmtree(self.home / "deeper")

    def test_directories_that_can_be_listed_and_not_entered_hold_up_nothing_else(self) -> None:
        self.put("theirs/file")
        self.account.directory(self.home / "empty")
        for name, mode in (("theirs", 0o600), ("empty", 0)):
            os.chmod(self.home / name, mode)
            self.addCleanup(os.chmod, self.home / name, 0o700)
        self.changed("mkdir -p a/b c; echo > a/b/file; echo > a/file; echo > c/file; chmod 600 a/b; chmod 400 c; echo > plain; "
                     "chmod 700 theirs; echo > theirs/new; rmdir empty; echo > empty")  # fmt: skip
        self.assertIn("5 added, 2 changed, 0 deleted", self.command("diff").out)
        stays = {path for path, each in self.changes().items() if each["obstacle"]}
        self.assertEqual(stays, {"a/b", "c", "theirs", "empty"})
        self.command("discard", "o", "~/a/b")
        self.command("commit", "o", status=1)
        self.assertTrue((self.home / "plain").exists() and (self.home / "a/file").exists())
        self.command("discard", "o")
        self.assertEqual(os.listdir(self.upper.parent), ["lock"])

    def test_a_home_that_the_program_has_closed_is_opened_again(self) -> None:
        for mode in ("0", "0400", "0077"):
            with self.subTest(mode=mode):
                self.run_in(f"echo {mode} > made; chmod {mode} ~")
                self.assertNotIn("0 added, 0 changed", self.command("diff").out)
                self.command("commit", "o")
                self.assertEqual((self.home / "made").read_text(), mode + "\n")
                self.run_in(f"echo > other; chmod {mode} ~")
                self.assertEqual(self.run_in("cat other").status, 0)
                self.run_in(f"chmod {mode} ~")
                self.command("snapshot", "o", "kept")
                self.command("restore", "o", "kept")
                self.command("snapshot", "--delete", "o", "kept")
                self.command("discard", "o")

    def test_a_directory_that_became_a_link_is_taken_over(self) -> None:
        self.put("theirs/file")
        self.changed("rm -r theirs; ln -s / theirs; echo > plain")
        self.command("commit", "o")
        self.assertEqual(os.readlink(self.home / "theirs"), "/")
        self.assertEqual(self.kinds(), {})

    def test_holes_are_not_read(self) -> None:
        self.put("image")
        os.truncate(self.home / "image", 1 << 42)
        self.changed("chmod 600 image; touch -d 2001-01-01 image")
        self.assertIs(self.changes()["image"]["same_content"], True)
        self.changed("printf x | dd of=image bs=1 seek=$((1 << 41)) conv=notrunc status=none")
        self.assertIs(self.changes()["image"]["same_content"], False)

    def test_what_a_program_made_unreadable_is_named_and_thrown_away(self) -> None:
        self.changed("mkdir -p dir/in; echo x > dir/in/file; echo y > file; chmod 0 dir/in dir file")
        changes = self.changes()
        self.assertIn("looked into", changes["dir"]["obstacle"])
        self.assertIn("cannot be read", changes["file"]["obstacle"])
        self.command("commit", "o", status=1)
        self.command("discard", "o")
        self.assertEqual(os.listdir(self.upper.parent), ["lock"])


class Crash(OverlayTest):
    FILES = 12
    STRACE: tuple[str, ...] = ("strace",)
    # Where it is killed: the system call and which of them.
    POINTS = (("openat", 60), ("openat2", 40), ("mkdirat", 1), ("mknodat", 1), ("linkat", 1), ("linkat", 7), ("linkat", 20),
              ("renameat", 2), ("renameat", 6), ("renameat", 11), ("syncfs", 1), ("syncfs", 2), ("unlinkat", 3),
              ("unlinkat", 9), ("unlinkat", 20), ("unlinkat", 31), ("unlinkat", 40), ("fchmod", 2), ("write", 2))

    def fill(self) -> dict[str, tuple[str | None, str | None]]:
        """What each path holds before and after; None where it is not there."""
        for number in range(self.FILES):
            self.put(f"changed-{number}", f"old {number}")
            self.put(f"gone/{number}", f"old {number}")
        self.put("becomes/file", "old")
        self.put("anew/file", "old")
        self.changed(f"""
        for n in $(seq 0 {self.FILES - 1}); do printf "new $n" > changed-$n; printf "new $n" > added-$n; done
        rm -r gone becomes anew; printf new > becomes; mkdir dir anew; printf new > dir/a; printf new > anew/other
        ln dir/a dir/b; ln -s a dir/link""")
        states: dict[str, tuple[str | None, str | None]] = {"becomes": (None, "new"), "anew/file": ("old", None)}
        for number in range(self.FILES):
            states[f"changed-{number}"] = (f"old {number}", f"new {number}")
            states[f"added-{number}"] = (None, f"new {number}")
            states[f"gone/{number}"] = (f"old {number}", None)
        return states | {name: (None, "new") for name in ("dir/a", "dir/b", "dir/link", "anew/other")}

    def content(self, name: str) -> str | None:
        try:
            return (self.home / name).read_text()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def test_a_commit_that_is_killed_leaves_old_or_new_and_is_gone_on_with(self) -> None:
        for number, (call, when) in enumerate(self.POINTS):
            with self.subTest(call=call, when=when):
                self.home = self.directory(f"home-{number}", 0o700)
                self.kill_and_go_on(call, when)

    def test_a_commit_that_is_killed_can_be_thrown_away_without_a_trace(self) -> None:
        self.put("file", "old")
        self.changed("printf new > file")
        inject = ["-e", "trace=renameat", "-e", "inject=renameat:signal=KILL:when=2"]
        self.account.run(["strace", "-qq", "-o", "/dev/null", *inject, str(SBOX), "commit", "o"], **self.at_home({}))
        self.assertEqual([path.name for path in self.home.glob(".sbox*")], [".sbox-commit.new"], "the control")
        self.assertEqual(self.content("file"), "old")
        self.command("discard", "o")
        self.assertEqual(list(self.home.glob(".sbox*")), [])

    def kill_and_go_on(self, call: str, when: int) -> None:
        states = self.fill()
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={when}"]
        result = self.account.run([*self.STRACE, "-qq", "-o", "/dev/null", *inject, str(SBOX), "commit", "o"],
                                  **self.at_home({}))
        self.assertEqual(result.status, -signal.SIGKILL, result)
        for name, either in states.items():
            self.assertIn(self.content(name), either, name)
        seen = self.run_in("cat changed-* added-* becomes dir/* anew/*; ls anew; test ! -e gone")
        self.command("commit", "o")
        for name, (_, new) in states.items():
            self.assertEqual(self.content(name), new, name)
        everything = "".join(f"new {number}" for number in sorted(map(str, range(self.FILES))))
        self.assertEqual(seen.out, 2 * everything + "new" * 5 + "other\n", "what is seen inside never changes")
        self.assertEqual(self.kinds(), {})
        self.assertEqual(list(self.home.rglob(".sbox-commit*")), [])
        self.assertEqual(list(self.upper.iterdir()), [])


if __name__ == "__main__":
    import unittest

    unittest.main()
