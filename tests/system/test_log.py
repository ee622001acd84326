"""`sbox log`: every denied system call is told, with the line that allows it, and what is denied stays denied."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import unittest
from typing import Any

from harness import SystemTest, probe, wait_for

EPERM, ENOSYS, EAFNOSUPPORT, EBUSY = 1, 38, 97, 16
LARGEST = 32 * 1024
# What the probe is called, how the log calls it, with which arguments.
CALLS = [
    ("ptrace", "ptrace", "PTRACE_SEIZE"),
    ("keyctl", "keyctl", "KEYCTL_GET_KEYRING_ID"),
    ("mount", "mount", "0x0"),
    ("bpf", "bpf", "BPF_MAP_CREATE"),
    ("io_uring", "io_uring_setup", "1"),
    ("unshare", "unshare", "CLONE_NEWUSER"),
    ("clone", "clone", "CLONE_NEWUSER|0x11"),
    ("socket-packet", "socket", "AF_PACKET, SOCK_RAW, 0"),
    ("socket-raw", "socket", "AF_INET, SOCK_RAW, 1"),
    ("userfaultfd", "userfaultfd", ""),
]
CALL = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"


class LogTest(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.probe = probe("syscalls")
        self.shown = ["-s", f"files.read-only+={self.probe}"]

    def runs(self, *arguments: str) -> list[dict[str, Any]]:
        result = self.sbox("log", "--json", *arguments)
        self.assertEqual(result.status, 0, result)
        runs: list[dict[str, Any]] = json.loads(result.out)["runs"]
        return runs

    def denied(self) -> list[dict[str, Any]]:
        denied: list[dict[str, Any]] = self.runs()[0]["denied_calls"]
        return denied

    def logs(self) -> list[str]:
        place = self.account.home / ".local/share/sbox/log"
        return sorted(os.listdir(place)) if place.is_dir() else []


class Denials(LogTest):
    def test_each_is_named_with_its_arguments_and_has_the_errno_of_the_filter(self) -> None:
        names = " ".join(name for name, _, _ in CALLS)
        out = self.inside(f"for name in {names}; do echo $name $({self.probe} $name); done", *self.shown)
        given = dict(line.split() for line in out.splitlines())
        found = {(each["call"], each["arguments"]): each for each in self.denied()}
        for name, call, arguments in CALLS:
            with self.subTest(call=name):
                denial = found[call, arguments]
                self.assertEqual(denial["error"], {1: "EPERM", 97: "EAFNOSUPPORT"}[int(given[name])])
                self.assertEqual((denial["count"], denial["process"]), (1, "syscalls"))
                self.assertTrue(denial["remedy"] or denial["why"], denial)

    def test_the_line_that_is_told_allows_it(self) -> None:
        for name in ("ptrace", "keyctl", "unshare"):
            with self.subTest(call=name):
                self.assertEqual(self.inside(f"{self.probe} {name}", *self.shown), f"{EPERM}\n")
                found = re.fullmatch(r"\[(\S+)\] (\S+) = (\S+)", self.denied()[0]["remedy"])
                assert found
                section, key, value = found.groups()
                line = f"{section}.{key}{'+=' if key == 'allow' else '='}{value}"
                self.assertEqual(self.inside(f"{self.probe} {name}", *self.shown, "-s", line), "ok\n")
                self.assertEqual(self.denied(), [])

    def test_what_a_line_took_away_is_told_by_that_line(self) -> None:
        profile = self.profile("[profile]\ndescription = x\n[seccomp]\ndeny = sysinfo\n")
        self.python(CALL + "libc.syscall(99, 0)", "-p", profile)
        self.assertEqual([(each["call"], each["remedy"]) for each in self.denied()], [("sysinfo", f"without {profile}:4")])

    def test_what_looks_missing_is_no_denial_and_costs_nothing(self) -> None:
        self.assertEqual(self.inside(f"{self.probe} clone3", *self.shown), f"{ENOSYS}\n")
        self.assertEqual(self.denied(), [])

    def test_calls_of_32_bit_programs_are_told_as_such(self) -> None:
        compat = probe("compat")
        result = self.sbox("-s", "seccomp.32-bit=yes", "-s", f"files.read-only+={compat}", "--", compat)
        if result.out.strip() in ("unsupported", "-38"):
            self.skipTest("this kernel has no 32-bit entry")
        self.assertEqual(result.out.strip(), "-1", result)
        self.assertEqual([each["call"] for each in self.denied()], ["unshare (i386)"])

    def test_with_the_action_kill_the_program_ends_as_before(self) -> None:
        result = self.sbox(*self.shown, "-s", "seccomp.action=kill", "--", self.probe, "keyctl")
        self.assertEqual(result.status, 128 + signal.SIGSYS, result)

    def test_a_listener_of_the_program_s_own_is_refused_unless_the_log_is_off(self) -> None:
        # A filter that allows all, with a listener: the kernel has one for all filters of a process.
        code = CALL + "import struct\n"
        code += "code = ctypes.create_string_buffer(struct.pack('<HBBI', 6, 0, 0, 0x7fff0000))\n"
        code += "program = ctypes.create_string_buffer(struct.pack('<HxxxxxxQ', 1, ctypes.addressof(code)))\n"
        code += "fd = libc.syscall(317, 1, 8, program); print(ctypes.get_errno() if fd < 0 else 'ok')"
        self.assertEqual(self.python(code), f"{EBUSY}\n")
        self.assertEqual(self.python(code, "-s", "seccomp.log=no"), "ok\n")


class Hostile(LogTest):
    def test_the_same_call_is_counted_and_the_program_waits_for_nobody(self) -> None:
        calls = probe("attack_calls")
        result = self.sbox("-s", f"files.read-only+={calls}", "--", calls, "denied", "20000")
        self.assertEqual(result.out, "20000\n", result)
        self.assertEqual([each["count"] for each in self.denied()], [20000])

    def test_no_program_can_fill_the_disk(self) -> None:
        """Ever other arguments of ever other calls: few are kept, the rest is counted."""
        calls = [101, 103, *range(153, 156), 161, 163, *range(165, 174), 175, 176, 179, 246, *range(248, 251), 272, 298]
        calls += [300, 303, 304, 308, *range(310, 314), 321, 323, *range(425, 434), 440, 442]
        code = CALL + f"for number in {calls}:\n for value in range(64):\n"
        code += "  assert libc.syscall(number, -1 - value, value + 3, 0, 0, 0, 0) < 0 and ctypes.get_errno() == 1\n"
        self.python(code, timeout=60)
        run = self.runs()[0]
        counted = sum(each["count"] for each in run["denied_calls"]) + run["others"]
        self.assertEqual(counted, 64 * len(calls))
        self.assertGreater(len({each["call"] for each in run["denied_calls"]}), 30)
        self.assertGreater(run["others"], 0)
        place = self.account.home / ".local/share/sbox/log"
        self.assertLess(sum(path.stat().st_size for path in place.iterdir()), LARGEST)

    def test_what_a_process_calls_itself_steers_no_terminal(self) -> None:
        self.python(CALL + "libc.prctl(15, b'\\x1b[2J\\n\\xff$(x)'); libc.syscall(250, 0, -3, 0, 0, 0)")
        result = self.sbox("log")
        self.assertNotRegex(result.out.replace("\n", ""), r"[\x00-\x1f\x7f-\x9f]")
        self.assertIn(r"\x1b[2J\x0a\xff$(x)", result.out)
        self.assertEqual(self.denied()[0]["call"], "keyctl")

    def test_threads_that_make_denied_calls_at_once_all_get_their_answer(self) -> None:
        code = CALL + "import threading\ngot = []\n"
        code += "def work():\n for _ in range(500):\n  libc.syscall(250, 0, -3, 0, 0, 0); got.append(ctypes.get_errno())\n"
        code += "all = [threading.Thread(target=work) for _ in range(8)]\n"
        code += "[each.start() for each in all]; [each.join() for each in all]; print(len(got), set(got))"
        self.assertEqual(self.python(code), "4000 {1}\n")

    def test_what_changes_while_a_call_waits_for_its_answer_lets_none_through(self) -> None:
        """A path in memory that another process swaps: nobody reads it, and no answer lets the call go on."""
        code = CALL + "import mmap, os, signal\nmemory = mmap.mmap(-1, 4096); path = (ctypes.c_char * 8).from_buffer(memory)\n"
        code += "path.value = b'/'; other = os.fork()\n"
        code += "while other == 0: path.value = b'/proc'; path.value = b'/'\n"
        code += "handle = ctypes.create_string_buffer(256); mount = ctypes.c_int(); got = set()\n"
        code += "for _ in range(3000):\n handle[0] = 128\n"
        code += " r = libc.syscall(303, -100, path, handle, ctypes.byref(mount), 0); got.add(r and ctypes.get_errno())\n"
        code += "os.kill(other, signal.SIGKILL); print(0 in got, got)"
        control = self.account.run(["/usr/bin/python3", "-I", "-S", "-c", code])
        self.assertTrue(control.out.startswith("True"), control)
        self.assertEqual(self.python(code), "False {1}\n")

    def test_a_process_that_is_killed_while_it_waits_disturbs_nobody(self) -> None:
        code = CALL + "import os, signal\n"
        code += "for _ in range(50):\n child = os.fork()\n if child == 0:\n  while True: libc.syscall(250, 0, -3, 0, 0, 0)\n"
        code += " os.kill(child, signal.SIGKILL); os.waitpid(child, 0)\n"
        code += "print(libc.syscall(250, 0, -3, 0, 0, 0), ctypes.get_errno())"
        self.assertEqual(self.python(code), f"-1 {EPERM}\n")

    def test_once_nobody_listens_any_more_denied_calls_look_missing(self) -> None:
        """The supervisor lets go of the listener when the kernel does not let it go on, here by a tracer."""
        self.root_only()
        code = CALL + "import sys\nfor line in sys.stdin:\n"
        code += "  r = libc.syscall(250, 0, -3, 0, 0, 0); print(r, ctypes.get_errno(), flush=True)"
        child = self.start("--", "/usr/bin/python3", "-I", "-S", "-u", "-c", code, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin and child.stdout

        def ask() -> bytes:
            assert child.stdin and child.stdout
            child.stdin.write(b"\n")
            child.stdin.flush()
            return child.stdout.readline()

        self.assertEqual(ask(), f"-1 {EPERM}\n".encode())
        trace = self.work / "trace"
        command = ["strace", "-o", str(trace), "-e", "trace=ioctl", "-e", "inject=ioctl:error=EINVAL", "-p", str(child.pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert tracer.stderr
        self.addCleanup(tracer.stderr.close)
        self.addCleanup(tracer.wait)
        self.addCleanup(tracer.kill)
        self.assertIn(b"attached", tracer.stderr.readline())
        signal.alarm(20)
        self.assertEqual([ask(), ask()], [f"-1 {ENOSYS}\n".encode()] * 2)
        tracer.terminate()
        tracer.stderr.read()
        self.assertIn("EINVAL", trace.read_text())
        self.assertEqual(ask(), f"-1 {ENOSYS}\n".encode())
        child.communicate(timeout=10)
        self.assertEqual(child.returncode, 0)

    def test_while_the_supervisor_is_stopped_nothing_is_let_through(self) -> None:
        ready, go, done = self.work / "ready", self.work / "go", self.work / "done"
        code = CALL + f"import os, time\nopen({str(ready)!r}, 'w')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        code += f"r = libc.syscall(250, 0, -3, 0, 0, 0); open({str(done)!r}, 'w').write(f'{{r}} {{ctypes.get_errno()}}')"
        child = self.start("-s", f"files.read-write+={self.work}", "--", "/usr/bin/python3", "-I", "-S", "-c", code)
        self.wait_for_file(ready, child)
        os.kill(child.pid, signal.SIGSTOP)
        self.file("go")
        with self.assertRaises(TimeoutError):
            wait_for(done.exists, 1)
        os.kill(child.pid, signal.SIGCONT)
        self.assertEqual(wait_for(lambda: done.exists() and done.read_text(), 10), f"-1 {EPERM}")


class Files(LogTest):
    def test_the_log_is_the_user_s_alone(self) -> None:
        self.inside("true", umask=0)
        place = self.account.home / ".local/share/sbox/log"
        self.assertEqual(place.stat().st_mode & 0o7777, 0o700)
        self.assertEqual([(place / name).stat().st_mode & 0o7777 for name in self.logs()], [0o600])

    def test_switched_off_there_is_none_and_the_calls_fail_all_the_same(self) -> None:
        out = self.inside(f"{self.probe} keyctl; {self.probe} socket-packet", *self.shown, "-s", "seccomp.log=no")
        self.assertEqual(out, f"{EPERM}\n{EAFNOSUPPORT}\n")
        self.assertEqual(self.logs(), [])
        self.refused("log")

    def test_where_it_cannot_be_written_the_program_runs_as_strictly(self) -> None:
        outside = self.directory("outside")
        share = self.account.directory(self.account.home / ".local/share/sbox")
        place = share / "log"
        cases = {
            "link": lambda: place.symlink_to(outside),
            "file": lambda: place.write_text(""),
            "read-only": lambda: self.account.directory(place).chmod(0o500),
        }
        for case, make in cases.items():
            with self.subTest(case):
                place.unlink(missing_ok=True)
                make()
                result = self.sbox("-v", *self.shown, "--", self.probe, "keyctl")
                self.assertEqual((result.status, result.out), (0, f"{EPERM}\n"), result)
                self.assertRegex(result.err, r"(?m)^sbox: the log\b.*: [A-Z]")
                self.assertEqual(list(outside.iterdir()), [])

    def test_the_last_runs_are_kept_and_those_that_go_on(self) -> None:
        ready = self.work / "ready"
        child = self.start("-s", f"files.read-write+={self.work}", "--", "/bin/sh", "-c", f": > {ready}; exec sleep 60")
        self.wait_for_file(ready, child)
        running = self.logs()
        for _ in range(10):
            self.inside("true")
        self.assertIn(running[0], self.logs())
        self.assertEqual([run["running"] for run in self.runs("--all")], [False] * 8 + [True])
        self.assertIn(", running", self.sbox("log", "--all").out)

    def test_a_run_is_found_by_its_name(self) -> None:
        self.inside(f"{self.probe} keyctl", *self.shown, "--name", "mine")
        self.inside("true")
        self.assertEqual([each["call"] for each in self.runs("mine")[0]["denied_calls"]], ["keyctl"])
        self.assertEqual(self.runs()[0]["instance"], "default")
        self.assertIn("did you mean mine?", self.refused("log", "mien").err)
        self.assertIn("is empty", self.refused("log", "").err)
        self.assertEqual(self.runs("sh")[0]["instance"], "default")

    def test_it_is_there_while_the_program_runs(self) -> None:
        ready = self.work / "ready"
        script = f"{self.probe} keyctl; : > {ready}; exec sleep 60"
        child = self.start(*self.shown, "-s", f"files.read-write+={self.work}", "--", "/bin/sh", "-c", script, stdout=subprocess.DEVNULL)
        self.wait_for_file(ready, child)
        self.assertEqual([each["call"] for each in self.denied()], ["keyctl"])

    def test_a_dry_run_leaves_none(self) -> None:
        plan = json.loads(self.sbox("--dry-run", "true").out)
        self.assertEqual((plan["log"], self.logs()), (True, []))


if __name__ == "__main__":
    unittest.main()
