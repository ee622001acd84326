"""`sbox learn`: a program is watched in a sandbox of which nothing stays, and runs by what was proposed, and by no more."""

from __future__ import annotations

import os
import signal
import subprocess
import unittest
from typing import Any

from account import SBOX, Result
from desktop import session_bus
from harness import descendants, end_sleep, read_process, wait_for
from lab import NAME_SERVER, WORLD4, make_lab
from learning import LearnTest
from test_terminal import Terminal

MAKEFILE = "hello: main.c\n\tgcc -o hello main.c\n"
MAIN = '#include <stdio.h>\nint main(void) { puts("built"); }\n'
FORGED = """7<cat> openat(AT_FDCWD</>, "{secret}", O_RDONLY) = 3<{secret}>"""


class Builds(LearnTest):
    def setUp(self) -> None:
        super().setUp()
        self.project, self.other = self.directory("project"), self.file("other", "other\n")
        self.account.file(self.project / "Makefile", MAKEFILE)
        self.account.file(self.project / "main.c", MAIN)

    def test_a_build_runs_by_what_it_was_seen_to_do(self) -> None:
        self.learn("make", cwd=str(self.project))
        self.assertFalse((self.project / "hello").exists(), "made while learning")
        self.assertEqual(self.lines(), [f"home.keep = {self.in_home(self.project)}"])
        result = self.again("make", cwd=str(self.project))
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.account.run([str(self.project / "hello")]).out, "built\n")

    def test_what_it_did_not_touch_is_not_there(self) -> None:
        self.learn("make", cwd=str(self.project))
        script = f"cat {self.project}/main.c; cat {self.other}; ls -d {self.account.home}/.ssh; ls /tmp/.X11-unix"
        result = self.again("sh", "-c", script)
        self.assertEqual(result.out, MAIN, result)
        self.assertEqual(self.sbox("-s", f"home.keep={self.work}", "cat", str(self.other)).out, "other\n", "the control")


class Files(LearnTest):
    def test_each_file_is_there_as_it_was_used(self) -> None:
        read, changed, neither = (self.file(name, f"{name}\n") for name in ("read", "changed", "neither"))
        script = f"cat {read}; echo more >>{changed}; test -e {neither}"
        self.learn("--name", "files", "sh", "-c", script)
        self.assertEqual(changed.read_text(), "changed\n")
        self.assertEqual(self.lines(), ["profile.programs = sh", f"home.keep = {self.in_home(changed)}",
                                        f"home.keep-read-only = {self.in_home(read)}"])  # fmt: skip
        self.assertEqual(self.again("sh", "-c", script).status, 1, "it finds what it was not given")
        result = self.again("sh", "-c", f"cat {read}; echo more >>{changed}; echo x >>{read}; cat {neither}")
        self.assertEqual(result.out, "read\n", result)
        self.assertEqual([path.read_text() for path in (read, changed, neither)], ["read\n", "changed\nmore\nmore\n", "neither\n"])

    def test_a_document_of_the_command_line_is_granted_as_that(self) -> None:
        first, second = self.file("first", "1\n"), self.file("second", "2\n")
        self.learn("cat", str(first))
        self.assertEqual(self.lines(), ["files.arguments = read-only"])
        self.assertEqual(self.again("cat", str(second)).out, "2\n")
        self.assertEqual(self.again("sh", "-c", f"cat '{first.parent}'/first").status, 1)

    def test_the_settings_of_the_host_are_there_while_learning(self) -> None:
        script = "set -e; for name in /etc/debconf.conf /etc/adduser.conf; do test -s $name; done; cat /etc/debconf.conf"
        self.assertNotEqual(self.sbox("sh", "-c", script).status, 0, "the control")
        told = self.told("--name", "settings", "sh", "-c", script)
        self.assertEqual(told["status"], 0)
        self.assertIn(("system.etc", "debconf.conf"), [(line["setting"], line["value"]) for line in told["lines"]])

    def test_keys_are_hidden_and_told_and_never_proposed(self) -> None:
        key = self.account.file(self.account.home / ".ssh" / "id", "secret\n")
        self.addCleanup(key.unlink)
        told = self.told("sh", "-c", f"cat {key}; ls {key.parent}")
        self.assertEqual(told["lines"], [])
        self.assertEqual([(line["setting"], line["value"]) for line in told["not_proposed"]], [("home.keep-read-only", "~/.ssh")])
        result = self.learn("sh", "-c", f"cat {key}")
        self.assertNotIn("secret", result.out)
        self.assertEqual(self.lines(), [])
        self.assertIn("# [home] keep-read-only = ~/.ssh\n", self.proposed.read_text())

    def test_what_was_kept_makes_a_private_home(self) -> None:
        self.learn("--name", "keeper", "sh", "-c", "mkdir -p ~/.config/x && echo 1 >~/.config/x/y")
        self.assertEqual(self.lines(), ["profile.programs = sh", "home.mode = private"])
        self.assertFalse((self.account.home / ".config/x").exists())

    def test_outside_of_the_home_it_is_read_and_what_could_not_be_written_is_told(self) -> None:
        self.root_only()
        place = self.account.directory(self.account.base / "elsewhere")
        readable, written = self.account.file(place / "readable", "r\n"), self.account.file(place / "written", "w\n")
        self.learn("--name", "outside", "sh", "-c", f"cat {readable}; echo more >>{written}", status=0, cwd=str(place))
        self.assertEqual(written.read_text(), "w\n")
        self.assertEqual(self.lines(), ["profile.programs = sh", f"files.read-only = {readable}", f"files.read-write = {written}"])
        self.assertEqual(self.again("sh", "-c", f"cat {readable}; echo more >>{written}").out, "r\n")
        self.assertEqual(written.read_text(), "w\nmore\n")


