"""Running sandboxes: their names, list, join and stop, and who may not."""

from __future__ import annotations

import array
import contextlib
import functools
import itertools
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import termios
import unittest
from typing import Any

from account import BUILD, SBOX, Result
from harness import SystemTest, descendants, namespace, probe, read_process, running, status_field, wait_for
from residue import files_of
from test_terminal import Terminal

COUNTER = itertools.count()
PYTHON = ["/usr/bin/python3", "-I", "-S", "-c"]
# Answers a request that is none; process 1 forks for it, so an answer means that the door was open.
GARBAGE = struct.pack("=B7xq", 17, 0)


def launcher_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")
    return ""


class InstanceTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.name = f"test-{os.getpid()}-{next(COUNTER)}"
        self.ready = self.directory("ready")

    def launch(
        self, name: str, *command: str, options: tuple[str, ...] = (), **settings: Any
    ) -> subprocess.Popen[bytes]:
        """A sandbox of that name whose program runs until it is ended; it can be joined when this returns."""
        program = command or ("sleep", "999")
        settings = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | settings
        child = self.start("--name", name, *options, "--", *program, **settings)
        wait_for(lambda: child.poll() is not None or self.joined(name, "true").status == 0, what=f"start of {name}")
        self.assertIsNone(child.poll())
        return child

    def joined(self, name: str, *command: str, **settings: Any) -> Result:
        return self.sbox("join", name, "--", *command, **settings)

    def listed(self, **settings: Any) -> dict[str, dict[str, Any]]:
        """Those of this test, by name."""
        result = self.sbox("list", "--json", **settings)
        self.assertEqual(result.status, 0, result)
        return {row["name"]: row for row in json.loads(result.out) if row["name"].startswith(self.name)}

    def door_of(self, pid: int) -> str:
        """The descriptor of the supervisor that leads to process 1."""
        for entry in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{entry}").startswith("/.sbox-door"):
                return f"/proc/{pid}/fd/{entry}"
        raise AssertionError("no door")

    def init_of(self, supervisor: int) -> int:
        for pid in descendants(supervisor):
            if status_field(pid, "NSpid").split()[1:] == ["1"]:
                return pid
        raise AssertionError("no process 1")


