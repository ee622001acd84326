"""Services of a session to test against besides those of desktop.py: agents, printers, cards, what has a name on a bus.

Every fixture is a context manager; most yield the variables that lead to the service.
"""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator

from account import Account
from harness import wait_for, wait_for_server

PRINTER = "paper"
CUPS = """
Listen {base}/cups.sock
Browsing No
DefaultAuthType None
WebInterface No
<Location />
Allow all
</Location>
<Policy default>
<Limit All>
Order deny,allow
</Limit>
</Policy>
"""
CUPS_FILES = """
FileDevice Yes
ServerRoot {base}
CacheDir {base}/cache
StateDir {base}/state
RequestRoot {base}/spool
TempDir {base}/spool/tmp
AccessLog {base}/access
ErrorLog {base}/error
PageLog {base}/page
SystemGroup {group}
"""


WIRE = (pathlib.Path(__file__).parent / "dbus_wire.py").read_text()
# Has names, answers every call, and tells all about it.
ANSWERING = """
import sys
address, ready, *names = sys.argv[1:]
wire = Wire(address)
for name in names: wire.ask(BUS, "/", BUS, "RequestName", ("s", name), ("u", 4))
wire.socket.settimeout(None)
open(ready, "w").write("ready")
while True:
    kind, serial, fields = header(wire.receive())
    if kind != CALL or fields.get(SENDER) == BUS: continue
    for name in names: wire.send(SIGNAL, {PATH: "/x", INTERFACE: name, MEMBER: "Called"}, ("s", name + fields[MEMBER]))
    wire.send(RETURN, {DESTINATION: fields[SENDER], REPLY_SERIAL: serial}, ("s", "done"))
"""


def checked(account: Account, *argv: str, env: dict[str, str] | None = None) -> str:
    """What a program of the user prints; it must succeed."""
    result = account.run(list(argv), env)
    if result.status != 0:
        raise RuntimeError(f"{argv}: {result}")
    return result.out


@contextlib.contextmanager
def ssh_agent(account: Account) -> Iterator[dict[str, str]]:
    """An agent with one key."""
    socket, key = account.base / "agent.socket", account.base / "key"
    agent = account.daemon(["ssh-agent", "-D", "-a", str(socket)])
    try:
        wait_for_server(account, agent, socket)
        env = {"SSH_AUTH_SOCK": str(socket)}
        checked(account, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sbox-key", "-f", str(key))
        checked(account, "ssh-add", "-q", str(key), env=env)
        yield env
    finally:
        account.stop(agent)
        for path in (key, key.with_suffix(".pub")):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def gpg_agent(account: Account) -> Iterator[None]:
    """An agent with one key that signs; it is in the background by itself."""
    account.directory(account.home / ".gnupg", 0o700)
    checked(account, "gpg-agent", "--quiet", "--daemon")
    try:
        checked(account, "gpg", "--quiet", "--batch", "--passphrase", "", "--quick-generate-key", "sbox", "ed25519", "sign")
        yield
    finally:
        account.run(["gpgconf", "--kill", "gpg-agent"])


@contextlib.contextmanager
def printer(account: Account) -> Iterator[tuple[dict[str, str], pathlib.Path]]:
    """A print server of the user's with one printer; where it keeps what was printed is yielded too."""
    base = account.directory(account.base / "cups")
    for name in ("cache", "state", "spool/tmp", "ppd"):
        account.directory(base / name)
    config = account.file(base / "cupsd.conf", CUPS.format(base=base))
    files = account.file(base / "files.conf", CUPS_FILES.format(base=base, group=account.name))
    server = account.daemon(["/usr/sbin/cupsd", "-f", "-c", str(config), "-s", str(files)])
    env = {"CUPS_SERVER": f"{base}/cups.sock"}
    try:
        wait_for(lambda: account.run(["lpstat", "-r"], env).out == "scheduler is running\n", what="cupsd")
        checked(account, "/usr/sbin/lpadmin", "-p", PRINTER, "-E", "-v", "file:/dev/null", "-m", "raw", env=env)
        yield env, base / "spool"
    finally:
        account.stop(server)


@contextlib.contextmanager
def card_service() -> Iterator[None]:
    """The real pcscd, which only root can start; there are no readers."""
    server = subprocess.Popen(["pcscd", "--foreground"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(pathlib.Path("/run/pcscd/pcscd.comm").exists, what="pcscd")
        yield
    finally:
        server.terminate()
        server.wait(10)


def has_owner(account: Account, name: str, env: dict[str, str]) -> bool:
    """Whether somebody has the name on the session bus."""
    argv = ["gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/", "-m"]
    return "true" in account.run([*argv, "org.freedesktop.DBus.NameHasOwner", name], env).out


@contextlib.contextmanager
def named_service(account: Account, env: dict[str, str], name: str, *argv: str) -> Iterator[None]:
    """A server that takes a name on the session bus."""
    server = account.daemon(list(argv), env)
    try:
        wait_for(lambda: has_owner(account, name, env), what=name)
        yield
    finally:
        account.stop(server)


@contextlib.contextmanager
def answering(account: Account, socket: str, *names: str) -> Iterator[None]:
    """A service that has these names on the bus at `socket`."""
    ready = account.base / "answering"
    argv = ["/usr/bin/python3", "-I", "-S", "-c", WIRE + ANSWERING, socket, str(ready), *names]
    server = account.daemon(argv)
    try:
        wait_for_server(account, server, ready)
        yield
    finally:
        account.end(server)
        ready.unlink(missing_ok=True)


@contextlib.contextmanager
def system_bus(account: Account) -> Iterator[dict[str, str]]:
    """A bus of root's that lets everybody in."""
    socket = account.base / "system-bus"
    standard = pathlib.Path("/usr/share/dbus-1/session.conf").read_text()
    config = account.file(account.base / "system.conf", standard.replace("<standard_session_servicedirs />", ""))
    argv = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", f"--address=unix:path={socket}"]
    # The policy of a session lets in its own user.
    config.write_text(config.read_text().replace('<policy context="default">', '<policy context="default"><allow user="*"/>'))
    bus = account.daemon(argv, user=0, group=0)
    try:
        wait_for_server(account, bus, socket)
        socket.chmod(0o666)
        yield {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}
    finally:
        account.stop(bus)
        socket.unlink(missing_ok=True)
