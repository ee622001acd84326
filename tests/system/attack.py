"""What the attack suite shares: the circumstances in which a probe runs inside, and its control outside.

tests/attacks.tsv says which test holds which row of known sandbox failures.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from account import REFUSED, SBOX, Result
from harness import ROOT, SystemTest

MAX_DESCRIPTORS = 60
HOSTILE = {
    "LD_PRELOAD": "/nonexistent.so",
    "LD_LIBRARY_PATH": ".",
    "GLIBC_TUNABLES": "glibc.malloc.check=3",
    "TMPDIR": "/nonexistent",
    "XDG_CONFIG_HOME": "/tmp",
    "XDG_DATA_DIRS": "/tmp",
    "IFS": "/",
    "PS4": "$(touch /tmp/sbox-was-here)",
    "SHELLOPTS": "xtrace",
}


class Circumstance(NamedTuple):
    """How sbox is started: by what options, and by a process in what state."""

    name: str
    options: list[str]
    settings: dict[str, Any] = {}


def leak_descriptors() -> None:
    """Runs in the caller's child: a directory, a file and a socket on all low numbers."""
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    for number in range(3, MAX_DESCRIPTORS):
        if number != root:
            os.dup2(root, number, inheritable=True)
    os.set_inheritable(root, True)


def ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM})


def tighten_limits() -> None:
    for what, value in ((resource.RLIMIT_NOFILE, 256), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_STACK, 1 << 20)):
        resource.setrlimit(what, (value, value))


def in_child(prepare: Callable[[], None], **more: Any) -> dict[str, Any]:
    return {"preexec_fn": prepare, **more}


# Without a display: what these profiles need besides is there on any machine. sbox-userns gives no namespaces to programs.
OPTIONAL = ["display", "nested-sandbox"] if REFUSED else ["display"]
SHIPPED = [
    Circumstance(f"profile {path.stem}", ["-p", path.stem, *(word for name in OPTIONAL for word in ("-s", f"profile.optional+={name}"))])
    for path in sorted((ROOT / "profiles").glob("*.profile"))
    if path.stem != "default"
]
DEFAULT = Circumstance("default", [])
# Where sbox-userns makes the namespaces programs get none, which test_userns shows: these are then without.
NESTED = Circumstance("nested sandbox", ["-s", f"process.nested-sandbox={'no' if REFUSED else 'yes'}"])
MOUNTING = Circumstance("nested sandbox with mounts", ["-s", f"process.nested-sandbox={'no' if REFUSED else 'mounts'}"])
SHARED_NETWORK = Circumstance("shared network", ["-s", "network.mode=host"])
ODD_STARTS = [
    Circumstance("hostile environment", [], {"env": HOSTILE}),
    Circumstance("leaked descriptors", [], in_child(leak_descriptors, close_fds=False)),
    Circumstance("ignored signals", [], in_child(ignore_signals, restore_signals=False)),
    Circumstance("tight limits", [], in_child(tighten_limits)),
    Circumstance("umask 0", [], {"umask": 0}),
    Circumstance("umask 0777", [], {"umask": 0o777}),
]
# As root the harness starts sbox as an ordinary user; here it does not.
BY_ROOT = Circumstance("by root", [], {"user": 0, "group": 0, "env": {"HOME": "/root", "USER": "root"}})


class AttackTest(SystemTest):
    """Runs one probe in many circumstances."""

    def circumstances(self) -> list[Circumstance]:
        """All of them; a test that needs fewer takes the lists above."""
        return [DEFAULT, SHARED_NETWORK, *SHIPPED, *ODD_STARTS, *([BY_ROOT] if os.getuid() == 0 else [])]

    def attack(self, circumstance: Circumstance, *argv: str, options: tuple[str, ...] = (), **settings: Any) -> Result:
        """The probe inside; it must start and end with status 0."""
        command = [str(SBOX), *circumstance.options, *options, "--", *argv]
        # Not the home itself: the profile `agent` gives the current directory.
        result = self.account.run(command, **({"cwd": str(self.work)} | circumstance.settings | settings))
        self.assertEqual(result.status, 0, f"{circumstance.name}: {result}")
        return result

    def outside(self, *argv: str, **settings: Any) -> Result:
        """The control: the same probe as the same user without sbox."""
        return self.account.run(list(argv), **settings)
