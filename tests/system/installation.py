"""An installation of sbox that is root's, with sbox-userns where that is wanted, and hosts that refuse user namespaces."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile
from typing import Any

from account import BUILD, Account, Result
from harness import probe

# sbox-userns wants every directory above it to be root's alone, which /tmp is not.
PARENT = "/opt"


class Installation:
    """A copy of the build below a directory of root's. `bits` of sbox-userns: None leaves it out."""

    def __init__(self, bits: int | None = 0o4755, capabilities: str = "") -> None:
        os.makedirs(PARENT, exist_ok=True)
        self.prefix = pathlib.Path(tempfile.mkdtemp(prefix="sbox-test-", dir=PARENT))
        self.prefix.chmod(0o755)
        for part in ("bin", "libexec", "share", "lib"):
            shutil.copytree(BUILD / part, self.prefix / part, symlinks=True)
        for path in (self.prefix, *self.prefix.rglob("*")):
            os.chown(path, 0, 0)
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        self.sbox = str(self.prefix / "bin" / "sbox")
        self.launcher = self.prefix / "libexec" / "sbox" / "sbox-launch"
        self.granter = self.launcher.with_name("sbox-userns")
        if bits is not None:
            shutil.copy(BUILD / "privileged" / "sbox-userns", self.granter)
            os.chown(self.granter, 0, 0)
            self.granter.chmod(bits)
        if capabilities:
            subprocess.run(["setcap", capabilities, str(self.granter)], check=True)

    def remove(self) -> None:
        shutil.rmtree(self.prefix)


def where_refused(account: Account, *argv: str) -> list[str]:
    """The command that runs `argv` as the user where user namespaces are refused; to be started as root."""
    return [probe("refuse_userns"), str(account.uid), str(account.gid), *argv]


def run_where_refused(account: Account, *argv: str, **options: Any) -> Result:
    return account.run(where_refused(account, *argv), **({"user": 0, "group": 0} | options))
