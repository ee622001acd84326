"""What the system tests share: a base class, waiting for conditions, and a look at the machine from outside."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from typing import Any, TypeVar

from account import ARTEFACTS, BUILD, ROOT, SBOX, Account, Result

T = TypeVar("T")
TEST_TIMEOUT = 120
DENIED = {1: "EPERM", 13: "EACCES", 38: "ENOSYS", 97: "EAFNOSUPPORT"}


def wait_for(condition: Callable[[], T], timeout: float = 20, what: str = "") -> T:
    """The first true value of `condition`, asked again and again until `timeout` seconds are over."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what or condition}")
        time.sleep(0.02)


def wait_for_server(account: Account, server: subprocess.Popen[bytes], path: pathlib.Path) -> None:
    """Until a server of the account has made its socket, or another file that says it is ready.

    One that ends instead is an error, with all that servers said.
    """
    wait_for(lambda: path.exists() or server.poll() is not None, what=f"{server.args}")
    if server.returncode is not None:
        raise RuntimeError(f"{server.args} ended with {server.returncode}: {(account.base / 'daemons.log').read_text()}")


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read_process(pid: int, name: str) -> str:
    """A file of /proc/PID; empty when the process is gone or does not let us look."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def running(marker: str) -> list[int]:
    """The processes that have `marker` in their command line, our own excepted; zombies have none."""
    return [pid for pid in processes() if pid != os.getpid() and marker in read_process(pid, "cmdline")]


def end_sleep(seconds: str) -> None:
    """Ends the process that waits by `sleep SECONDS`, so that what comes after it goes on."""
    found = wait_for(lambda: [pid for pid in processes() if read_process(pid, "cmdline") == f"sleep\0{seconds}\0"])
    for pid in found:
        os.kill(pid, signal.SIGKILL)


def status_field(pid: int | str, field: str) -> str:
    """One field of /proc/PID/status, "" when there is none."""
    for line in read_process(int(pid), "status").splitlines():
        if line.startswith(field + ":"):
            return line.split(":", 1)[1].strip()
    return ""


def parents() -> dict[int, int]:
    table = {}
    for pid in processes():
        parent = status_field(pid, "PPid")
        if parent:
            table[pid] = int(parent)
    return table


def descendants(pid: int) -> list[int]:
    table = parents()
    found, row = [], [pid]
    while row:
        row = [child for child, parent in table.items() if parent in row]
        found += row
    return found


def namespace(pid: int | str, kind: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def probe(name: str) -> str:
    """Path of the static test program tests/cases/NAME.c, built when it is older than its source."""
    source, binary = ROOT / "tests" / "cases" / f"{name}.c", BUILD / "tests" / "cases" / name
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        binary.parent.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-static", "-O1", "-Wall", "-Wextra", "-o", str(binary), str(source)], check=True)
    return str(binary)


class SystemTest(unittest.TestCase):
    """Runs sbox as an ordinary user. Every process and file that a test makes is gone at its end."""

    account: Account
    timeout = TEST_TIMEOUT

    @classmethod
    def setUpClass(cls) -> None:
        cls.account = Account()
        cls.addClassCleanup(cls.account.close)

    def setUp(self) -> None:
        self.account.directory(self.account.home)
        self.forget_private_homes()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="sbox-test-", dir=self.account.home))
        self.account.own(self.work)
        self.addCleanup(self.forget_private_homes)
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        signal.signal(signal.SIGALRM, self.out_of_time)
        signal.alarm(self.timeout)
        self.addCleanup(signal.alarm, 0)

    def out_of_time(self, *_: object) -> None:
        raise TimeoutError(f"the test took more than {self.timeout} s")

    def forget_private_homes(self) -> None:
        shutil.rmtree(self.account.home / ".local" / "share" / "sbox", ignore_errors=True)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        return self.account.start([str(SBOX), *arguments], **options)

    def sbox(self, *arguments: str, **options: Any) -> Result:
        return self.account.run([str(SBOX), *arguments], **options)

    def inside(self, script: str, *options: str, **settings: Any) -> str:
        """What a shell script prints in a sandbox of the profile `default` changed by `options`; it must succeed."""
        result = self.sbox(*options, "--", "/bin/sh", "-c", script, **settings)
        self.assertEqual(result.status, 0, result)
        return result.out

    def python(self, code: str, *options: str, **settings: Any) -> str:
        """The same for Python code."""
        result = self.sbox(*options, "--", "/usr/bin/python3", "-I", "-S", "-c", code, **settings)
        self.assertEqual(result.status, 0, result)
        return result.out

    def refused(self, *arguments: str, status: int = 125, **options: Any) -> Result:
        """sbox must not start anything: one line on stderr, nothing on stdout."""
        result = self.sbox(*arguments, **options)
        self.assertEqual(result.status, status, result)
        self.assertRegex(result.err, r"\Asbox: [^\n]+\n\Z", result)
        self.assertEqual(result.out, "", result)
        return result

    def file(self, name: str, content: str | bytes = "", mode: int = 0o644) -> pathlib.Path:
        """A file of the user in this test's own directory below the real home."""
        return self.account.file(self.work / name, content, mode)

    def directory(self, name: str, mode: int = 0o755) -> pathlib.Path:
        return self.account.directory(self.work / name, mode)

    def profile(self, text: str, name: str = "test") -> str:
        """A profile file outside every home, and its path for -p."""
        return str(self.account.file(self.account.base / "profiles" / f"{name}.profile", text))

    def artefact(self, name: str) -> pathlib.Path:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        return ARTEFACTS / name

    def root_only(self) -> None:
        if os.getuid() != 0:
            self.skipTest("needs root to set up")

    def wait_for_file(self, path: pathlib.Path, child: subprocess.Popen[bytes], timeout: float = 20) -> None:
        """Waits until what runs as `child` has made `path`."""

        def made() -> bool:
            if child.poll() is not None:
                self.fail(f"ended with status {child.returncode} before it made {path}")
            return path.exists()

        wait_for(made, timeout, str(path))


if __name__ == "__main__":  # builds all test programs, for machines without a compiler
    for source in sorted((ROOT / "tests" / "cases").glob("*.c")):
        probe(source.stem)