class Buses(LearnTest):
    def test_a_program_may_take_the_name_of_its_desktop_entry(self) -> None:
        """Also where that starts something else, such as a wrapper."""
        entries = self.account.home / ".local/share/applications"
        for name in ("org.example.Frob", "org.example.Other"):
            text = f"[Desktop Entry]\nType=Application\nName={name}\nExec=/usr/bin/true\n"
            self.addCleanup(self.account.file(entries / f"{name}.desktop", text).unlink)
        take = "gdbus call -e -d org.freedesktop.DBus -o / -m org.freedesktop.DBus.RequestName org.example.$1 0"
        program = self.file("frob", f"#!/bin/sh\n{take} 2>&1\n")
        program.chmod(0o755)
        env = self.enterContext(session_bus(self.account))
        self.assertEqual(self.learn(str(program), "Frob", env=env).out, "(uint32 1,)\n")
        self.assertIn("ServiceUnknown", self.learn(str(program), "Other", env=env).out)


class Calls(LearnTest):
    CODE = "import ctypes, sys; libc = ctypes.CDLL(None); sys.exit(libc.syscall(250, 0, -3, 0, 0, 0) == -1)"

    def test_a_denied_call_is_allowed_where_the_program_failed_by_it(self) -> None:
        program = ("/usr/bin/python3", "-I", "-S", "-c", self.CODE)
        told = self.told(*program)
        self.assertEqual(told["status"], 1)
        self.assertEqual([(line["setting"], line["value"]) for line in told["lines"]], [("seccomp.allow", "keyctl")])
        self.learn(*program)
        self.assertEqual(self.again(*program).status, 0)
        told = self.told(*program[:-1], self.CODE.replace("sys.exit", "print"))
        self.assertEqual(told["lines"], [])
        self.assertEqual([line["value"] for line in told["not_proposed"]], ["keyctl"])


