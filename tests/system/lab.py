"""A small internet: a machine and the world outside, as two network namespaces with a wire between them.

The machine is at 198.51.100.2 and 2001:db8:1::2; all else goes to the world, which has any address that is asked for.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import unittest
from typing import Any

from account import Account, Result
from harness import SystemTest, wait_for

MACHINE4, MACHINE6 = "198.51.100.2", "2001:db8:1::2"
WORLD4, WORLD6 = "198.51.100.1", "2001:db8:1::1"
NAME_SERVER = "198.51.100.53"


def make_lab(case: type[SystemTest]) -> Lab:
    """A lab for a class of tests, closed at its end. Skips the class where there can be none."""
    if os.getuid() != 0:
        raise unittest.SkipTest("needs root to make network namespaces")
    lab = Lab(case.account)
    case.addClassCleanup(lab.close)
    return lab


class Servers:
    """What serves in one of the two, and who came."""

    def __init__(self, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
        self.process, self.log = process, log
        self.read = 0

    def visits(self) -> list[str]:
        """Since this was asked last."""
        lines = self.log.read_text().splitlines()[1:]
        fresh = lines[self.read :]
        self.read = len(lines)
        return fresh


class Lab:
    """Only root can make one. Close it."""

    def __init__(self, account: Account, resolver: str = NAME_SERVER) -> None:
        self.account = account
        self.machine, self.world = f"sbox-machine-{os.getpid()}", f"sbox-world-{os.getpid()}"
        self.started: list[subprocess.Popen[bytes]] = []
        self.resolv_conf = account.file(account.base / "lab-resolv.conf", f"nameserver {resolver}\n")
        self.names = account.file(account.base / "lab-names", "")
        for name in (self.machine, self.world):
            self.ip("netns", "add", name)
        macs = {self.machine: "02:00:00:00:00:02", self.world: "02:00:00:00:00:01"}
        here = ["wire", "netns", self.machine, "address", macs[self.machine]]
        there = ["name", "wire", "netns", self.world, "address", macs[self.world]]
        self.ip("link", "add", *here, "type", "veth", "peer", *there)
        self.wire(self.machine, f"{MACHINE4}/24", f"{MACHINE6}/64", "fe80::2/64")
        self.wire(self.world, f"{WORLD4}/24", f"{WORLD6}/64")
        # The first question for a neighbour would be lost while the two are still getting to know each other.
        for name, neighbour, other in ((self.machine, WORLD6, self.world), (self.world, MACHINE6, self.machine)):
            self.ip("-n", name, "neighbour", "replace", neighbour, "lladdr", macs[other], "dev", "wire")
        for family, gateway in (("-4", WORLD4), ("-6", WORLD6)):
            self.ip(family, "-n", self.machine, "route", "add", "default", "via", gateway)

    def wire(self, name: str, *addresses: str) -> None:
        self.ip("-n", name, "link", "set", "wire", "addrgenmode", "none")
        for address in addresses:
            self.ip("-n", name, "address", "add", address, "dev", "wire", *(["nodad"] if ":" in address else []))
        for link in ("lo", "wire"):
            self.ip("-n", name, "link", "set", link, "up")

    def close(self) -> None:
        for process in self.started:
            self.account.end(process)
        for name in (self.machine, self.world):
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)

    @staticmethod
    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def reach(self, *addresses: str) -> None:
        """Gives the world further addresses."""
        for address in addresses:
            bits = 128 if ":" in address else 32
            nodad = ["nodad"] if ":" in address else []
            self.ip("-n", self.world, "address", "replace", f"{address}/{bits}", "dev", "wire", *nodad)

    def serve(self, where: str, *lines: str) -> Servers:
        """Starts servers (lab_server.py) in the machine or the world."""
        log = self.account.base / f"lab-{len(self.started)}.log"
        script = pathlib.Path(__file__).with_name("lab_server.py")
        command = ["ip", "netns", "exec", where, sys.executable, "-I", "-S", str(script)]
        with open(log, "wb") as out:
            process = self.account.start(command, user=0, group=0, stdin=subprocess.PIPE, stdout=out)
        self.started.append(process)
        assert process.stdin
        process.stdin.write("\n".join(lines).encode())
        process.stdin.close()
        wait_for(lambda: process.poll() is not None or log.read_text().startswith("ready\n"), what=f"servers {lines}")
        return Servers(process, log)

    def command(self, *argv: str) -> list[str]:
        """`argv` as the user on the machine."""
        identity = [str(self.account.uid), str(self.account.gid)]
        script = 'mount --bind "$1" /etc/resolv.conf && exec setpriv --reuid "$2" --regid "$3" --clear-groups -- "${@:4}"'
        return ["ip", "netns", "exec", self.machine, "unshare", "--mount", "--propagation", "private", "bash", "-c", script,
                "bash", str(self.resolv_conf), *identity, *argv]  # fmt: skip

    def run(self, *argv: str, **options: Any) -> Result:
        return self.account.run(self.command(*argv), **{"user": 0, "group": 0} | options)

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        return self.account.start(self.command(*argv), **{"user": 0, "group": 0} | options)
