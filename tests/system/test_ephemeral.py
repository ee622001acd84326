"""Throw-away runs: what they change in the home is listed and gone, but for what somebody keeps."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
from typing import Any

import test_terminal
from account import SBOX, Result
from harness import descendants, end_sleep, processes, read_process, status_field, wait_for
from test_overlay import OverlayTest

CHANGE = "echo new > file; echo made > made; mkdir -p dir/in; echo > dir/a; echo > dir/in/b; rm -f gone"


class EphemeralTest(OverlayTest):
    def ephemeral(self, script: str, *options: str, **settings: Any) -> Result:
        return self.sbox("--ephemeral", *options, "--", "/bin/sh", "-c", script, **self.at_home(settings))

    @property
    def runs(self) -> pathlib.Path:
        return self.home / ".local/share/sbox/ephemeral"

    def listed(self, result: Result) -> dict[str, str]:
        """Letters by paths."""
        return {line.split()[2]: line.split()[0] for line in result.err.splitlines() if not line.startswith("sbox:")}

    def assert_nothing_left(self) -> None:
        self.assertFalse(self.runs.exists(), "nothing is left")
        mine = [pid for pid in processes() if "sbox" in read_process(pid, "comm")
                and str(self.home) in read_process(pid, "environ")]
        self.assertEqual(mine, [])


class Runs(EphemeralTest):
    def test_what_a_run_changes_is_listed_and_gone(self) -> None:
        for mode in ("host", "overlay"):
            with self.subTest(mode=mode):
                self.put("file")
                self.put("gone")
                result = self.ephemeral(CHANGE + "; cat file; exit 7", "-s", f"home.mode={mode}")
                self.assertEqual((result.status, result.out), (7, "new\n"), result)
                self.assertEqual(self.listed(result), {"~/file": "M", "~/made": "A", "~/dir": "A", "~/gone": "D"})
                self.assertIn("with 3 more", result.err)
                self.assertEqual(sorted(os.listdir(self.home)), [".config", ".local", "file", "gone"])
                self.assertEqual((self.home / "file").read_text(), "old\n")
                self.assert_nothing_left()
                self.assertEqual(json.loads(self.command("diff", "--json").out), [])

    def test_a_run_sees_no_more_of_the_home_than_any_other(self) -> None:
        self.put("secret")
        self.put("kept/file")
        self.put("book")
        for mode in ("empty", "private"):
            for options, seen in (([], ""), (["-s", "home.keep=~/kept"], "kept\n"),
                                  (["-s", "home.keep-read-only=~/book"], "book\n"),
                                  (["-s", "home.keep=~/kept", "-s", "home.keep-read-only=~/book"], "book\nkept\n")):
                with self.subTest(mode=mode, options=options):
                    script = "ls; cat secret; echo x > book; echo x > kept/file; mkdir new; echo x > new/x"
                    result = self.ephemeral(f"({script}) 2>/dev/null; true", "-s", f"home.mode={mode}", *options)
                    self.assertEqual((result.status, result.out), (0, seen), result)
                    contents = [(self.home / name).read_text() for name in ("secret", "kept/file", "book")]
                    self.assertEqual(contents, ["old\n"] * 3)
                    keeps = "home.keep=~/kept" in options
                    self.assertEqual(self.listed(result), {"~/kept/file": "M"} if keeps else
                                     {"~/new": "A"} if "book" in seen else {"~/new": "A", "~/book": "M"})
        self.assertFalse((self.home / ".local/share/sbox/homes").exists())
        self.assert_nothing_left()

    def test_what_hides_nothing_in_an_empty_home_deletes_nothing_on_the_host(self) -> None:
        for name in (".config/app/settings", "dir/file", "moved/file", "file"):
            self.put(name)
        # A directory that is moved hides what may be below its new name, on each kernel; one that is made, on some.
        script = ("mkdir -p .config/app dir; echo new > .config/app/new; echo new > file; rm -r dir; mkdir dir; "
                  "mkdir fresh; mv fresh moved; rm file; mkdir file")
        result = self.ephemeral(script, "-s", "home.mode=empty")
        self.assertEqual(self.listed(result), {"~/.config/app/new": "A", "~/file": "M"})

    def test_arguments_and_granted_files_are_no_changes(self) -> None:
        document = self.put("documents/letter", "dear")
        result = self.sbox("--ephemeral", "-s", "files.arguments=read-write", "--", "/bin/sh", "-c",
                           'cat "$0"; echo sir >> "$0"', str(document), **self.at_home({}))
        self.assertEqual((result.status, result.out, result.err), (0, "dear", ""), result)
        self.assertEqual(document.read_text(), "dearsir\n", "what is named on the command line is the host's")
        self.assert_nothing_left()

    def test_nothing_is_said_of_a_run_that_changes_nothing_and_with_q(self) -> None:
        result = self.ephemeral("true")
        self.assertEqual((result.status, result.out, result.err), (0, "", ""))
        result = self.ephemeral("touch x", "-q")
        self.assertEqual((result.status, result.out, result.err), (0, "", ""))
        self.assert_nothing_left()

    def test_a_start_that_is_refused_leaves_nothing(self) -> None:
        self.refused("--ephemeral", "--", "no-such-program", status=127, **self.at_home({}))
        self.refused("--ephemeral", "-s", "files.read-only=/etc", "--", "true", **self.at_home({}))
        self.refused("--ephemeral", "-s", "home.size=1M", "--", "true", **self.at_home({}))
        self.assert_nothing_left()

    def test_the_plan_alone_makes_nothing(self) -> None:
        plan = json.loads(self.sbox("--ephemeral", "--dry-run", "-s", "home.mode=host", "--", "true", **self.at_home({})).out)
        self.assertEqual(plan["overlay"]["lower"], str(self.home))
        self.assertEqual(pathlib.Path(plan["overlay"]["directory"]).parent, self.runs)
        self.assert_nothing_left()

    def test_runs_of_one_program_know_nothing_of_each_other(self) -> None:
        self.put("file")
        first = self.start("--ephemeral", "-s", "home.mode=host", "--", "/bin/sh", "-c", "echo one > file; echo ready; cat; cat file",
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **self.at_home({}))
        assert first.stdout and first.stdin
        self.assertEqual(first.stdout.readline(), b"ready\n")
        second = self.ephemeral("cat file; echo two > file", "-s", "home.mode=host")
        self.assertEqual(second.out, "old\n")
        self.assertEqual(len(os.listdir(self.runs)), 1, "that of the first one stays")
        out, err = first.communicate(timeout=20)
        self.assertEqual(out, b"one\n")
        self.assertIn(b"~/file", err)
        self.assert_nothing_left()

    def test_signals_are_the_program_s_and_so_is_its_status(self) -> None:
        script = "trap 'echo heard; touch heard; exit 9' TERM USR1; echo ready; while :; do sleep 0.1; done"
        for number in (signal.SIGTERM, signal.SIGUSR1):
            run = self.start("--ephemeral", "--", "/bin/sh", "-c", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             **self.at_home({}))
            assert run.stdout
            self.assertEqual(run.stdout.readline(), b"ready\n")
            os.kill(run.pid, number)
            out, err = run.communicate(timeout=20)
            self.assertEqual((run.returncode, out), (9, b"heard\n"), err)
            self.assertIn(b"~/heard", err)
        killed = self.ephemeral("kill -KILL $$")
        self.assertEqual(killed.status, 128 + signal.SIGKILL)
        self.assert_nothing_left()

    def test_one_that_stops_itself_is_waited_for_to_its_end(self) -> None:
        script = ("--", "/bin/sh", "-c", "kill -STOP $$; sleep 1000")
        run = self.start("--ephemeral", *script, stderr=subprocess.DEVNULL, **self.at_home({}))
        wait_for(lambda: status_field(run.pid, "State").startswith("T"), what="the stop (the control)")
        self.account.end(run)
        result = self.ephemeral("echo > made; kill -STOP $$; sleep 1000", "-s", "limits.time=1s", timeout=20)
        self.assertEqual(result.status, 128 + signal.SIGKILL, result)
        self.assertIn("~/made", result.err)
        self.assert_nothing_left()


class Killed(EphemeralTest):
    def begin(self) -> subprocess.Popen[bytes]:
        run = self.start("--ephemeral", "-s", "home.mode=host", "--name", "run", "--", "/bin/sh", "-c", "echo > made; echo ready; exec sleep 60",
                         stdout=subprocess.PIPE, **self.at_home({}))
        assert run.stdout
        self.assertEqual(run.stdout.readline(), b"ready\n")
        self.addCleanup(run.stdout.close)
        return run

    def test_when_the_one_that_waits_is_killed_all_goes_by_itself(self) -> None:
        run = self.begin()
        inside = wait_for(lambda: [pid for pid in descendants(run.pid) if "sleep\x0060" in read_process(pid, "cmdline")])
        os.kill(run.pid, signal.SIGKILL)
        run.wait(20)
        wait_for(lambda: not self.runs.exists(), what="the overlay to go")
        self.assertEqual([pid for pid in inside if "sleep\x0060" in read_process(pid, "cmdline")], [])
        self.assertFalse((self.home / "made").exists())
        wait_for(lambda: not [pid for pid in processes() if str(self.home) in read_process(pid, "environ")
                              and read_process(pid, "comm").startswith("sbox")], what="the processes to end")

    def test_when_all_are_killed_at_once_the_next_start_of_anything_removes_it(self) -> None:
        run = self.begin()
        victims = [run.pid, *descendants(run.pid)]
        for pid in victims:
            os.kill(pid, signal.SIGSTOP)
        for pid in reversed(victims):
            os.kill(pid, signal.SIGKILL)
        run.wait(20)
        self.assertEqual(len(os.listdir(self.runs)), 1, "the control")
        self.assertEqual(self.sbox("--", "true", **self.at_home({})).status, 0)
        wait_for(lambda: not self.runs.exists(), what="the overlay to go")

    def test_a_stop_ends_it_and_it_tells_what_it_changed(self) -> None:
        run = self.start("--ephemeral", "-s", "home.mode=host", "--name", "run", "--", "/bin/sh", "-c", "echo > made; echo ready; exec sleep 60",
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, **self.at_home({}))
        assert run.stdout
        self.assertEqual(run.stdout.readline(), b"ready\n")
        self.assertEqual(self.sbox("stop", "run", **self.at_home({})).status, 0)
        _, err = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 128 + signal.SIGTERM)
        self.assertIn(b"~/made", err)
        self.assert_nothing_left()


class Keeping(EphemeralTest):
    def on_terminal(self, script: str, *options: str, before: str = "") -> test_terminal.Terminal:
        words = shlex.join([str(SBOX), "--ephemeral", "-s", "home.mode=host", *options, "--", "/bin/sh", "-c", script])
        home = shlex.quote(str(self.home))
        return test_terminal.Terminal(self, "bash", "-c", f"cd {home}; export HOME={home}; {before} {words}; echo status $?")

    def question(self, terminal: test_terminal.Terminal) -> str:
        return terminal.expect("Keep which? ").replace("\r", "")

    def test_what_is_chosen_is_kept_and_the_rest_is_gone(self) -> None:
        everything = {"~/dir", "~/file", "~/gone", "~/made"}
        for answer, kept in (("2 4\n", {"~/file", "~/made"}), ("1-2,4\n", everything - {"~/gone"}), ("all\n", everything),
                             ("none\n", set()), ("\n", set()), ("\x04", set())):
            with self.subTest(answer=answer):
                self.account.run(["rm", "-rf", "dir", "made"], cwd=str(self.home))
                self.put("file")
                self.put("gone")
                terminal = self.on_terminal(CHANGE + "; exit 3")
                rows = re.findall(r"^(\d)  ([AMD]).*?(~/\S+)", self.question(terminal), re.MULTILINE)
                self.assertEqual(rows, [("1", "A", "~/dir"), ("2", "M", "~/file"), ("3", "D", "~/gone"), ("4", "A", "~/made")])
                terminal.expect("[1-4, all, none] ")
                terminal.type(answer)
                terminal.expect("status 3")
                changed = {f"~/{name}" for name in ("dir", "made") if (self.home / name).exists()}
                changed |= {"~/file"} if (self.home / "file").read_text() == "new\n" else set()
                changed |= set() if (self.home / "gone").exists() else {"~/gone"}
                self.assertEqual(changed, kept)
                self.assertEqual((self.home / "dir/in/b").exists(), "~/dir" in kept)
                self.assert_nothing_left()

    def test_an_answer_that_is_none_is_asked_again(self) -> None:
        terminal = self.on_terminal("echo > made")
        for answer in ("2\n", "0\n", "1-9\n", "yes\n", "2-1\n", "1 x\n", "all 1\n", "-1\n"):
            self.question(terminal)
            terminal.type(answer)
            terminal.expect("Numbers, as")
        self.question(terminal)
        terminal.type("1\n")
        terminal.expect("status 0")
        self.assertTrue((self.home / "made").exists())

    def test_what_was_typed_before_the_question_is_no_answer(self) -> None:
        terminal = self.on_terminal("stty raw -echo; echo > made; echo begun; sleep 997.46")
        terminal.expect("begun")
        terminal.type_until_full("1 " * 50 + "1\n")
        end_sleep("997.46")
        self.question(terminal)
        terminal.type("none\n")
        terminal.expect("status ")
        self.assertFalse((self.home / "made").exists())

    def test_a_file_of_the_host_is_not_replaced_without_consent(self) -> None:
        self.put("mine", "mine\n")
        terminal = self.on_terminal("echo theirs > mine", "-s", "home.mode=empty")
        self.assertIn("changed on the host too", self.question(terminal))
        terminal.expect("[1, all, none; 1! replaces what the host has] ")
        terminal.type("all\n")
        terminal.expect("not taken over: ~/mine: the host's file changed since")
        self.assertEqual((self.home / "mine").read_text(), "mine\n")
        self.question(terminal)
        terminal.type("1!\n")
        terminal.expect("status 0")
        self.assertEqual((self.home / "mine").read_text(), "theirs\n")

    def test_no_way_to_sbox_s_own_is_kept(self) -> None:
        """The run saw nothing of the home, nor of what is not there yet."""
        self.put(".local/mine", "mine\n")
        for name in (".config", ".local"):
            with self.subTest(name=name):
                terminal = self.on_terminal(f"mkdir -p evil/sbox/profiles; echo > evil/sbox/profiles/default.profile; ln -s evil {name}",
                                            "-s", "home.mode=empty")
                said = self.question(terminal)
                self.assertIn("stays here: it leads to what belongs to sbox itself", said)
                self.assertNotIn("mine", said, "what it never saw")
                terminal.type("all!\n")
                terminal.expect(f"not taken over: ~/{name}: it leads to")
                self.question(terminal)
                terminal.type("none\n")
                terminal.expect("status 0")
                self.assertFalse((self.home / name).is_symlink())
                self.assertTrue((self.home / "evil/sbox/profiles/default.profile").exists(), "the control")
                shutil.rmtree(self.home / "evil")

    def test_what_the_program_named_is_escaped(self) -> None:
        terminal = self.on_terminal("touch \"$(printf 'a\\033[2J\\nb')\"")
        said = self.question(terminal)
        self.assertIn("a\\x1b[2J\\x0ab", said)
        self.assertNotIn("\x1b[2J", said)
        terminal.type("none\n")
        terminal.expect("status 0")

    def test_an_interrupt_at_the_question_keeps_nothing(self) -> None:
        terminal = self.on_terminal("echo > made")
        self.question(terminal)
        terminal.type("\x03")
        wait_for(lambda: not self.runs.exists(), what="the overlay to go")
        self.assertFalse((self.home / "made").exists())

    def test_a_keeping_that_is_killed_leaves_nothing_but_old_or_new(self) -> None:
        self.put("file")
        inject = "strace -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=2"
        terminal = self.on_terminal("echo new > file", before=inject)
        self.question(terminal)
        terminal.type("all\n")
        terminal.expect("status 137")
        wait_for(lambda: not self.runs.exists(), what="the overlay to go")
        self.assertEqual((self.home / "file").read_text(), "old\n", "the control: it was killed before the rename")
        self.assertEqual(list(self.home.glob(".sbox*")), [])

    def test_a_job_that_is_stopped_goes_on(self) -> None:
        terminal = test_terminal.Terminal(self)
        terminal.expect("READY> ")
        script = "echo > made; echo begun; read x; echo got $x"
        terminal.type(f"cd {self.home}; HOME=$PWD $SBOX --ephemeral -s home.mode=host -- /bin/sh -c '{script}'\n")
        terminal.expect("\nbegun")
        terminal.type("\x1a")
        terminal.expect("READY> ")
        terminal.type("fg\n")
        terminal.type("it\n")
        terminal.expect("got it")
        self.question(terminal)
        terminal.type("none\n")
        terminal.expect("READY> ")
        self.assert_nothing_left()


if __name__ == "__main__":
    import unittest

    unittest.main()
