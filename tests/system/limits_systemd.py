"""Limits by scopes of systemd's user manager: for a user who has one (tests/vm)."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
from typing import Any

from harness import SystemTest, wait_for
from limits_cgroup import EAT, SPIN, own_cgroup

FORKS = """
import os, signal
made = 0
try:
    while made < 60:
        if os.fork() == 0: signal.pause()
        made += 1
except BlockingIOError: pass
print(made)
"""


class Scopes(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        directory = pathlib.Path(f"/run/user/{self.account.uid}")
        self.assertTrue((directory / "systemd/private").is_socket(), "the user has a manager")
        self.session = {"XDG_RUNTIME_DIR": str(directory), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={directory}/bus"}
        user = f"user-{self.account.uid}.slice/user@{self.account.uid}.service"
        self.slice = pathlib.Path("/sys/fs/cgroup/user.slice") / user / "app.slice"

    def scopes(self) -> list[str]:
        return [path.name for path in self.slice.glob("sbox-*")]

    def assert_nothing_left(self) -> None:
        wait_for(lambda: self.scopes() == [], what="the scope is gone")
        units = self.account.run(["systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "sbox-*"], env=self.session)
        self.assertEqual((units.status, units.out), (0, ""), units)

    def python(self, *options: str, script: str, arguments: tuple[str, ...] = ()) -> Any:
        return self.sbox(*options, "--", "/usr/bin/python3", "-c", script, *arguments, env=self.session, timeout=90)

    def test_a_program_that_takes_too_much_memory_is_killed_and_nothing_else(self) -> None:
        self.assertEqual(self.python(script=EAT, arguments=("200",)).out, "200\n", "the control")
        bystander = self.account.start(["sleep", "1000"])
        limit = ("-s", "limits.memory=100M", "-s", "limits.swap=0")
        self.assertEqual(self.python(*limit, script=EAT, arguments=("20",)).out, "20\n")
        result = self.python(*limit, script=EAT, arguments=("200",))
        self.assertEqual(result.status, 128 + signal.SIGKILL, result)
        self.assertIn("sbox: command line: the limit limits.memory = 100M was reached", result.err)
        self.assertIsNone(bystander.poll())
        self.assert_nothing_left()

    def test_processor_time_is_held(self) -> None:
        used = float(self.python(script=SPIN).out)
        held = float(self.python("-s", "limits.cpu=20%", script=SPIN).out)
        self.assertLess(held, used * 0.6)
        self.assert_nothing_left()

    def test_tasks_are_held(self) -> None:
        self.assertEqual(self.python(script=FORKS).out, "60\n", "the control")
        self.assertEqual(self.python("-s", "limits.tasks=12", "-s", "limits.memory=300M", script=FORKS).out, "10\n")
        self.assert_nothing_left()

    def test_everything_of_the_sandbox_is_in_one_scope_that_ends_with_it(self) -> None:
        options = ("-s", "limits.memory=256M", "-s", "limits.swap=16M", "-s", "limits.cpu=1.5", "-s", "limits.cpu-weight=7")
        child = self.start(*options, "--", "/bin/sh", "-c", "echo up; sleep 1000", env=self.session, stdout=subprocess.PIPE)
        assert child.stdout is not None
        self.assertEqual(child.stdout.readline(), b"up\n")
        scope = own_cgroup(child.pid)
        self.assertEqual(scope, self.slice / f"sbox-default-{child.pid}.scope")
        self.assertEqual(self.scopes(), [scope.name])
        for name, value in {"memory.max": 256 << 20, "memory.swap.max": 16 << 20, "cpu.weight": 7}.items():
            self.assertEqual((scope / name).read_text(), f"{value}\n")
        self.assertEqual((scope / "cpu.max").read_text(), "150000 100000\n")
        names = [pathlib.Path(f"/proc/{pid}/comm").read_text().strip() for pid in (scope / "cgroup.procs").read_text().split()]
        self.assertEqual(sorted(names), ["sbox-launch", "sbox-launch", "sh", "sleep"])
        child.kill()
        child.wait()
        child.stdout.close()
        self.assert_nothing_left()

    def test_what_the_manager_cannot_enforce_refuses(self) -> None:
        """Disks: the manager takes the property, and has no such controller."""
        self.assertNotIn("io", (self.slice.parent / "cgroup.controllers").read_text().split())
        result = self.refused("-s", "limits.io-write=1M", "--", "/bin/echo", "started", env=self.session)
        self.assertRegex(result.err, "limits.io-write|io.max")
        self.assert_nothing_left()
        rows = {row["name"]: row for row in json.loads(self.sbox("doctor", "--json", env=self.session).out)["checks"]}
        self.assertEqual((rows["limits"]["state"], rows["user manager"]["state"]), ("ok", "limited"))
        self.assertIn("without io", rows["user manager"]["meaning"])

    def test_without_the_manager_they_refuse(self) -> None:
        dead = self.session | {"XDG_RUNTIME_DIR": str(self.account.runtime)}
        if os.access(own_cgroup().parent, os.W_OK):
            self.fail("the cgroup of the session is delegated")
        self.assertIn("limits.memory = 100M", self.refused("-s", "limits.memory=100M", "--", "true", env=dead).err)
        self.assertTrue(re.search("export XDG_RUNTIME_DIR=/run/user/", self.sbox("doctor", env=dead).out))
