"""The ordinary user that every sbox under test runs as, and the processes that run as that user.

Started by root, the tests make and use the account `sboxtest` (SBOX_TEST_USER names another); started by a user, they
run as that user.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
from typing import IO, Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
BUILD = BUILD if BUILD.is_absolute() else ROOT / BUILD
SBOX = BUILD / "bin" / "sbox"
ARTEFACTS = BUILD / "artefacts"
NAME = os.environ.get("SBOX_TEST_USER", "sboxtest")
# Whether processes of the user live where user namespaces are refused (tests/granted).
REFUSED = os.environ.get("SBOX_TEST_REFUSED") == "1"
PATH = "/usr/bin:/bin"


def prepare_machine() -> None:
    """What udev and an installer would have done. Only root can, and only once is needed."""
    if os.getuid() != 0:
        return
    for device in ("/dev/fuse", "/dev/net/tun"):
        if os.path.exists(device):
            os.chmod(device, 0o666)
    os.makedirs("/tmp/.X11-unix", exist_ok=True)
    os.chmod("/tmp/.X11-unix", 0o1777)
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", NAME], check=True)
    shutil.chown(pwd.getpwnam(NAME).pw_dir, NAME, NAME)


class Result:
    """How a process ended, and what it said."""

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.raw = out
        self.out = out.decode(errors="surrogateescape")
        self.err = err.decode(errors="surrogateescape")

    def __repr__(self) -> str:
        return f"status {self.status}\n--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}"


class Account:
    """The user, with a runtime directory of its own. Close it to end every process that it started here."""

    def __init__(self) -> None:
        prepare_machine()
        entry = pwd.getpwnam(NAME) if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.name, self.uid, self.gid = entry.pw_name, entry.pw_uid, entry.pw_gid
        # A home below the real one: a person's own is no place for tests, and two runs must not meet.
        self.home = self.own(pathlib.Path(tempfile.mkdtemp(prefix=".sbox-tests-", dir=entry.pw_dir)))
        self.children: list[subprocess.Popen[bytes]] = []
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="sbox-tests-"))
        self.own(self.base).chmod(0o755)
        self.runtime = self.directory(self.base / "run", 0o700)
        self.scratch = self.directory(self.base / "scratch")

    def close(self) -> None:
        for child in list(self.children):
            self.end(child)
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def environment(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        """A login's environment without a desktop; `extra` is added."""
        return {
            "PATH": PATH,
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "SHELL": "/bin/sh",
            "XDG_RUNTIME_DIR": str(self.runtime),
            **(extra or {}),
        }

    def own(self, path: pathlib.Path) -> pathlib.Path:
        if os.getuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path

    def directory(self, path: pathlib.Path, mode: int = 0o755) -> pathlib.Path:
        """Makes `path` (and what lacks above it) as the user's."""
        if not path.parent.exists():
            self.directory(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(mode)
        return self.own(path)

    def file(self, path: pathlib.Path, content: str | bytes = "", mode: int = 0o644) -> pathlib.Path:
        """Writes a file as the user's."""
        if not path.parent.exists():
            self.directory(path.parent)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return self.own(path)

    def start(self, argv: list[str], env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Starts a process as the user, as the head of a session of its own."""
        settings: dict[str, Any] = {"env": self.environment(env), "start_new_session": True, "cwd": str(self.home)}
        if os.getuid() == 0:
            settings |= {"user": self.uid, "group": self.gid, "extra_groups": [], "umask": 0o022}
        settings |= options
        if REFUSED and settings.get("user") == self.uid:
            argv = [str(BUILD / "tests/cases/refuse_userns"), str(self.uid), str(self.gid), *argv]
            settings |= {"user": 0, "group": 0}
        child = subprocess.Popen(argv, **settings)
        self.children.append(child)
        return child

    def daemon(self, argv: list[str], env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """The same for a server: its output goes to a file, never into a pipe that nobody reads."""
        return self.start(
            argv, env, stdin=subprocess.DEVNULL, **{"stdout": self.log(), "stderr": subprocess.STDOUT} | options
        )

    def log(self) -> IO[bytes]:
        return open(self.base / "daemons.log", "ab")

    def run(
        self,
        argv: list[str],
        env: dict[str, str] | None = None,
        data: bytes | None = None,
        timeout: float = 30,
        **options: Any,
    ) -> Result:
        """Runs a process as the user until it ends; past `timeout` seconds it is killed and TimeoutError raised."""
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        pipes["stdin"] = subprocess.DEVNULL if data is None else subprocess.PIPE
        child = self.start(argv, env, **(pipes | options))
        try:
            out, err = child.communicate(data, timeout)
        except subprocess.TimeoutExpired:
            self.end(child)
            out, err = child.communicate(timeout=5)
            raise TimeoutError(f"{argv} still ran after {timeout} s: {out[-2000:]!r} {err[-2000:]!r}") from None
        finally:
            self.end(child)
        return Result(child.returncode, out or b"", err or b"")

    def stop(self, server: subprocess.Popen[bytes]) -> None:
        """Asks a server to end, so that it takes its sockets with it; then kills what is left."""
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(5)
        self.end(server)

    def end(self, child: subprocess.Popen[bytes]) -> None:
        """Kills what is left of the group of `child`."""
        if child.returncode is None or child in self.children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child in self.children:
            self.children.remove(child)