class Network(LearnTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = make_lab(cls)
        cls.lab.reach(NAME_SERVER)
        cls.lab.names.write_text(f"www.example.org 60 {WORLD4}\nother.example.org 60 {WORLD4}\n")
        cls.pages = [f"http {WORLD4} {port}" for port in (80, 8080)]
        cls.lab.serve(cls.lab.world, f"dns {NAME_SERVER} {cls.lab.names}", *cls.pages)

    def run_sbox(self, *arguments: str, **options: Any) -> Result:
        return self.lab.run(str(SBOX), *arguments, **options)

    def get(self, url: str) -> Result:
        return self.again("curl", "--silent", "--max-time", "10", url)

    def test_a_client_reaches_the_host_and_port_that_it_did_and_no_other(self) -> None:
        result = self.learn("curl", "--silent", "http://www.example.org/")
        self.assertEqual(result.out, f"{self.pages[0]}\n", result)
        self.assertEqual(self.lines(), ["network.mode = private", "network.connect = tcp www.example.org:80"])
        self.assertEqual(self.get("http://www.example.org/").out, f"{self.pages[0]}\n")
        for other in ("http://other.example.org/", "http://www.example.org:8080/", f"http://{WORLD4}:8080/"):
            with self.subTest(other):
                self.assertNotEqual(self.get(other).status, 0)
                control = self.run_sbox("-s", "network.mode=private", "curl", "--silent", other)
                self.assertIn(control.out, [f"{page}\n" for page in self.pages], "the control")

    def test_without_a_network_it_is_told_and_has_none(self) -> None:
        result = self.learn("--no-network", "curl", "--silent", "http://www.example.org/")
        self.assertIn("has no network", result.err)
        self.assertEqual((result.out, self.lines()), ("", []))


class Isolation(LearnTest):
    """The trace is the program's to write: what is in it is believed as far as the program could have done it."""

    def overlays(self) -> list[str]:
        place = self.account.home / ".local/share/sbox/overlays/sbox-learn"
        return sorted(path.name for path in place.iterdir()) if place.exists() else []

    def test_nothing_stays_of_what_was_changed(self) -> None:
        kept = self.file("kept", "kept\n")
        self.learn("sh", "-c", f"echo x >{kept}; rm {kept}; echo y >~/made")
        self.assertEqual(kept.read_text(), "kept\n")
        self.assertFalse((self.account.home / "made").exists())
        self.assertEqual(self.overlays(), ["lock"])

    def test_a_trace_that_is_no_file_any_more_is_not_followed(self) -> None:
        outside = self.file("outside", FORGED.format(secret="/etc/adduser.conf") + "\n")
        for change in (f"ln -s {outside} trace", "mkfifo trace", "mkdir trace", "true", "ln -s /dev/zero trace"):
            with self.subTest(change):
                script = f"cd; rm .sbox-learn.trace; {change.replace('trace', '.sbox-learn.trace')}"
                self.refused_after_the_run("sh", "-c", script)
                self.assertEqual(self.overlays(), ["lock"])

    def refused_after_the_run(self, *program: str) -> None:
        result = self.run_sbox("learn", "--json", *program)
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, r"\nsbox: learn: [^\n]+\n\Z")

    def test_forged_lines_propose_nothing_that_would_be_dangerous(self) -> None:
        key = self.account.file(self.account.home / ".ssh" / "id", "secret\n")
        self.addCleanup(key.unlink)
        lines = [FORGED.format(secret=path) for path in (key, self.account.home, "/", "/etc/shadow", "/usr/bin/true")]
        lines += ["x" * 100_000, "7<\x1b[2J> openat(", '8<a> connect(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="/run/x"}, 1) = 0', "\0\0"]
        forged = self.file("forged", "\n".join(lines) + "\n")
        told = self.told("sh", "-c", f"cat {forged} >>~/.sbox-learn.trace")
        values = [line["value"] for line in told["lines"]]
        self.assertEqual(values, [self.in_home(forged)])
        self.assertNotIn("\x1b", told["text"])

    def test_an_overlay_of_somebody_else_s_is_not_thrown_away(self) -> None:
        self.inside("echo precious >~/precious", "-s", "home.mode=overlay", "-s", "home.overlay=sbox-learn")
        result = self.refused_before("true")
        self.assertIn("sbox discard", result.err)
        upper = self.account.home / ".local/share/sbox/overlays/sbox-learn/upper/precious"
        self.assertEqual(upper.read_text(), "precious\n")

    def refused_before(self, *arguments: str) -> Result:
        result = self.run_sbox("learn", *arguments)
        self.assertEqual((result.status, result.out), (125, ""), result)
        return result

    def test_its_end_is_the_end_of_the_program_and_the_next_begins_anew(self) -> None:
        ready = "~/ready-marker"
        child = self.start("learn", "--json", "sh", "-c", f": >{ready}; exec sleep 61.7", stdout=subprocess.DEVNULL)
        wait_for(lambda: [pid for pid in descendants(child.pid) if read_process(pid, "cmdline").startswith("sleep\x0061.7")])
        family = descendants(child.pid)
        os.kill(child.pid, signal.SIGKILL)
        wait_for(lambda: not any(read_process(pid, "cmdline") for pid in family), what="the end")
        self.account.end(child)
        self.learn("true")
        self.assertEqual(self.overlays(), ["lock"])


