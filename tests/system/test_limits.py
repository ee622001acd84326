"""Limits that need no cgroup; tests/system/limits_cgroup.py has the others."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess

from harness import SystemTest, status_field, wait_for

FORKS = """
import os, signal
made = 0
try:
    while made < 100:
        if os.fork() == 0: signal.pause()
        made += 1
except BlockingIOError: pass
print(made)
"""


class Limits(SystemTest):
    def test_tasks_are_those_of_the_sandbox_alone(self) -> None:
        run = ("--", "/usr/bin/python3", "-c", FORKS)
        self.assertEqual(self.sbox(*run).out, "100\n", "the control")
        others = [self.account.daemon(["sleep", "100"]) for _ in range(12)]
        result = self.sbox("-s", "limits.tasks=12", *run)
        for other in others:
            self.account.end(other)
        self.assertEqual(result.out, "10\n", result)  # besides process 1 and the one that counts

    def test_tasks_hold_in_a_user_namespace_inside_too(self) -> None:
        nested = ("-s", "process.nested-sandbox=yes", "--", "/usr/bin/unshare", "-U", "/usr/bin/python3", "-c", FORKS)
        self.assertEqual(self.sbox(*nested).out, "100\n", "the control")
        self.assertEqual(self.sbox("-s", "limits.tasks=12", *nested).out, "10\n")

    def test_the_sandbox_ends_when_its_time_is_over(self) -> None:
        script = "(trap '' TERM; while :; do echo x; done) & sleep 1000"
        result = self.sbox("-s", "limits.time=1s", "--", "/bin/sh", "-c", script, timeout=15)
        self.assertEqual(result.status, 128 + signal.SIGKILL)
        self.assertIn("sbox: the time limit was reached", result.err)
        said = json.loads(self.sbox("log", "--json").out)["runs"][0]["said"]
        self.assertEqual([each["text"] for each in said], ["the time limit was reached"])
        self.assertIn("the time limit was reached", self.sbox("log").out)
        self.assertEqual(self.sbox("-s", "limits.time=1h", "--", "/bin/true").status, 0)

    def test_a_program_that_stops_itself_does_not_stop_the_clock(self) -> None:
        # sbox stops with the program, so that a shell knows; others inside go on, and make it stop once more.
        script = "me=$$; (while :; do date +%s%N >>ticks; kill -CONT $me; kill -STOP $me; sleep 0.05; done) & kill -STOP $me; sleep 1000"
        place = self.directory("place")
        command = ("-s", f"files.read-write={place}", "--", "/bin/sh", "-c", script)
        child = self.start(*command, cwd=str(place))
        wait_for(lambda: status_field(child.pid, "State").startswith("T"), what="the stop")
        self.wait_for_file(place / "ticks", child)
        self.account.end(child)
        result = self.sbox("-s", "limits.time=1s", *command, cwd=str(place), timeout=15)
        self.assertEqual(result.status, 128 + signal.SIGKILL, result)
        self.assertEqual(result.err, "sbox: the time limit was reached\n")

    def test_nobody_who_reads_keeps_it_beyond_its_time(self) -> None:
        over = "sbox: the time limit was reached\n"
        late = "sbox: output of the program: its reader was not ready when the time was over (not all of it was written)\n"
        cases = {"while :; do echo x; done": (128 + signal.SIGKILL, over + late), "head -c 130000 /dev/zero": (125, late)}
        children = []
        for script, reads_errors in itertools.product(cases, (True, False)):
            reader, writer = os.pipe()
            errors = subprocess.PIPE if reads_errors else writer
            child = self.start("-s", "limits.time=1s", "--", "/bin/sh", "-c", script, stdout=writer, stderr=errors)
            os.close(writer)
            self.addCleanup(os.close, reader)
            children.append((script, reads_errors, child))
        for script, reads_errors, child in children:
            with self.subTest(script=script, reads_errors=reads_errors):
                said = child.communicate(timeout=15)[1]
                status, told = cases[script]
                self.assertEqual((child.returncode, said), (status, told.encode() if reads_errors else None))

    def test_priorities_are_lowered_for_good(self) -> None:
        script = "nice; ionice; renice -n 0 -p $$ >/dev/null 2>&1; ionice -c 2 -n 0 -p $$ 2>/dev/null; nice; ionice"
        options = ("-s", "limits.nice=5", "-s", "limits.io-priority=idle")
        self.assertEqual(self.sbox("--", "/bin/sh", "-c", "nice").out, "0\n", "the control")
        self.assertEqual(self.sbox(*options, "--", "/bin/sh", "-c", script).out, "5\nidle\n5\nidle\n")

    def test_of_one_process(self) -> None:
        script = "ulimit -v; ulimit -c; ulimit -n"
        options = ("-s", "limits.address-space=1G", "-s", "limits.core=1M", "-s", "limits.open-files=77")
        self.assertEqual(self.sbox(*options, "--", "/bin/bash", "-c", script).out, "1048576\n1024\n77\n")

    def test_what_cannot_be_enforced_refuses(self) -> None:
        """Where the host can enforce it, that is shown by limits_cgroup."""
        found = re.search(r"^limits +(\w+)", self.sbox("doctor").out, re.MULTILINE)
        assert found
        options = ("-s", "limits.memory=100M", "--", "/bin/true")
        if found[1] == "ok":
            self.assertEqual(self.sbox(*options).status, 0)
            return
        result = self.refused(*options)
        self.assertIn("sbox: command line: the limit limits.memory = 100M: ", result.err)
        self.assertIn("sbox doctor", result.err)

    def test_nonsense_is_refused(self) -> None:
        for setting in ("time=5x", "cpu=-1", "cpu=1.555", "nice=20", "realtime=100", "cpu-weight=10001", "swap=1G", "memory=1M",
                        "tasks=x"):  # fmt: skip
            with self.subTest(setting):
                self.assertIn(setting.split("=")[0], self.refused("-s", f"limits.{setting}", "--", "/bin/true").err)
