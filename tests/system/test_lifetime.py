"""Ends: of the program, of sbox, of its first process, by any signal; and what is left of it all."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time

from harness import SystemTest, descendants, read_process, running, status_field, wait_for
from residue import files_of, launchers

COUNTER = itertools.count()
# Processes that try to outlive the sandbox: in the background, in sessions of their own, deaf, stopped.
STUBBORN = """
import os, signal, sys, time
ready, marker = sys.argv[1:3]
def stay():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE): signal.signal(number, signal.SIG_IGN)
    while True: signal.pause()
for step in range(3):
    if os.fork() == 0:
        if step > 0: os.setsid()
        if step > 0 and os.fork(): os._exit(0)
        if step == 2: os.kill(os.getpid(), signal.SIGSTOP)
        stay()
open(ready, "w").close()
stay()
"""


class Lifetime(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.marker = f"sbox-marker-{os.getpid()}-{next(COUNTER)}"
        self.ready = self.directory("ready") / "up"

    def start_stubborn(self) -> subprocess.Popen[bytes]:
        grant = ["-s", f"files.read-write+={self.ready.parent}"]
        code = ["/usr/bin/python3", "-I", "-c", STUBBORN, str(self.ready), self.marker]
        child = self.start(*grant, "--", *code, stdin=subprocess.DEVNULL)
        self.wait_for_file(self.ready, child)
        return child

    def is_sbox_s(self, pid: int) -> bool:
        """Neither the program's nor a zombie, which has no command line."""
        line = read_process(pid, "cmdline")
        return bool(line) and self.marker not in line

    def assert_all_gone(self) -> None:
        wait_for(lambda: not running(self.marker), 3, f"end of {[read_process(p, 'status') for p in running(self.marker)]}")

    def test_killing_sbox_ends_everything(self) -> None:
        child = self.start_stubborn()
        wait_for(lambda: len(running(self.marker)) >= 4, what="the control: all that try to stay")
        child.kill()
        child.wait(5)
        self.assert_all_gone()

    def test_killing_any_process_of_sbox_ends_everything(self) -> None:
        for index in range(3):
            with self.subTest(process=index):
                self.ready.unlink(missing_ok=True)
                child = self.start_stubborn()
                own = [child.pid] + [pid for pid in descendants(child.pid) if self.is_sbox_s(pid)]
                if index < len(own):
                    os.kill(own[index], signal.SIGKILL)
                    child.wait(5)
                    self.assertNotEqual(child.returncode, 0)
                else:
                    child.kill()
                self.assert_all_gone()

    def test_the_end_of_the_program_ends_the_rest(self) -> None:
        child = self.start_stubborn()
        leader = min(running(self.marker), key=lambda pid: len(status_field(pid, "NSpid").split()) * 10**7 + pid)
        inside = [pid for pid in running(self.marker) if len(status_field(pid, "NSpid").split()) > 1]
        os.kill(min(inside or [leader]), signal.SIGKILL)
        self.assertEqual(child.wait(5), 128 + 9)
        self.assert_all_gone()

    def test_code_of_the_start_alone_does_not_stay_in_memory(self) -> None:
        def resident(pid: int) -> float:
            """What part of the mapped file of the launcher is in memory."""
            sums, is_file = {"Size": 0, "Rss": 0}, False
            for line in read_process(pid, "smaps").splitlines():
                word, value, *rest = line.split()
                if not word.endswith(":"):
                    is_file = bool(rest) and rest[-1].endswith("/sbox-launch")
                elif is_file and word[:-1] in sums:
                    sums[word[:-1]] += int(value)
            return sums["Rss"] / sums["Size"]

        self.root_only()
        child = self.start_stubborn()
        own = [child.pid] + [pid for pid in descendants(child.pid) if self.is_sbox_s(pid)]
        self.assertEqual(len(own), 2)
        for pid in own:
            wait_for(lambda: resident(pid) < 0.6, 5, f"little memory: {resident(pid)}")

    def test_a_filter_that_kills_for_giving_memory_back_does_not_end_the_sandbox(self) -> None:
        result = self.sbox("-s", "seccomp.deny=madvise", "-s", "seccomp.action=kill", "--", "/usr/bin/sleep", "0.5")
        self.assertEqual((result.status, result.err), (0, ""), result)

    def test_signals_that_nobody_reads_any_more_do_not_take_the_status_along(self) -> None:
        """They are on their way to process 1 when that hears of the program's end, and says so."""
        grant = ["-s", f"files.read-write+={self.ready.parent}"]
        child = self.start(*grant, "--", "sh", "-c", f": >{self.ready}; exec sleep 100", stderr=subprocess.PIPE)
        self.wait_for_file(self.ready, child)
        first = next(pid for pid in descendants(child.pid) if status_field(pid, "NSpid").split()[1:] == ["1"])
        program = next(pid for pid in descendants(child.pid) if status_field(pid, "NSpid").split()[1:] == ["2"])
        os.kill(first, signal.SIGSTOP)
        wait_for(lambda: status_field(first, "State").startswith("T"))
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(child.pid, number)
            wait_for(lambda: int(status_field(child.pid, "ShdPnd"), 16) == 0)
        os.kill(program, signal.SIGTERM)
        wait_for(lambda: status_field(program, "State").startswith("Z"))
        os.kill(child.pid, signal.SIGSTOP)
        os.kill(first, signal.SIGCONT)
        wait_for(lambda: status_field(first, "State").startswith("Z"))
        os.kill(child.pid, signal.SIGCONT)
        _, said = child.communicate(timeout=10)
        self.assertEqual((child.returncode, said), (128 + signal.SIGTERM, b""))

    def test_a_polite_signal_reaches_the_program(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number.name):
                self.ready.unlink(missing_ok=True)
                script = f"trap 'exit 42' {number.name[3:]}; : >{self.ready}; while :; do sleep 0.05; done"
                child = self.start("-s", f"files.read-write+={self.ready.parent}", "--", "sh", "-c", script)
                self.wait_for_file(self.ready, child)
                os.kill(child.pid, number)
                self.assertEqual(child.wait(10), 42)

    def test_a_signal_that_the_program_does_not_handle_ends_it(self) -> None:
        child = self.start("-s", f"files.read-write+={self.ready.parent}", "--", "sh", "-c", f": >{self.ready}; exec sleep 999")
        self.wait_for_file(self.ready, child)
        child.terminate()
        self.assertIn(child.wait(10), (-15, 128 + 15))

    def test_a_thousand_orphans_are_reaped(self) -> None:
        code = "import os\nfor _ in range(1000):\n  if os.fork() == 0:\n    if os.fork(): os._exit(0)\n    os._exit(0)\n  os.wait()\n"
        code += "import time\nend = time.monotonic() + 10\ndef zombies():\n"
        code += "  return [p for p in os.listdir('/proc') if p.isdigit() and 'State:\\tZ' in open(f'/proc/{p}/status').read()]\n"
        code += "def left():\n  try: return len(zombies())\n  except OSError: return 1\n"
        code += "while left() and time.monotonic() < end: os.sched_yield()\nprint(left())\n"
        self.assertEqual(self.python(code, timeout=40), "0\n")

    def test_signals_at_any_moment_of_the_start_leave_nothing(self) -> None:
        for number, step in itertools.product((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), range(15)):
            child = self.start("--", "sh", "-c", f": {self.marker}; exec sleep 999 {self.marker}", stderr=subprocess.DEVNULL)
            # The moment is what is tested: from before the first step to after the last one.
            wait_until = time.monotonic() + step * 0.001
            while time.monotonic() < wait_until:
                pass
            os.kill(child.pid, number)
            with self.subTest(signal=number.name, milliseconds=step):
                if number == signal.SIGKILL:
                    child.wait(5)
                    self.assert_all_gone()
                else:
                    self.assertNotEqual(child.wait(5), 0)
                    self.assert_all_gone()


