"""What a run could leave behind on the host."""

from __future__ import annotations

import os
import pathlib

from account import Account
from harness import processes, status_field


def tree(root: pathlib.Path) -> list[str]:
    """Every path below `root` with its type and mode."""
    found = []
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            found.append(f"{path} {oct(os.lstat(path).st_mode)}")
    return sorted(found)


def owner_of(path: str) -> int:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return -1


def home_of(account: Account) -> list[str]:
    """The same of the home, without the log that each run leaves on purpose, and the way to it."""
    place = account.home / ".local" / "share" / "sbox" / "log"
    way = [f"{path} " for path in place.parents if path.is_relative_to(account.home)]
    return [line for line in tree(account.home) if not line.startswith((str(place), *way))]


def files_of(account: Account) -> dict[str, object]:
    """The user's files, the sockets of the session and the machine's mounts."""
    return {
        "home": home_of(account),
        "base": tree(account.base),
        "tmp": sorted(name for name in os.listdir("/tmp") if owner_of(f"/tmp/{name}") == account.uid),
        "run": sorted(str(path) for path in pathlib.Path("/run").rglob("*sbox*")),
        "mounts": pathlib.Path("/proc/self/mounts").read_text(),
    }


def launchers(account: Account) -> list[int]:
    """The processes of sbox that this user runs."""

    def is_one(pid: int) -> bool:
        try:
            is_launcher = os.readlink(f"/proc/{pid}/exe").endswith("/sbox-launch")
        except OSError:
            return False
        return is_launcher and status_field(pid, "Uid").split()[:1] == [str(account.uid)]

    return sorted(pid for pid in processes() if is_one(pid))