class Writing(LearnTest):
    def test_a_profile_is_there_by_name_and_never_in_place_of_another(self) -> None:
        path = self.folder / "learned-test.profile"
        self.addCleanup(path.unlink, missing_ok=True)
        result = self.sbox("learn", "--yes", "--name", "learned-test", "true", umask=0)
        self.assertEqual((result.status, path.stat().st_mode & 0o777), (0, 0o644), result)
        self.assertEqual(self.sbox("-p", "learned-test", "--", "true").status, 0)
        self.assertIn("sbox edit learned-test", self.refused("learn", "--yes", "--name", "learned-test", "true").err)
        self.refused("learn", "--yes", "firefox")
        self.assertEqual(self.sbox("learn", "--yes", "--force", "--name", "learned-test", "true").status, 0)

    def test_a_file_is_not_overwritten_nor_written_through_a_link(self) -> None:
        victim, link = self.file("victim", "victim\n"), self.work / "link"
        link.symlink_to(victim)
        for output in (victim, link):
            self.refused("learn", "--yes", "--output", str(output), "true")
        marker = self.work / "marker"
        self.assertEqual(self.sbox("learn", "--yes", "--force", "--output", str(link), "true").status, 0)
        self.refused("learn", "--yes", "--output", f"{self.work}/$(touch {marker.name})", "true")
        self.assertEqual(victim.read_text(), "victim\n")
        self.assertFalse(link.is_symlink() or marker.exists())

    def test_what_could_not_be_written_is_refused_before_anything_runs(self) -> None:
        held = self.directory("held", 0o555)
        cases = {f"{self.work}/none/x.profile": "No such file", f"{held}/x.profile": "Permission denied",
                 str(held): "it is no file", f"{self.file('plain')}/x": "Not a directory"}  # fmt: skip
        dangling = self.work / "dangling"
        dangling.symlink_to("nothing")
        for output, why in (cases | {str(dangling): "it exists already"}).items():
            with self.subTest(output=output):
                forced = () if why == "it exists already" else ("--force",)
                refusal = self.refused("learn", "--yes", *forced, "--output", output, "sh", "-c", "echo ran >&2", cwd=str(self.work))
                self.assertIn(why, refusal.err)
        self.assertEqual(list(held.iterdir()), [])
        self.refused("learn", "--json", "--output", str(self.proposed), "true")

    def test_what_cannot_be_written_any_more_is_printed(self) -> None:
        folder = self.directory("folder")
        child = self.start("learn", "--yes", "--output", f"{folder}/x.profile", "sh", "-c", "echo up; read line",
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        assert child.stdout is not None
        self.assertEqual(child.stdout.readline(), b"up\n")
        self.account.file(folder / "x.profile", "meanwhile\n")
        out, err = child.communicate(b"\n", timeout=30)
        self.assertEqual(child.returncode, 125, err)
        self.assertIn(b"[profile]\n", out)
        self.assertIn(b"File exists", err)
        self.assertEqual([path.name for path in folder.iterdir()], ["x.profile"])
        self.assertEqual((folder / "x.profile").read_text(), "meanwhile\n")

    def test_without_a_terminal_it_only_tells(self) -> None:
        result = self.sbox("learn", "--name", "learned-test", "true")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, r"(?m)^description = learned-test")
        self.assertFalse((self.folder / "learned-test.profile").exists())

    def test_on_a_terminal_each_line_is_asked(self) -> None:
        one, two = self.file("one", "1\n"), self.file("two", "2\n")
        terminal = Terminal(self)
        terminal.expect("READY> ")
        terminal.type(f"$SBOX learn --output {self.proposed} -- sh -c 'cat {one} {two}'\n")
        terminal.expect("Start it? [Y/n] ")
        terminal.type("y\n")
        self.assertIn(f"[home] keep-read-only = {self.in_home(one)}", terminal.expect("[q]uit: "))
        terminal.type("n\n")
        self.assertIn(f"[home] keep-read-only = {self.in_home(two)}", terminal.expect("[q]uit: "))
        terminal.type("y\n")
        terminal.expect("READY> ")
        self.assertEqual(self.lines(), [f"home.keep-read-only = {self.in_home(two)}"])

    def test_what_the_terminal_says_by_itself_is_no_answer(self) -> None:
        """A program can have the terminal say what it wants in between two escapes, as a colour that was asked for."""
        one, two = self.file("one", "1\n"), self.file("two", "2\n")
        terminal = Terminal(self)
        terminal.expect("READY> ")
        script = f"cat {one} {two}; stty raw -echo; echo begun; sleep 997.47"
        terminal.type(f"$SBOX learn --output {self.proposed} -- sh -c '{script}'\n")
        terminal.expect("Start it? [Y/n] ")
        terminal.type("y\n")
        terminal.expect("begun")
        said = "aaaa/aaaa\x1b\\\x1b]11;rgb:aaaa/"
        terminal.type_until_full(said)
        end_sleep("997.47")
        for answer in ("n\n", said + "n\n", "n\n"):
            terminal.expect("[q]uit: ")
            terminal.type(answer)
        terminal.expect("READY> ")
        self.assertNotIn("keep-read-only", str(self.lines()))

    def test_what_makes_no_sense_is_refused(self) -> None:
        for arguments in ([], ["--nonsense", "true"], ["--name"], ["--name", "a/b", "true"], ["--json", "--yes", "true"],
                          ["-s", "home.mode=host", "true"], ["-s", "process.debug=no", "true"], ["-s", "nonsense=1", "true"],
                          ["-s", "home.overlay=mine", "true"], ["--yes"], ["--yes=no", "true"], ["--no-network=", "true"],
                          ["--yes", "--output=", "true"], ["--name=", "true"], ["--yes", "-s=", "true"]):  # fmt: skip
            with self.subTest(arguments):
                self.refused("learn", *arguments)
        self.refused("learn", "no-such-program", status=127)

    def test_without_strace_it_says_so(self) -> None:
        self.root_only()
        stage = self.account.base / "stage"
        script = 'mkdir "$0" "$0/u" "$0/w" && mount -t overlay overlay -o "lowerdir=/usr/bin,upperdir=$0/u,workdir=$0/w" /usr/bin && '
        script += 'rm /usr/bin/strace && exec setpriv --reuid "$1" --regid "$2" --clear-groups -- "${@:3}"'
        argv = ["unshare", "--mount", "bash", "-c", script, str(stage), str(self.account.uid), str(self.account.gid)]
        result = self.account.run([*argv, str(SBOX), "learn", "true"], user=0, group=0)
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, r"\Asbox: learn: there is no strace \(install the package strace\)\n\Z")


if __name__ == "__main__":
    unittest.main()
