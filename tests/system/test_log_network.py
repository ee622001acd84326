"""`sbox log`: what a private network refuses is told, with the name that led there and the line that allows it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

from account import SBOX
from harness import descendants, read_process
from lab import MACHINE4, NAME_SERVER, WORLD4, WORLD6
from test_network import PRIVATE, NetworkTest

ALLOWED, REFUSED = "allowed.example", "refused.example"
LARGEST = 192 * 1024
# Inside: looks names up and visits what they lead to, one line for each argument "NAME PORT".
BY_NAME = """
import socket, sys
for place in sys.argv[1:]:
    name, port = place.split()
    try:
        s = socket.create_connection((name, int(port)), timeout=4)
        print(s.recv(1000).decode().split()[0])
    except OSError as error: print("no")
"""


class NetworkLog(NetworkTest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab.reach(NAME_SERVER)
        cls.lab.names.write_text(f"{ALLOWED} 60 {WORLD4}\n{REFUSED} 60 {WORLD4}\n")
        places = [f"{kind} {address} {port}" for kind in ("tcp", "udp") for address in (WORLD4, WORLD6) for port in (80, 443)]
        cls.lab.serve(cls.lab.world, *places, f"dns {NAME_SERVER} {cls.lab.names}")
        cls.lab.serve(cls.lab.machine, f"tcp {MACHINE4} 5002")

    def run_of(self) -> dict[str, Any]:
        result = self.run_inside("log", "--json", **self.as_user())
        self.assertEqual(result.status, 0, result)
        run: dict[str, Any] = json.loads(result.out)["runs"][0]
        return run

    def as_user(self) -> dict[str, Any]:
        return {}

    def refused(self) -> set[tuple[str, str, int, str, str]]:  # type: ignore[override]
        keys = ("protocol", "address", "port", "name", "remedy")
        return {tuple(each[key] for key in keys) for each in self.run_of()["denied_connections"]}  # type: ignore[misc]

    def by_name(self, places: list[str], *options: str) -> list[str]:
        result = self.run_inside(*PRIVATE, *options, "--", "/usr/bin/python3", "-I", "-S", "-c", BY_NAME, *places)
        self.assertEqual(result.status, 0, result)
        return result.out.split()


class Connections(NetworkLog):
    def test_each_is_told_with_the_line_that_allows_it(self) -> None:
        allowed = ("-s", "network.connect=tcp :80")
        places = [f"tcp {WORLD4} 443", f"tcp {WORLD6} 443", f"udp {WORLD4} 80", f"udp {WORLD6} 80"]
        self.assertEqual(self.reached([f"tcp {WORLD4} 80", *places], *PRIVATE, *allowed), {f"tcp {WORLD4} 80"})
        told = self.refused()
        expected = {tuple(place.split()) for place in places}
        self.assertEqual({(protocol, address, str(port)) for protocol, address, port, _, _ in told}, expected)
        for *_, name, remedy in told:
            self.assertEqual(name, "")
            section, line = remedy.split("] ", 1)
            key, value = line.split(" = ", 1)
            place = next(p for p in places if f"{p.split()[0]} " in value and p.split()[1] in value)
            self.assertEqual(self.reached([place], *PRIVATE, *allowed, "-s", f"{section[1:]}.{key}+={value}"), {place})
            self.assertEqual(self.refused(), set())

    def test_with_the_name_that_has_led_there(self) -> None:
        self.assertEqual(self.by_name([f"{ALLOWED} 80", f"{ALLOWED} 443"], "-s", f"network.connect=tcp {ALLOWED}:80"), ["tcp", "no"])
        line = f"[network] connect = tcp {ALLOWED}:443"
        self.assertEqual(self.refused(), {("tcp", WORLD4, 443, ALLOWED, line)})
        self.assertEqual(self.run_of()["denied_names"], [])

    def test_a_name_that_is_not_looked_up_is_told_too(self) -> None:
        self.assertEqual(self.by_name([f"{REFUSED} 80"], "-s", f"network.connect={ALLOWED}"), ["no"])
        (told,) = self.run_of()["denied_names"]
        self.assertEqual((told["name"], told["remedy"]), (REFUSED, f"[network] connect = {REFUSED}"))
        self.assertEqual(self.by_name([f"{REFUSED} 80"], "-s", f"network.connect={ALLOWED}, {REFUSED}"), ["tcp"])
        self.assertEqual(self.run_of()["denied_names"], [])

    def test_what_no_line_allows_is_told_with_the_reason(self) -> None:
        self.visit([f"tcp {MACHINE4} 5002", "tcp 169.254.169.254 80", f"tcp {WORLD4} 80"], *PRIVATE, "-s", f"network.deny={WORLD4}")
        why = {each["address"]: (each["why"], each["remedy"]) for each in self.run_of()["denied_connections"]}
        self.assertEqual(set(why), {MACHINE4, "169.254.169.254", WORLD4})
        self.assertRegex(why[MACHINE4][0], "of this machine")
        self.assertRegex(why["169.254.169.254"][0], "its link")
        self.assertRegex(why[WORLD4][0], r"\[network\] deny")
        self.assertEqual({remedy for _, remedy in why.values()}, {""})

    def test_a_network_on_which_nothing_is_refused_tells_nothing(self) -> None:
        self.assertEqual(self.reached([f"tcp {WORLD4} 80", f"tcp {WORLD6} 80"], *PRIVATE), {f"tcp {WORLD4} 80", f"tcp {WORLD6} 80"})
        run = self.run_of()
        self.assertEqual((run["denied_connections"], run["denied_names"], run["other_notes"]), ([], [], 0))

    def test_switched_off_nothing_is_told_and_as_much_is_refused(self) -> None:
        places = [f"tcp {WORLD4} 80", f"tcp {WORLD4} 443", f"tcp {MACHINE4} 5002"]
        for log in ("yes", "no"):
            options = (*PRIVATE, "-s", "network.connect=tcp :80", "-s", f"network.log={log}")
            self.assertEqual(self.reached(places, *options), {places[0]})
            self.assertEqual(len(self.refused()), 2 if log == "yes" else 0)


class Hostile(NetworkLog):
    def test_no_program_can_fill_the_disk_nor_wait(self) -> None:
        code = "import socket\nfor i in range(3000):\n s = socket.socket(2, 2)\n try: s.sendto(b'x', (f'203.0.113.{i % 200}', 1 + i % 60000))\n"
        code += " except OSError: pass\nprint('done')"
        result = self.run_inside(*PRIVATE, "-s", "network.connect=tcp :80", "--", "/usr/bin/python3", "-I", "-S", "-c", code)
        self.assertEqual((result.status, result.out), (0, "done\n"), result)
        run = self.run_of()
        self.assertEqual(len(run["denied_connections"]), 127)
        # The kernel's queue passes on as many as the helper keeps up with.
        self.assertGreater(run["other_notes"], 0)
        place = self.account.home / ".local/share/sbox/log"
        self.assertLess(max(path.stat().st_size for path in place.iterdir()), LARGEST)

    def test_a_helper_that_is_stopped_keeps_nobody_from_ending(self) -> None:
        command = [str(SBOX), *PRIVATE, "--", "sh", "-c", "echo up; read x; exit 7"]
        child = self.lab.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout
        self.assertEqual(child.stdout.readline(), b"up\n")
        (helper,) = [pid for pid in descendants(child.pid) if read_process(pid, "comm").startswith("sbox-network")]
        os.kill(helper, signal.SIGSTOP)
        child.communicate(timeout=10)
        self.assertEqual(child.returncode, 7)
