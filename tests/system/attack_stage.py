"""What needs the machine itself to be another one: a mount namespace that root prepares for one run of the user."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
from collections.abc import Iterator
from typing import Any

from account import Account, Result
from harness import wait_for

# Only root can prepare; then the user takes over.
SCRIPT = """set -e
{setup}
exec setpriv --reuid {uid} --regid {gid} --clear-groups -- "$@"
"""


def staged(account: Account, setup: str, *argv: str, env: dict[str, str] | None = None, **options: Any) -> Result:
    """Runs `argv` as the user on a machine that the shell script `setup` has changed for this one run."""
    script = SCRIPT.format(setup=setup, uid=account.uid, gid=account.gid)
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *argv]
    return account.run(command, env, **{"user": 0, "group": 0} | options)


def limited(account: Account, limit: str, *argv: str) -> Result:
    """Runs `argv` as the user where /proc/sys/user/LIMIT is 0: in a user namespace that maps every id to itself."""
    lower = f"echo 0 >/proc/sys/user/{limit}; " if limit else ""
    script = f'{lower}exec setpriv --reuid {account.uid} --regid {account.gid} --clear-groups -- "$@"'
    holder = account.start(["unshare", "--user", "sleep", "60"], user=0, group=0)
    own = os.readlink("/proc/self/ns/user")
    wait_for(lambda: os.readlink(f"/proc/{holder.pid}/ns/user") != own, what="the user namespace")
    for name in ("uid_map", "gid_map"):
        pathlib.Path(f"/proc/{holder.pid}/{name}").write_text("0 0 65536\n")
    enter = ["nsenter", "--user", "--target", str(holder.pid), "sh", "-ec", script, "sh", *argv]
    result = account.run(enter, user=0, group=0)
    account.end(holder)
    return result


class Listener:
    """A server that counts who comes; nobody is answered."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        server.setblocking(False)

    def visitors(self) -> int:
        """How many have come since this was asked last."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                if self.server.type == socket.SOCK_DGRAM:
                    self.server.recv(100)
                else:
                    self.server.accept()[0].close()
                count += 1
        return count


def unix_listener(account: Account, path: str | pathlib.Path) -> Listener:
    """At a path, which becomes the user's, or at "\\0NAME"."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    if not str(path).startswith("\0"):
        account.own(pathlib.Path(path)).chmod(0o777)
    server.listen(64)
    return Listener(server)


def internet_listener(address: str, kind: socket.SocketKind) -> Listener:
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    server.bind((address, 0))
    if kind == socket.SOCK_STREAM:
        server.listen(64)
    return Listener(server)


def own_addresses() -> list[str]:
    """Addresses of this machine: the loopback's, and the one that outward connections have, where there is one."""
    found = ["127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        with contextlib.suppress(OSError):
            outward.connect(("192.0.2.1", 9))  # nothing is sent
            found.append(outward.getsockname()[0])
    if os.path.exists("/proc/net/if_inet6") and pathlib.Path("/proc/net/if_inet6").read_text():
        found.append("::1")
    return found


@contextlib.contextmanager
def internet_listeners() -> Iterator[dict[str, Listener]]:
    """Listeners on every address of this machine, by the name that the probe attack_d_network gives them."""
    with contextlib.ExitStack() as stack:
        found = {}
        for address in own_addresses():
            for word, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
                listener = internet_listener(address, kind)
                stack.enter_context(listener.server)
                found[f"{word}:{address}:{listener.server.getsockname()[1]}"] = listener
        yield found
