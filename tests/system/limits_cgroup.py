"""Limits that a cgroup enforces, where the user has a delegated one (tests/uml) or a manager of systemd."""

from __future__ import annotations

import json
import pathlib
import re
import signal

from harness import SystemTest, wait_for

CGROUPS = pathlib.Path("/sys/fs/cgroup")
EAT = "import sys\nx = bytearray(int(sys.argv[1]) << 20)\nprint(len(x) >> 20)"
SPIN = "import time, os\nend = time.monotonic() + 2\nwhile time.monotonic() < end: pass\nprint(time.process_time())"


def own_cgroup(pid: int | str = "self") -> pathlib.Path:
    line = re.search(r"^0::(.*)$", pathlib.Path(f"/proc/{pid}/cgroup").read_text(), re.MULTILINE)
    assert line, "a cgroup of version 2"
    return CGROUPS / line[1].lstrip("/")


class Limits(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.before = set(own_cgroup().parent.iterdir())

    def assert_nothing_left(self) -> None:
        wait_for(lambda: set(own_cgroup().parent.iterdir()) == self.before, what="the cgroup is gone")

    def python(self, *options: str, script: str, arguments: tuple[str, ...] = ()) -> object:
        return self.sbox(*options, "--", "/usr/bin/python3", "-c", script, *arguments, timeout=60)

    def test_memory(self) -> None:
        self.assertEqual(self.python(script=EAT, arguments=("200",)).out, "200\n", "the control")
        limit = ("-s", "limits.memory=100M")
        self.assertEqual(self.python(*limit, script=EAT, arguments=("20",)).out, "20\n")
        result = self.python(*limit, script=EAT, arguments=("200",))
        self.assertEqual(result.status, 128 + signal.SIGKILL, result)
        self.assertIn("sbox: command line: the limit limits.memory = 100M was reached", result.err)
        (said,) = json.loads(self.sbox("log", "--json").out)["runs"][0]["said"]
        self.assertEqual(f"sbox: {said['text']}\n", result.err)
        self.assert_nothing_left()

    def test_processor(self) -> None:
        used = float(self.python(script=SPIN).out)
        held = float(self.python("-s", "limits.cpu=20%", script=SPIN).out)
        self.assertLess(held, used * 0.6)
        self.assert_nothing_left()

    def test_everything_of_the_sandbox_is_inside_before_the_program_runs(self) -> None:
        options = ("-s", "limits.memory=256M", "-s", "limits.swap=16M", "-s", "limits.cpu=1.5", "-s", "limits.cpu-weight=7")
        child = self.start(*options, "--", "/bin/sleep", "1000")
        wait_for(lambda: "sleep" in pathlib.Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text() or
                 own_cgroup(child.pid) != own_cgroup(), what="the cgroup")
        cgroup = own_cgroup(child.pid)
        expected = {"memory.max": 256 << 20, "memory.swap.max": 16 << 20, "cpu.weight": 7}
        for name, value in expected.items():
            self.assertEqual((cgroup / name).read_text(), f"{value}\n")
        self.assertEqual((cgroup / "cpu.max").read_text(), "150000 100000\n")
        inside = wait_for(lambda: [p for p in (cgroup / "cgroup.procs").read_text().split()
                                   if "sleep" in pathlib.Path(f"/proc/{p}/comm").read_text()], what="the program")
        self.assertEqual(len(inside), 1)
        self.assertGreaterEqual(len((cgroup / "cgroup.procs").read_text().split()), 3)
        child.kill()
        child.wait()
        self.assert_nothing_left()

    def test_a_limit_that_the_kernel_does_not_hold_refuses(self) -> None:
        """Disks: a controller that is there, and no disk; and a cgroup that may not be made."""
        result = self.sbox("-s", "limits.io-write=1M", "--", "/bin/true")
        if not any(pathlib.Path("/sys/block").iterdir()):
            self.assertEqual(result.status, 125, result)
            self.assertIn("no disk", result.err)
        locked = own_cgroup().parent
        locked.chmod(0o555)
        own_cgroup().chmod(0o555)
        try:
            self.refused("-s", "limits.memory=100M", "--", "/bin/true")
        finally:
            locked.chmod(0o755)
            own_cgroup().chmod(0o755)
        self.assertEqual(self.sbox("-s", "limits.memory=100M", "--", "/bin/true").status, 0, "the control")

    def test_doctor_says_how(self) -> None:
        checks = json.loads(self.sbox("doctor", "--json").out)["checks"]
        health = [check["state"] for check in checks if check["name"] == "limits"]
        self.assertEqual(health, ["ok"])