class Residue(SystemTest):
    def snapshot(self) -> dict[str, object]:
        return files_of(self.account)

    def assert_nothing_left(self, before: dict[str, object]) -> None:
        wait_for(lambda: not launchers(self.account), 5, "the end of sbox's processes")
        after = self.snapshot()
        for name, value in before.items():
            with self.subTest(of=name):
                self.assertEqual(after[name], value)

    def test_a_normal_run_leaves_nothing(self) -> None:
        before = self.snapshot()
        self.inside("echo x >~/x; echo x >/tmp/x; echo x >/dev/shm/x; mkdir -p ~/.config/autostart ~/.ssh ~/bin")
        self.assert_nothing_left(before)

    def test_a_refused_run_leaves_nothing(self) -> None:
        before = self.snapshot()
        self.refused("-s", "files.read-only+=/proc/self/root", "true")
        self.refused("no-such-program-here", status=127)
        self.assert_nothing_left(before)

    def test_a_killed_run_leaves_nothing(self) -> None:
        ready = self.directory("ready")
        before = self.snapshot()
        script = f"touch ~/x /tmp/x; : >{ready}/up; exec sleep 999"
        child = self.start("-s", f"files.read-write+={ready}", "--", "sh", "-c", script)
        self.wait_for_file(ready / "up", child)
        (ready / "up").unlink()
        child.kill()
        child.wait(5)
        self.assert_nothing_left(before)

    def test_mount_points_of_grants_are_not_left_in_the_host_s_tree(self) -> None:
        self.file("folder/a/file", "text")
        before = self.snapshot()
        options = ["-s", f"files.read-write+={self.work}/folder", "-s", f"files.read-only+={self.work}/folder/a"]
        self.inside("true", *options, "-s", f"files.tmpfs+={self.work}/folder/a")
        self.assert_nothing_left(before)