class Names(InstanceTest):
    def test_list_tells_what_runs(self) -> None:
        child = self.launch(self.name)
        row = self.listed()[self.name]
        self.assertEqual((row["pid"], row["profile"], row["program"]), (child.pid, "default", "/usr/bin/sleep"))
        self.assertLess(row["seconds"], 60)
        self.assertIn(self.name, self.sbox("list").out)
        child.terminate()
        child.wait(10)
        self.assertEqual(self.listed(), {})

    def test_a_second_one_of_the_same_name_is_refused(self) -> None:
        self.launch(self.name)
        result = self.refused("--name", self.name, "true")
        self.assertIn("runs already", result.err)
        self.assertEqual(self.sbox("--name", f"{self.name}-b", "true").status, 0)

    def test_without_a_name_they_are_counted(self) -> None:
        profile = self.profile("[profile]\ndescription = x\n", self.name)
        children = [self.start("-p", profile, "--", "sleep", "999") for _ in range(3)]
        want = {self.name, f"{self.name}-2", f"{self.name}-3"}
        wait_for(lambda: set(self.listed()) == want, what="three names")
        second = self.listed()[f"{self.name}-2"]["pid"]
        os.kill(second, signal.SIGKILL)
        wait_for(lambda: set(self.listed()) == want - {f"{self.name}-2"}, 5, "the end of the second")
        self.start("-p", profile, "--", "sleep", "999")
        wait_for(lambda: set(self.listed()) == want, what="its name again")
        self.assertEqual(len({row["pid"] for row in self.listed().values()}), 3)
        self.assertTrue(all(child.pid for child in children))

    def test_of_many_that_want_one_name_at_once_one_gets_it(self) -> None:
        children = [self.start("--name", self.name, "--", "sleep", "999", stderr=subprocess.DEVNULL) for _ in range(8)]
        losers = wait_for(lambda: [c for c in children if c.poll() is not None][6:] and children, what="seven refusals")
        self.assertEqual(sorted(c.returncode for c in losers if c.poll() is not None), [125] * 7)
        wait_for(self.listed, 5, "the one")
        self.assertIn(self.listed()[self.name]["pid"], [c.pid for c in children])

    def test_of_many_that_want_any_name_at_once_each_gets_one(self) -> None:
        profile = self.profile("[profile]\ndescription = x\n", self.name)
        children = [self.start("-p", profile, "--", "sleep", "999") for _ in range(8)]
        rows = wait_for(lambda: len(self.listed()) == 8 and self.listed(), what="eight names")
        self.assertEqual({row["pid"] for row in rows.values()}, {child.pid for child in children})

    def test_odd_names_are_refused(self) -> None:
        for name in ("", ".", "../x", "a/b", "-x", "a b", "x@", "@x", "a@b@c", "a\nb", "a\x1b[1m", "x" * 65):
            with self.subTest(name=name):
                self.refused("--name", name, "true")
                self.refused("join", name, "true")
                self.refused("stop", name)

    def test_a_killed_sandbox_vanishes_and_leaves_no_file(self) -> None:
        before = files_of(self.account)
        for victim in ("supervisor", "init"):
            child = self.launch(self.name)
            os.kill(child.pid if victim == "supervisor" else self.init_of(child.pid), signal.SIGKILL)
            child.wait(5)
            self.assertEqual(self.listed(), {})
        self.assertEqual(files_of(self.account), before)
        self.assertEqual(oct(self.registry().stat().st_mode), "0o40700")
        files = list(self.registry().iterdir())
        self.assertEqual({(file.stat().st_size, oct(file.stat().st_mode)) for file in files}, {(0, "0o100600")})
        self.assertEqual(self.sbox("--name", self.name, "true").status, 0)

    def registry(self) -> pathlib.Path:
        home = pathlib.Path(pwd.getpwuid(self.account.uid).pw_dir)
        return home / ".local" / "share" / "sbox" / "running"

    def test_the_registry_is_not_to_be_seen_inside(self) -> None:
        self.assertTrue(self.registry().exists() or self.sbox("true").status == 0)
        for mode in ("empty", "private"):
            out = self.inside(f"cat {self.registry()} 2>&1; ls -A {self.registry().parent} 2>&1; true", "-s", f"home.mode={mode}")
            self.assertIn("No such file", out)
        self.refused("-s", f"files.read-only+={self.registry()}", "true")

    def test_what_is_shown_of_a_sandbox_has_no_control_characters(self) -> None:
        tools = self.directory("tools")
        odd = tools / "odd\x1b[31m\u202e\nname"
        shutil.copy("/usr/bin/sleep", odd)
        self.account.own(odd)
        self.launch(self.name, str(odd), "999", options=("-s", f"files.read-only+={tools}"))
        for arguments in (["list"], ["list", "--json"], ["complete", "join", self.name]):
            shown = self.sbox(*arguments).out
            self.assertIn(self.name, shown)
            self.assertIsNone(re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", shown), shown)
        rows = [line for line in self.sbox("list").out.splitlines() if self.name in line]
        self.assertEqual(len(rows), 1, rows)

    def test_homes_by_the_word_behind_an_at(self) -> None:
        profile = self.profile("[home]\nmode = private\n", self.name)
        one, two = f"{self.name}@one", f"{self.name}@two"
        homes = self.account.home / ".local" / "share" / "sbox" / "homes"
        for tag in ("@one", "@two"):
            self.assertEqual(self.sbox("-p", profile, f"sh{tag}", "-c", f"echo {tag} >~/kept").status, 0)
        out = self.sbox("-p", profile, "--name", one, "--", "sh", "-c", "cat ~/kept").out
        self.assertEqual(out, "@one\n")
        self.assertEqual(self.sbox("-p", profile, "sh@two", "-c", "cat ~/kept").out, "@two\n")
        self.assertEqual(self.sbox("-p", profile, "sh", "-c", "ls -A ~").out, "")
        self.assertEqual((homes / one / "kept").read_text(), "@one\n")

    def test_a_home_of_that_kind_has_one_sandbox(self) -> None:
        profile = self.profile("[home]\nmode = private\n", self.name)
        self.start("-p", profile, "sleep@one", "999")
        wait_for(lambda: f"{self.name}@one" in self.listed(), what="the first")
        self.refused("-p", profile, "sleep@one", "999")
        self.refused("-p", profile, "--name", "x", "sleep@one", "999")


class Join(InstanceTest):
    def test_the_program_s_status_streams_and_arguments(self) -> None:
        self.launch(self.name)
        self.assertEqual(self.joined(self.name, "sh", "-c", "exit 7").status, 7)
        self.assertEqual(self.joined(self.name, "sh", "-c", "kill -9 $$").status, 137)
        result = self.joined(self.name, "sh", "-c", "cat; echo error >&2", data=b"a\0b" * 100_000)
        self.assertEqual((result.raw, result.err), (b"a\0b" * 100_000, "error\n"))
        awkward = ["a b", "", "line\nbreak", "--", "$(x)", "ünï", "x" * 100_000]
        code = "import sys, json; print(json.dumps(sys.argv[1:]))"
        self.assertEqual(json.loads(self.joined(self.name, *PYTHON, code, *awkward).out), awkward)
        self.assertEqual(self.joined(self.name, "no-such-program").status, 127)
        self.assertEqual(self.joined(self.name, "/etc").status, 126)
        both = self.joined(self.name, "sh", "-c", "for i in 1 2 3; do echo o$i; echo e$i >&2; done", stderr=subprocess.STDOUT)
        self.assertEqual(both.out, "o1\ne1\no2\ne2\no3\ne3\n")

    def test_without_a_program_it_is_a_shell(self) -> None:
        self.launch(self.name)
        result = self.sbox("join", self.name, data=b"echo in $0; exit 3\n")
        self.assertEqual((result.status, result.out), (3, "in /bin/bash\n"), result)

    def test_it_is_the_same_sandbox(self) -> None:
        child = self.launch(self.name, "sh", "-c", "echo there >/tmp/mark; echo x >~/y; exec sleep 987.5")
        wait_for(lambda: self.joined(self.name, "cat", "/tmp/mark", "y").out == "there\nx\n", what="its files")
        init = self.init_of(child.pid)
        kinds = ("user", "mnt", "pid", "ipc", "uts", "cgroup", "net")
        inside = self.joined(self.name, "sh", "-c", "".join(f"readlink /proc/self/ns/{kind};" for kind in kinds)).out.split()
        self.assertEqual(inside, [namespace(init, kind) for kind in kinds])
        self.assertIn("987.5", self.joined(self.name, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").out)

    def test_what_is_joined_in_a_sandbox_is_confined_as_its_program(self) -> None:
        """Ids, capabilities, filters, Landlock, limits, descriptors, mounts and variables: the same probe, compared."""
        options = ("-s", "limits.open-files=200", "-s", f"files.read-only+={BUILD}", "-s", f"files.read-write+={self.ready}")
        tell = [probe("confinement")]
        self.launch(self.name, "sh", "-c", f"{tell[0]} >{self.ready}/first; exec sleep 999", options=options, cwd="/")
        wait_for(lambda: (self.ready / "first").read_text().rstrip().endswith("}"), what="the first report")
        first = json.loads((self.ready / "first").read_text())
        second = json.loads(self.joined(self.name, *tell, cwd="/").out)
        self.assertEqual(set(first), set(second))
        for what, value in first.items():
            with self.subTest(what=what):
                self.assertEqual(comparable(what, second[what]), comparable(what, value))

    def test_attacks_that_fail_in_the_sandbox_fail_in_what_joins_it(self) -> None:
        """Calls that a sandbox must deny, what a program can do to process 1, and to get out by a terminal or descriptor."""
        calls, others = probe("attack_calls"), probe("attack_processes")
        options = ("-s", f"files.read-only+={BUILD}")
        self.launch(self.name, options=options)
        self.launch(f"{self.name}-b", options=options)
        for command in ([calls], [calls, "nested"], [calls, "memory"], [calls, "mounts"], [others, "reach", "1", "0"]):
            with self.subTest(command=command[1:]):
                first = self.sbox(*options, "--", *command)
                again = self.joined(self.name, *command)
                self.assertEqual(without_addresses(again.out), without_addresses(first.out))
                self.assertEqual(again.status, first.status)
                outside = self.account.run(command)
                self.assertNotEqual(without_addresses(again.out), without_addresses(outside.out), "the control")
        listing = self.joined(self.name, others, "descriptors").out
        self.assertRegex(listing, r"\A0 [^\n]+\n1 pipe[^\n]+\n2 pipe[^\n]+\n\Z")

    def test_its_directory_is_the_caller_s_where_it_is_the_same(self) -> None:
        self.launch(self.name, options=("-s", f"files.read-only+={self.ready}"), cwd="/usr")
        self.assertEqual(self.joined(self.name, "pwd", cwd=str(self.ready)).out, f"{self.ready}\n")
        for other in (str(self.work), str(self.account.base), "/tmp"):
            self.assertEqual(self.joined(self.name, "pwd", cwd=other).out, "/usr\n")

    def test_signals_reach_it(self) -> None:
        self.launch(self.name, options=("-s", f"files.read-write+={self.ready}"))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            mark = self.ready / number.name
            script = f"trap 'exit 42' {number.name[3:]}; : >{mark}; while :; do sleep 0.05; done"
            child = self.start("join", self.name, "--", "sh", "-c", script, stdin=subprocess.DEVNULL)
            self.wait_for_file(mark, child)
            os.kill(child.pid, number)
            self.assertEqual(child.wait(10), 42)

    def test_it_ends_with_its_client_and_the_sandbox_goes_on(self) -> None:
        sandbox = self.launch(self.name)
        script = f"sleep 998.{os.getpid()} | sleep 997.{os.getpid()}"
        child = self.start("join", self.name, "--", "sh", "-c", script, stdin=subprocess.DEVNULL)
        wait_for(lambda: self.sleepers() == 2, what="the pipeline")
        child.kill()
        child.wait(10)
        wait_for(lambda: self.sleepers() == 0, 5, "the end of the pipeline")
        self.assertIsNone(sandbox.poll())

    def sleepers(self) -> int:
        return len([pid for pid in running(f".{os.getpid()}") if read_process(pid, "cmdline").startswith("sleep")])

    def test_it_ends_with_the_sandbox(self) -> None:
        for victim in ("program", "supervisor", "init"):
            sandbox = self.launch(self.name)
            quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            child = self.start("join", self.name, "--", "sleep", f"997.{os.getpid()}", **quiet)
            wait_for(lambda: self.sleepers() == 1, what="the joined program")
            init = self.init_of(sandbox.pid)
            program = [pid for pid in descendants(init) if "999" in read_process(pid, "cmdline")][0]
            os.kill({"program": program, "supervisor": sandbox.pid, "init": init}[victim], signal.SIGKILL)
            self.assertEqual(child.wait(10), 137, victim)
            wait_for(lambda: self.sleepers() == 0, 5, "its end")
            sandbox.wait(10)

    def test_killing_its_keeper_ends_it(self) -> None:
        sandbox = self.launch(self.name)
        child = self.start("join", self.name, "--", "sleep", f"997.{os.getpid()}", stdin=subprocess.DEVNULL)
        wait_for(lambda: self.sleepers() == 1, what="the joined program")
        program = running(f"997.{os.getpid()}")
        sleeper = [pid for pid in program if read_process(pid, "cmdline").startswith("sleep")][0]
        os.kill(int(status_field(sleeper, "PPid")), signal.SIGKILL)
        self.assertEqual(child.wait(10), 137)
        wait_for(lambda: self.sleepers() == 0, 5, "its end")
        self.assertIsNone(sandbox.poll())

    def test_many_at_once(self) -> None:
        self.launch(self.name)
        children = [
            self.start("join", self.name, "--", "sh", "-c", f"exit {n}", stdin=subprocess.DEVNULL) for n in range(1, 21)
        ]
        self.assertEqual([child.wait(20) for child in children], list(range(1, 21)))

    def test_mistakes_are_one_line(self) -> None:
        self.launch(self.name)
        self.refused("join")
        self.refused("join", "--", "true")
        self.refused("join", f"{self.name}x", "--", "true")
        self.refused("join", self.name, "--force")
        self.refused("join", self.name, "--", "")
        self.assertIn(f"did you mean {self.name}?", self.refused("stop", f"{self.name}x").err)


def comparable(what: str, value: Any) -> Any:
    """Without what is each process's own."""
    if what == "status":
        own = ("Name", "Pid", "PPid", "Tgid", "Ngid", "NSpid", "NSpgid", "NSsid", "NStgid", "Vm", "Rss", "Hugetlb")
        own += ("voluntary", "nonvoluntary", "SigQ", "Cpus", "Mems", "Threads", "Shd", "Sig", "State", "untag", "x86")
        return [line for line in value.splitlines() if not line.startswith(own)]
    if what == "descriptors":
        return sorted(value)
    if what == "session":
        return value > 0
    if what == "environment":
        return sorted(variable for variable in value if not variable.startswith(("PWD=", "OLDPWD=")))
    return value


def without_addresses(out: str) -> str:
    return re.sub(r"\b0x[0-9a-f]+\b", "", out)


class Terminals(InstanceTest):
    def setUp(self) -> None:
        super().setUp()
        self.launch(self.name, options=("-s", f"files.read-write+={self.ready}"))
        self.terminal = Terminal(self)
        self.terminal.expect("READY> ")

    def command(self, line: str) -> None:
        self.terminal.type(line + "\n")
        self.terminal.expect("\n")

    def test_a_joined_program_has_a_terminal_of_its_own(self) -> None:
        script = "tty; test -t 0 && test -t 1 && test -t 2 && echo all; echo x >/dev/tty; stty size"
        self.command(f"$SBOX join {self.name} -- sh -c '{script}'")
        self.assertRegex(self.terminal.expect("READY> "), r"/dev/pts/\d+\r\nall\r\nx\r\n24 80\r\n")

    def test_the_size_of_the_window_follows(self) -> None:
        self.command(f"$SBOX join {self.name} -- sh -c 'trap \"stty size\" WINCH; echo up; while :; do sleep 0.05; done'")
        self.terminal.expect("up\r\n")
        self.terminal.resize(31, 99)
        self.terminal.expect("31 99")
        self.terminal.type("\x03")
        self.terminal.expect("READY> ")

    def test_keys_stop_and_continue_it(self) -> None:
        self.command(f"$SBOX join {self.name} -- sh -c 'echo up; exec cat'")
        self.terminal.expect("up\r\n")
        self.terminal.type("\x1a")
        self.terminal.expect("Stopped")
        self.terminal.expect("READY> ")
        self.command("echo shell-is-back")
        self.terminal.expect("shell-is-back\r\n")
        self.command("fg")
        self.terminal.type("echoed\n")
        self.terminal.expect("echoed\r\nechoed\r\n")
        self.terminal.type("\x03")
        self.terminal.expect("READY> ")
        self.command("stty -a | tr ' ;' '\\n\\n' | grep -x -- -*icanon")
        self.assertEqual(self.terminal.expect("READY> "), "icanon\r\n")

    def test_an_interactive_shell(self) -> None:
        self.command(f"$SBOX join {self.name}")
        self.terminal.type("echo $((6*7))-$TERM; jobs; exit 5\n")
        self.terminal.expect("42-dumb\r\n")
        self.terminal.expect("READY> ")
        self.command("echo =$?=")
        self.terminal.expect("=5=")

    def test_killing_the_client_puts_the_terminal_right_and_ends_the_shell(self) -> None:
        mark = f"996.{os.getpid()}"
        script = '"$@"; echo status $?; cat'
        joined = ["join", self.name, "--", "sh", "-c", f"echo begun; exec sleep {mark}"]
        terminal = Terminal(self, "sh", "-c", script, "sh", str(SBOX), *joined)
        before = termios.tcgetattr(terminal.leader)
        terminal.expect("begun")
        wait_for(lambda: not termios.tcgetattr(terminal.leader)[3] & termios.ICANON, what="a raw terminal")
        client = next(pid for pid in descendants(terminal.child.pid) if read_process(pid, "cmdline").startswith(str(SBOX)))
        os.kill(client, signal.SIGKILL)
        terminal.expect("status 137")
        wait_for(lambda: termios.tcgetattr(terminal.leader) == before, 2, "the modes of before")
        wait_for(lambda: not [p for p in running(mark) if read_process(p, "cmdline").startswith("sleep")], 5, "its end")


SINGLE = "[profile]\ndescription = x\ninstance = single\n"


class Single(InstanceTest):
    """A profile whose second start goes to the sandbox that runs."""

    def setUp(self) -> None:
        super().setUp()
        self.granted, tools = self.directory("granted"), self.directory("tools")
        self.program = str(self.account.file(tools / self.name, '#!/bin/sh\nexec "$@"\n', 0o755))
        text = SINGLE + f"[files]\nread-only = {tools}\nread-write = {self.ready}, {self.granted}\n"
        # By its name, as users have it: a file could be any.
        profiles = pathlib.Path(pwd.getpwuid(self.account.uid).pw_dir) / ".config" / "sbox" / "profiles"
        for folder in (profiles.parent.parent, profiles.parent):
            self.account.directory(folder)
        self.file_of_profile = self.account.file(profiles / f"{self.name}.profile", text)
        self.addCleanup(self.file_of_profile.unlink)
        script = "echo first >/tmp/mark; sleep 999 & wait"
        self.start(self.program, "sh", "-c", script, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.joined(self.name, "cat", "/tmp/mark").out == "first\n", what="the first")

    def second(self, *command: str, options: tuple[str, ...] = (), **settings: Any) -> Result:
        return self.sbox(*options, "--", self.program, *command, **settings)

    def test_a_second_start_runs_in_the_first_one_s_sandbox(self) -> None:
        self.assertEqual(self.second("cat", "/tmp/mark").out, "first\n")
        self.assertEqual(self.second("sh", "-c", "exit 6").status, 6)
        self.assertEqual(list(self.listed()), [self.name])
        self.sbox("stop", self.name)
        self.assertEqual(self.second("cat", "/tmp/mark").status, 1, "the control: a sandbox of its own")

    def test_files_must_be_the_same_inside(self) -> None:
        seen = self.account.file(self.granted / "a page", "page")
        hidden = self.file("hidden", "secret")
        self.account.file(pathlib.Path("/tmp") / f"{self.name}", "outside")
        self.addCleanup(os.unlink, f"/tmp/{self.name}")
        self.joined(self.name, "sh", "-c", f"echo inside >/tmp/{self.name}")
        for argument in (str(seen), f"file://{str(seen).replace(' ', '%20')}", f"--page={seen}", "https://example.org/a"):
            self.assertEqual(self.second("echo", argument).out, f"{argument}\n")
        self.assertEqual(self.second("cat", "a page", cwd=str(self.granted)).out, "page")
        for argument in (str(hidden), f"file://{hidden}", f"--page={hidden}", f"/tmp/{self.name}"):
            with self.subTest(argument=argument):
                result = self.second("cat", argument)
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertRegex(result.err, r"\Asbox: '/[^\n]+running sandbox[^\n]+\n\Z")

    def test_settings_for_a_sandbox_that_runs_are_refused(self) -> None:
        for options in (["-s", "network.mode=host"], ["-s", f"files.read-write+={self.work}"]):
            self.refused(*options, "--", self.program, "true")
        self.refused("-p", self.profile(SINGLE, self.name), "--", self.program, "true")
        self.refused("--name", self.name, "true")

    def test_another_name_or_program_is_another_sandbox(self) -> None:
        self.assertEqual(self.second("cat", "/tmp/mark", options=("--name", f"{self.name}-b")).status, 1)
        self.assertEqual(self.sbox("-p", self.name, "cat", "/tmp/mark").status, 1)
        path = {"PATH": f"{pathlib.Path(self.program).parent}:/usr/bin:/bin"}
        self.assertEqual(self.sbox(self.name, "cat", "/tmp/mark", env=path).out, "first\n", "the control")
        self.assertEqual(self.sbox(f"{self.name}@tag", "cat", "/tmp/mark", env=path).status, 1)

    def test_many_at_once_are_one_sandbox(self) -> None:
        self.sbox("stop", self.name)
        # The first goes on until all five have been there.
        script = "echo x >>~/starts; while [ $(wc -l <~/starts) -lt 5 ]; do sleep 0.05; done"
        children = [
            self.start(self.program, "sh", "-c", script, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(5)
        ]
        ends = [child.wait(20) for child in children]
        # Those that joined end with the first where that is done earlier.
        self.assertIn(0, ends)
        self.assertEqual([end for end in ends if end not in (0, 137)], [])


class Top(InstanceTest):
    def test_it_tells_what_a_sandbox_uses(self) -> None:
        code = "import socket; a = socket.socketpair(); b = bytearray(50 << 20)\n"
        code += "for i in range(0, len(b), 4096): b[i] = 1\nwhile True: pass"
        busy = self.launch(f"{self.name}-busy", *PYTHON, code)
        self.launch(f"{self.name}-idle")
        result = self.sbox("top", "--json")
        rows = {row["name"]: row for row in json.loads(result.out)}
        hot, idle = rows[f"{self.name}-busy"], rows[f"{self.name}-idle"]
        self.assertGreater(hot["cpu"], 5)
        self.assertLess(idle["cpu"], 5)
        self.assertGreater(hot["memory"], 50 << 20)
        self.assertLess(idle["memory"], 10 << 20)
        self.assertEqual((hot["processes"], idle["processes"]), (3, 3))
        self.assertEqual(hot["sockets"] - idle["sockets"], 2)
        self.assertEqual(hot["pid"], busy.pid)
        lines = self.sbox("top").out.splitlines()
        self.assertTrue([line for line in lines if line.startswith(f"{self.name}-busy ")], lines)
        self.assertNotIn("\x1b", "".join(lines))

    def test_it_counts_what_goes_by_a_network_of_its_own(self) -> None:
        code = "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        code += "for i in range(100): s.sendto(bytes(1000), ('198.51.100.1', 9))\ntime.sleep(999)"
        for mode in ("host", "private"):
            self.launch(f"{self.name}-{mode}", *PYTHON, code, options=("-s", f"network.mode={mode}"))

        def sent() -> dict[str, int]:
            return {row["name"]: row["sent"] for row in json.loads(self.sbox("top", "--json").out)}

        # The first ones wait for the address of the gateway, and not all of them find room.
        wait_for(lambda: sent()[f"{self.name}-private"] > 50_000, what="what was sent")
        self.assertLess(sent()[f"{self.name}-private"], 200_000)
        self.assertEqual(sent()[f"{self.name}-host"], 0)

    def test_on_a_terminal_it_goes_on(self) -> None:
        self.launch(self.name)
        terminal = Terminal(self)
        terminal.expect("READY> ")
        terminal.type("$SBOX top\n")
        for _ in range(2):
            terminal.expect("\x1b[H\x1b[J")
            terminal.expect(self.name)
        terminal.type("\x03")
        terminal.expect("READY> ")

    def test_mistakes(self) -> None:
        for wrong in ("--Json", "x", self.name):
            self.refused("top", wrong)


class Stop(InstanceTest):
    def test_a_program_may_end_by_itself(self) -> None:
        script = f"trap 'echo over >{self.ready}/over; exit 4' TERM; while :; do sleep 0.05; done"
        child = self.launch(self.name, "sh", "-c", script, options=("-s", f"files.read-write+={self.ready}"))
        self.assertEqual(self.sbox("stop", self.name).status, 0)
        self.assertEqual(child.wait(1), 4)
        self.assertEqual((self.ready / "over").read_text(), "over\n")
        self.assertEqual(self.listed(), {})

    def test_so_may_one_whose_sbox_is_stopped(self) -> None:
        child = self.launch(self.name, "sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.05; done")
        os.kill(child.pid, signal.SIGSTOP)
        self.assertEqual(self.sbox("stop", self.name).status, 0)
        self.assertEqual(child.wait(1), 4)

    def test_a_deaf_one_is_ended_after_its_time(self) -> None:
        for options in (["--time", "1"], ["--force"]):
            script = f"trap '' TERM HUP INT; sleep 995.{os.getpid()} & while :; do sleep 995.{os.getpid()}; done"
            child = self.launch(self.name, "sh", "-c", script, stderr=subprocess.PIPE)
            family = descendants(child.pid)
            self.assertGreater(len(family), 2)
            self.assertEqual(self.sbox("stop", *options, self.name).status, 0)
            self.assertEqual([pid for pid in family if read_process(pid, "cmdline")], [])
            self.assertEqual((child.wait(1), child.stderr and child.stderr.read()), (137, b"sbox: the sandbox was killed\n"))

    def test_a_stopped_one_is_ended(self) -> None:
        child = self.launch(self.name, "sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
        family = [child.pid, *descendants(child.pid)]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):  # a sleep that is over
                os.kill(pid, signal.SIGSTOP)
        self.assertEqual(self.sbox("stop", "--force", self.name, timeout=20).status, 0)
        child.wait(5)
        wait_for(lambda: not [pid for pid in family if read_process(pid, "cmdline")], 5, "the end of all")

    def test_several_and_mistakes(self) -> None:
        names = [f"{self.name}-{letter}" for letter in "abc"]
        for name in names:
            self.launch(name)
        self.assertEqual(self.sbox("stop", *names[:2]).status, 0)
        self.assertEqual(list(self.listed()), names[2:])
        times = (["--time"], ["--time", "x", names[2]], ["--time", "-1", names[2]])
        for wrong in ([], *times, ["--kill", names[2]], ["0"], ["1"], ["-1"]):
            with self.subTest(wrong=wrong):
                self.refused("stop", *wrong)
        self.assertEqual(list(self.listed()), names[2:])
        self.refused("stop", names[0], names[2])
        self.assertEqual(self.listed(), {})


HOLD = """
import fcntl, os, struct, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
os.set_inheritable(file, True)
fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, int(sys.argv[2]), 1, 0))
if len(sys.argv) > 3: os.execv(sys.argv[3], sys.argv[4:])
print("held", flush=True)
sys.stdin.read()
"""


def place_of(name: str) -> int:
    base, _, number = name.rpartition("-")
    if not base or not re.fullmatch("[1-9][0-9]{0,5}", number) or number == "1":
        base, number = name, "1"
    hashed = 0xCBF29CE484222325
    for byte in base.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 % 2**64
    return hashed % 2**42 * 2**20 + int(number)


class Forged(InstanceTest):
    """Nothing but a supervisor of this user is taken for one, and nothing else is ever signalled."""

    def registry(self, name: str) -> str:
        """The file that has the place of `name`."""
        place = place_of(name)
        return f"{pwd.getpwuid(self.account.uid).pw_dir}/.local/share/sbox/running/{(place // 2**20 + place) % 16}"

    def assert_not_taken_for_a_sandbox(self, child: subprocess.Popen[bytes]) -> None:
        self.assertEqual(self.listed(), {})
        self.refused("join", self.name, "--", "true")
        self.refused("stop", "--force", self.name)
        self.assertIsNone(child.poll())

    def test_a_process_that_holds_the_lock_and_a_fitting_command_line(self) -> None:
        self.sbox("true")
        control = self.launch(self.name)
        self.assertEqual(self.listed()[self.name]["pid"], control.pid, "the control: the place of the name")
        self.assertEqual(self.sbox("stop", self.name).status, 0)
        words = ["sbox", self.name, "default", "/usr/bin/sleep"]
        holder = self.account.start(
            [*PYTHON, HOLD, self.registry(self.name), str(place_of(self.name)), "/bin/sleep", *words[:1], "994"],
            stdin=subprocess.PIPE)
        wait_for(lambda: "994" in read_process(holder.pid, "cmdline").split("\0")[1:2], what="the false one")
        self.assertIn("runs already", self.refused("--name", self.name, "true").err, "the control: the name is held")
        self.assert_not_taken_for_a_sandbox(holder)
        hold = [*PYTHON, HOLD, self.registry(self.name + "x"), str(place_of(self.name + "x"))]
        waiting = self.account.start(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert waiting.stdout
        self.assertEqual(waiting.stdout.readline(), b"held\n")
        self.assertEqual(self.listed(), {})

    def test_one_with_the_command_line_and_program_but_without_the_lock(self) -> None:
        """sbox-launch itself, in a sandbox and outside, that calls itself like an instance."""
        launcher = str(BUILD / "libexec" / "sbox" / "sbox-launch")
        false = self.account.start(["sbox", self.name, "default", "/x"], executable=str(self.stopping(launcher)))
        wait_for(lambda: "T" in status_field(false.pid, "State"), what="the stopped one")
        self.assert_not_taken_for_a_sandbox(false)
        result = self.sbox("-s", f"files.read-only+={BUILD}", "--", launcher, "x")
        self.assertEqual(result.status, 125, result)

    def test_the_lock_of_another_name_is_no_proof_of_this_one(self) -> None:
        """A supervisor whose command line says another name than its lock does is no instance at all."""
        self.sbox("true")
        other = self.name + "-other"
        launcher = str(BUILD / "libexec" / "sbox" / "sbox-launch")
        # It has no plan, so it ends; as long as it is stopped, it is what the kernel says it is.
        hold = [*PYTHON, HOLD, self.registry(self.name), str(place_of(self.name)), str(self.stopping(launcher))]
        holder = self.account.start([*hold, "sbox", other, "default", "/x"], stdin=subprocess.PIPE)
        wait_for(lambda: "T" in status_field(holder.pid, "State"), what="the stopped one")
        self.assertTrue(launcher_of(holder.pid))
        self.assertEqual(self.listed(), {})
        self.refused("stop", "--force", self.name)
        self.refused("stop", "--force", other)
        self.assertIsNone(holder.poll())

    def test_a_lock_in_the_file_of_other_names_is_no_claim(self) -> None:
        self.sbox("true")
        own = pathlib.Path(self.registry(self.name))
        other = own.with_name(str((int(own.name) + 1) % 16))
        launcher = str(self.stopping(str(BUILD / "libexec" / "sbox" / "sbox-launch")))
        for file, listed in ((other, []), (own, [self.name])):
            with self.subTest(file=file.name):
                file.touch(0o600)
                self.account.own(file)
                words = [str(place_of(self.name)), launcher, "sbox", self.name, "default", "/x"]
                holder = self.account.start([*PYTHON, HOLD, str(file), *words], stdin=subprocess.PIPE)
                wait_for(lambda: "T" in status_field(holder.pid, "State"), what="the stopped one")
                self.assertEqual(list(self.listed()), listed)
                holder.kill()
                holder.wait()

    def stopping(self, launcher: str) -> pathlib.Path:
        """A program called sbox-launch that stops itself at once."""
        path = self.directory("fake") / "sbox-launch"
        source = self.file("stop.c", "#include <signal.h>\nint main(void) { raise(SIGSTOP); return 0; }\n")
        self.assertTrue(os.path.exists(launcher))
        subprocess.run([os.environ.get("CC", "cc"), "-o", str(path), str(source)], check=True)
        return self.account.own(path)

    def test_a_registry_that_others_may_open_is_refused(self) -> None:
        self.sbox("true")
        registry = pathlib.Path(self.registry(self.name)).with_name("0")  # by which locks are tried, whatever the name
        aside = registry.with_name("aside")
        link = functools.partial(os.link, aside, registry)
        for make in (registry.touch, functools.partial(registry.symlink_to, "/etc/passwd"), registry.mkdir, link):
            registry.rename(aside)
            try:
                make()
                if not registry.is_symlink() and registry.exists() and registry.stat().st_nlink == 1:
                    registry.chmod(0o666)
                    self.account.own(registry)
                self.refused("list")
                self.refused("true")
                self.refused("stop", self.name)
            finally:
                registry.rmdir() if registry.is_dir() and not registry.is_symlink() else registry.unlink()
                aside.rename(registry)
        self.assertEqual(self.sbox("list").status, 0, "the control")

    def test_another_user_can_do_none_of_it(self) -> None:
        self.root_only()
        child = self.launch(self.name)
        other = pwd.getpwnam("nobody")
        registry = self.registry(self.name)
        who: dict[str, Any] = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": [], "capture_output": True}
        door = self.door_of(child.pid)
        for command in (["cat", registry], ["ls", f"/proc/{child.pid}/fd"], ["test", "-r", door], ["kill", str(child.pid)]):
            self.assertNotEqual(subprocess.run(command, **who).returncode, 0, command)
        listed = subprocess.run([SBOX, "list"], **who, text=True)
        self.assertNotIn(self.name, listed.stdout)
        self.assertIsNone(child.poll())

    def answers(self, path: str, user: int = -1) -> str:
        """What one who asks at the door gets to hear."""
        code = f"""
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
user = int(sys.argv[2])
if user >= 0: os.setgroups([]); os.setresgid(user, user, user); os.setresuid(user, user, user)
try:
    s.connect(sys.argv[1]); s.send({GARBAGE!r}); print("answer", len(s.recv(4096)))
except OSError as error: print("no", error.errno)
"""
        door = os.open(path, os.O_PATH)
        try:
            command = [*PYTHON, code, f"/proc/self/fd/{door}", str(user)]
            return subprocess.run(command, pass_fds=[door], capture_output=True, text=True).stdout
        finally:
            os.close(door)

    def test_process_1_answers_its_user_and_nobody_else(self) -> None:
        self.root_only()
        child = self.launch(self.name)
        path = self.door_of(child.pid)
        self.assertRegex(self.answers(path, self.account.uid), r"answer [1-9]", "the control")
        for user in (pwd.getpwnam("nobody").pw_uid, 0):
            self.assertRegex(self.answers(path, user), r"\A(answer 0|no \d+)\n\Z")
        self.assertEqual(self.joined(self.name, "true").status, 0)

    def test_process_1_does_not_answer_its_own_sandbox(self) -> None:
        """A program inside that has been handed the way to the door."""
        path = self.ready / "handed"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            self.account.own(path)
            server.listen()
            server.settimeout(20)
            code = f"""
import array, socket
s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r})
data, rights, *_ = s.recvmsg(1, 64)
fd = array.array("i", rights[0][2])[0]
door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    door.connect(f"/proc/self/fd/{{fd}}"); door.send({GARBAGE!r}); print("answer", len(door.recv(4096)))
except OSError as error: print("no", error.errno)
"""
            grant = ["-s", f"files.read-write+={path}"]
            child = self.start("--name", self.name, *grant, "--", *PYTHON, code, stdout=subprocess.PIPE)
            connection, _ = server.accept()
            door = os.open(self.door_of(child.pid), os.O_PATH)
            self.addCleanup(os.close, door)
            if os.getuid() == 0:
                self.assertRegex(self.answers(self.door_of(child.pid), self.account.uid), r"answer [1-9]", "the control")
            connection.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [door]))])
            out, _ = child.communicate(timeout=20)
            connection.close()
        self.assertRegex(out.decode(), r"\A(answer 0|no \d+)\n\Z")

    def test_the_door_is_not_to_be_found_inside(self) -> None:
        child = self.launch(self.name)
        script = "ls -A / /proc/1/root/; for f in /proc/[0-9]*/fd/*; do readlink $f; done"
        listing = self.joined(self.name, "sh", "-c", script).out
        self.assertIn("usr", listing)
        self.assertNotIn("sbox-door", listing)
        self.assertTrue(self.door_of(child.pid))

    def test_a_request_that_is_none_harms_nothing(self) -> None:
        child = self.launch(self.name)
        packets = [b"", b"x", GARBAGE, struct.pack("=B7xq", 16, 99), struct.pack("=B7xq", 200, 0), b"\xff" * 4112]
        code = f"""
import socket, sys
def ask():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect({self.door_of(child.pid)!r})
    return s
for packet in {packets!r}: ask().send(packet)
for _ in range(300): ask()
print("asked")
"""
        self.assertEqual(self.account.run([*PYTHON, code]).out, "asked\n")
        self.assertEqual(self.joined(self.name, "echo", "served").out, "served\n")
        init = self.init_of(child.pid)
        wait_for(lambda: len(descendants(init)) == 1, 5, "the end of those who were forked for them")

    def test_a_joining_process_cannot_be_reached_before_it_is_the_program(self) -> None:
        """The program inside tries to trace, and to open descriptors and memory of, each new process in a loop."""
        code = """
import ctypes, os, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
own, won, seen = {1, os.getpid()}, [], set()
number = 101 if os.uname().machine == "x86_64" else 117
print("up", flush=True)
os.set_blocking(0, False)
while True:
    try:
        if os.read(0, 1) == b"": break
    except BlockingIOError: pass
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in own: continue
        try: line = open(f"/proc/{name}/cmdline", "rb").read()
        except OSError: continue
        # sbox's own processes still have the supervisor's words.
        if not line.startswith(b"sbox\\0"): continue
        seen.add(name)
        for what in ("mem", "fd/3", "environ", "maps", "root", "cwd"):
            try:
                os.close(os.open(f"/proc/{name}/{what}", os.O_RDONLY))
                if open(f"/proc/{name}/cmdline", "rb").read().startswith(b"sbox\\0"): won.append((what, line))
            except OSError: pass
        if libc.syscall(number, 0x4206, int(name), 0, 0) == 0: won.append(("seize", line))
print(len(seen) > 0, won)
"""
        child = self.launch_talking(code)
        assert child.stdin and child.stdout
        for _ in range(60):
            result = self.joined(self.name, "true")
            self.assertEqual(result.status, 0, result)
        child.stdin.close()
        self.assertEqual(child.stdout.read(), b"True []\n")

    def test_what_the_program_takes_from_process_1_refuses_the_next_one(self) -> None:
        code = """
import resource, sys
print("up", flush=True)
sys.stdin.readline()
resource.prlimit(1, getattr(resource, sys.argv[1]), (0, 0))
print("done", flush=True)
sys.stdin.readline()
"""
        for limit in ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_AS"):
            with self.subTest(limit):
                child = self.launch_talking(code, limit)
                assert child.stdin and child.stdout
                child.stdin.write(b"go\n")
                child.stdin.flush()
                self.assertEqual(child.stdout.readline(), b"done\n")
                self.refused("join", self.name, "--", "echo", "served")
                self.sbox("stop", self.name)  # where it has not ended by that
                child.communicate(timeout=10)

    def launch_talking(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        child = self.start("--name", self.name, "--", *PYTHON, code, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout
        self.assertEqual(child.stdout.readline(), b"up\n")
        wait_for(lambda: self.joined(self.name, "true").status == 0, what="its door")
        return child


if __name__ == "__main__":
    unittest.main()
